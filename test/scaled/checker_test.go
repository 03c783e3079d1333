package scaled

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// at is what a client asked from one time to another, and was told.
func at(from, to int64, in asked, out answer) porcupine.Operation {
	if out.outcome == lost {
		to = math.MaxInt64
	}
	return porcupine.Operation{Input: in, Call: from, Output: out, Return: to}
}

// jobWith is a job as it is told of.
func jobWith(status mistral.JobStatus, events string) *mistral.DetailedJob {
	job := &mistral.DetailedJob{Job: mistral.Job{Status: status}}
	for event := range strings.FieldsSeq(events) {
		data, _ := json.Marshal(mistral.StatusUpdate{Status: mistral.JobStatus(event)}) // words
		job.Events = append(job.Events, mistral.Event{Data: data})
	}
	return job
}

// TestHistories: the checker lets answers pass that one server could have given, and no others.
func TestHistories(t *testing.T) {
	is := func(archived bool) answer { return answer{outcome: done, archived: archived} }
	ok := answer{outcome: done}
	gone, no, silence := answer{outcome: missing}, answer{outcome: refused}, answer{outcome: lost}
	a, b := answer{outcome: done, file: "a"}, answer{outcome: done, file: "b"}
	life := func(said string) answer { return answer{outcome: done, life: said} }
	ran := jobWith(mistral.JobSuccess, "QUEUED VALIDATING VALIDATED RUNNING SUCCESS")
	byItself := jobWith(mistral.JobSuccess, "QUEUED VALIDATING VALIDATED RUNNING SUCCESS")
	byItself.AutoStart = true
	cancelled := jobWith(mistral.JobCancelled, "QUEUED VALIDATING VALIDATED RUNNING CANCELLATION_REQUESTED CANCELLED")
	waited := jobWith(mistral.JobCancelled, "QUEUED VALIDATING VALIDATED CANCELLED")

	for _, test := range []struct {
		reason  string
		models  []porcupine.Model
		history []porcupine.Operation
		right   bool
	}{
		{"an upload of what is there is the same file", []porcupine.Model{fileModel}, []porcupine.Operation{
			at(1, 2, asked{verb: upload}, a), at(3, 4, asked{verb: upload}, a), at(5, 6, asked{use, "a"}, ok)}, true},
		{"an acknowledged file is missing", []porcupine.Model{fileModel}, []porcupine.Operation{
			at(1, 2, asked{verb: upload}, a), at(3, 4, asked{use, "a"}, gone)}, false},
		{"two files of the same", []porcupine.Model{fileModel}, []porcupine.Operation{
			at(1, 2, asked{verb: upload}, a), at(3, 4, asked{verb: upload}, b)}, false},
		{"a deleted file is seen", []porcupine.Model{fileModel}, []porcupine.Operation{
			at(1, 2, asked{verb: upload}, a), at(3, 4, asked{remove, "a"}, ok), at(5, 6, asked{use, "a"}, ok)}, false},
		{"one that is being deleted may be seen", []porcupine.Model{fileModel}, []porcupine.Operation{
			at(1, 2, asked{verb: upload}, a), at(3, 6, asked{remove, "a"}, ok), at(4, 5, asked{use, "a"}, ok)}, true},
		{"but not by who asks after somebody did not see it", []porcupine.Model{fileModel}, []porcupine.Operation{
			at(1, 2, asked{verb: upload}, a), at(3, 10, asked{remove, "a"}, ok), at(4, 5, asked{use, "a"}, gone), at(6, 7, asked{use, "a"}, ok)}, false},
		{"it is deleted twice", []porcupine.Model{fileModel}, []porcupine.Operation{
			at(1, 2, asked{verb: upload}, a), at(3, 6, asked{remove, "a"}, ok), at(4, 5, asked{remove, "a"}, ok)}, false},
		{"an ID comes again", []porcupine.Model{fileModel}, []porcupine.Operation{
			at(1, 2, asked{verb: upload}, a), at(3, 4, asked{remove, "a"}, ok), at(5, 6, asked{verb: upload}, a)}, false},
		{"an unanswered deletion is done later", []porcupine.Model{fileModel}, []porcupine.Operation{
			at(1, 2, asked{verb: upload}, a), at(3, 4, asked{remove, "a"}, silence), at(5, 6, asked{use, "a"}, ok), at(7, 8, asked{use, "a"}, gone)}, true},
		{"or never", []porcupine.Model{fileModel}, []porcupine.Operation{
			at(1, 2, asked{verb: upload}, a), at(3, 4, asked{remove, "a"}, silence), at(7, 8, asked{use, "a"}, ok)}, true},
		{"but not undone", []porcupine.Model{fileModel}, []porcupine.Operation{
			at(1, 2, asked{verb: upload}, a), at(3, 4, asked{remove, "a"}, silence), at(5, 6, asked{use, "a"}, gone), at(7, 8, asked{use, "a"}, ok)}, false},
		{"an unanswered upload is found by the next", []porcupine.Model{fileModel}, []porcupine.Operation{
			at(1, 2, asked{verb: upload}, silence), at(3, 4, asked{verb: upload}, b), at(5, 6, asked{use, "b"}, ok)}, true},

		{"a model is archived, and not", []porcupine.Model{modelModel}, []porcupine.Operation{
			at(1, 2, asked{verb: archive}, ok), at(3, 4, asked{verb: use}, is(true)), at(5, 6, asked{verb: unarchive}, ok), at(7, 8, asked{verb: classify}, ok)}, true},
		{"it classifies while it is archived", []porcupine.Model{modelModel}, []porcupine.Operation{
			at(1, 2, asked{verb: archive}, ok), at(3, 4, asked{verb: classify}, ok)}, false},
		{"it was so when it was asked", []porcupine.Model{modelModel}, []porcupine.Operation{
			at(2, 3, asked{verb: archive}, ok), at(1, 4, asked{verb: classify}, ok)}, true},
		{"an acknowledged archiving is not seen", []porcupine.Model{modelModel}, []porcupine.Operation{
			at(1, 2, asked{verb: archive}, ok), at(3, 4, asked{verb: use}, is(false))}, false},
		{"a deleted model answers", []porcupine.Model{modelModel}, []porcupine.Operation{
			at(1, 2, asked{verb: remove}, ok), at(3, 4, asked{verb: classify}, ok)}, false},
		{"a model is missing that nobody deleted", []porcupine.Model{modelModel}, []porcupine.Operation{at(1, 2, asked{verb: use}, gone)}, false},

		{"a job is started once", jobModels(ran), []porcupine.Operation{
			at(1, 2, asked{verb: start}, no), at(3, 4, asked{verb: start}, life("QUEUED VALIDATING VALIDATED STARTED")), at(5, 6, asked{verb: start}, no),
			at(7, 8, asked{verb: use}, life("QUEUED VALIDATING VALIDATED RUNNING SUCCESS"))}, true},
		{"a job is started twice", jobModels(ran), []porcupine.Operation{
			at(3, 4, asked{verb: start}, life("QUEUED VALIDATING VALIDATED STARTED")), at(5, 6, asked{verb: start}, life("QUEUED VALIDATING VALIDATED STARTED"))}, false},
		{"nobody has started it", jobModels(ran), []porcupine.Operation{
			at(1, 2, asked{verb: use}, life("QUEUED VALIDATING VALIDATED")), at(7, 8, asked{verb: use}, life("QUEUED VALIDATING VALIDATED RUNNING"))}, false},
		{"who has started it was not told", jobModels(ran), []porcupine.Operation{
			at(1, 2, asked{verb: start}, silence), at(7, 8, asked{verb: use}, life("QUEUED VALIDATING VALIDATED RUNNING"))}, true},
		{"it goes back", jobModels(ran), []porcupine.Operation{
			at(1, 2, asked{verb: start}, life("QUEUED VALIDATING VALIDATED RUNNING")), at(7, 8, asked{verb: use}, life("QUEUED VALIDATING VALIDATED STARTED"))}, false},
		{"it could have been started", jobModels(ran), []porcupine.Operation{
			at(1, 2, asked{verb: use}, life("QUEUED VALIDATING VALIDATED")), at(3, 4, asked{verb: start}, no)}, false},
		{"it has been through what is not in its life", jobModels(ran), []porcupine.Operation{
			at(1, 2, asked{verb: use}, life("QUEUED VALIDATING QUEUED"))}, false},
		{"a job is missing", jobModels(ran), []porcupine.Operation{at(1, 2, asked{verb: use}, gone)}, false},
		{"an acknowledged cancellation has no effect", jobModels(ran), []porcupine.Operation{
			at(1, 9, asked{verb: start}, silence), at(3, 4, asked{verb: cancel}, life("QUEUED VALIDATING VALIDATED RUNNING"))}, false},
		{"one that came too late has none", jobModels(ran), []porcupine.Operation{
			at(1, 9, asked{verb: start}, silence), at(3, 4, asked{verb: cancel}, life("QUEUED VALIDATING VALIDATED RUNNING SUCCESS"))}, true},
		{"a job is cancelled twice, the second time without effect", jobModels(cancelled), []porcupine.Operation{
			at(1, 2, asked{verb: start}, life("QUEUED VALIDATING VALIDATED RUNNING")),
			at(3, 4, asked{verb: cancel}, life("QUEUED VALIDATING VALIDATED RUNNING CANCELLATION_REQUESTED")),
			at(5, 6, asked{verb: cancel}, life("QUEUED VALIDATING VALIDATED RUNNING CANCELLATION_REQUESTED CANCELLED"))}, true},
		{"an answer of a start tells of a cancellation", jobModels(cancelled), []porcupine.Operation{
			at(1, 6, asked{verb: start}, life("QUEUED VALIDATING VALIDATED RUNNING CANCELLATION_REQUESTED")),
			at(3, 4, asked{verb: cancel}, life("QUEUED VALIDATING VALIDATED RUNNING CANCELLATION_REQUESTED"))}, false},
		{"nobody has cancelled it", jobModels(cancelled), []porcupine.Operation{
			at(1, 2, asked{verb: start}, silence),
			at(5, 6, asked{verb: use}, life("QUEUED VALIDATING VALIDATED RUNNING CANCELLATION_REQUESTED CANCELLED"))}, false},
		{"a job is cancelled that was not started", jobModels(waited), []porcupine.Operation{
			at(1, 2, asked{verb: cancel}, life("QUEUED VALIDATING VALIDATED CANCELLED"))}, true},
		{"or that was", jobModels(waited), []porcupine.Operation{
			at(1, 2, asked{verb: start}, life("QUEUED VALIDATING VALIDATED STARTED"))}, true},
		{"a job starts by itself", jobModels(byItself), []porcupine.Operation{
			at(1, 2, asked{verb: start}, no), at(3, 4, asked{verb: use}, life("QUEUED VALIDATING VALIDATED STARTED")), at(5, 6, asked{verb: start}, no),
			at(7, 8, asked{verb: use}, life("QUEUED VALIDATING VALIDATED RUNNING"))}, true},
		{"it is started by a client", jobModels(byItself), []porcupine.Operation{
			at(1, 2, asked{verb: start}, life("QUEUED VALIDATING VALIDATED STARTED"))}, false},
		{"state and events are of two moments", jobModels(ran), []porcupine.Operation{
			at(1, 2, asked{verb: use}, life(lifeOf(jobWith(mistral.JobSuccess, "QUEUED VALIDATING VALIDATED"))))}, false},
	} {
		passes := false
		for _, model := range test.models {
			passes = passes || explains(model, test.history)
		}
		if passes != test.right {
			t.Errorf("%s: passes is %v:\n%s", test.reason, passes, told(test.history))
		}
	}
}
