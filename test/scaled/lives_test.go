package scaled

import (
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// Models say what may be answered of a thing in each of its states. Those of a step whose answer
// was lost allow anything: who gives it its place in an order may put it behind all others, where
// nobody sees whether it was done.

// step turns a typed step into a porcupine.Model's.
func step[S any](next func(state S, in asked, out answer) (bool, S)) func(any, any, any) (bool, any) {
	return func(state, input, output any) (bool, any) {
		legal, after := next(state.(S), input.(asked), output.(answer))
		return legal, after
	}
}

// fileState is of all files of a name and a content.
type fileState struct {
	id   string // of the present one; empty: none
	dead string // IDs of those that were deleted
}

// nobodys is the ID of a file that was uploaded, and whose uploader was not told of it.
const nobodys = "?"

func (s fileState) has(id string) bool { return s.id == id }

func (s fileState) deleted() fileState { return fileState{"", s.dead + s.id + " "} }

// fileModel: an upload of what is there gives the file that is there; an ID comes once.
var fileModel = porcupine.Model{
	Init: func() any { return fileState{} },
	Step: step(func(s fileState, in asked, out answer) (bool, fileState) {
		switch {
		case in.verb == upload && out.outcome == lost:
			if s.id == "" {
				s.id = nobodys
			}
			return true, s
		case in.verb == upload && (s.id == "" || s.id == nobodys):
			return out.outcome == done && !strings.Contains(s.dead, out.file), fileState{out.file, s.dead}
		case in.verb == upload:
			return out.outcome == done && s.has(out.file), s
		case out.outcome == missing:
			return !s.has(in.file), s
		case in.verb == remove && s.has(in.file):
			return true, s.deleted()
		}
		return s.has(in.file) || out.outcome == lost, s
	}),
}

// modelState begins when a model's job has succeeded.
type modelState struct{ deleted, archived bool }

var modelModel = porcupine.Model{
	Init: func() any { return modelState{} },
	Step: step(func(s modelState, in asked, out answer) (bool, modelState) {
		switch {
		case out.outcome == missing:
			return s.deleted, s
		case s.deleted:
			return out.outcome == lost, s
		case in.verb == use:
			return out.archived == s.archived, s
		case in.verb == classify:
			return s.archived == (out.outcome == refused), s
		case in.verb == remove:
			s.deleted = true
		default:
			s.archived = in.verb == archive
		}
		return true, s
	}),
}

// started stands in a job's life for what has no event.
const started = "STARTED"

// lifeOf is what a job has been through until an answer of it. What its state and its events say must
// be of one moment.
func lifeOf(job *mistral.DetailedJob) string {
	words := strings.Fields(story(job))
	last, _, _ := strings.Cut(words[len(words)-1], `"`)
	validated, queued := last == string(mistral.JobValidated), job.Status == mistral.JobQueued
	switch {
	case validated && queued:
		words = append(words, started)
	case validated && job.AutoStart, last != string(job.Status):
		words = append(words, "but", string(job.Status))
	}
	return strings.Join(words, " ")
}

// jobModels are those of a job whose whole life is known, which its states are the parts of. Where it
// was cancelled when it was VALIDATED, nothing in it tells whether it was started before.
func jobModels(ended *mistral.DetailedJob) []porcupine.Model {
	words := strings.Fields(lifeOf(ended))
	at := slices.Index(words, string(mistral.JobValidated)) + 1
	asIs := jobModel(wholeLife{words, ended.AutoStart})
	if at == 0 || at == len(words) {
		return []porcupine.Model{asIs}
	}
	models := []porcupine.Model{jobModel(wholeLife{slices.Insert(slices.Clone(words), at, started), ended.AutoStart})}
	if words[at] == string(mistral.JobCancelled) && !ended.AutoStart {
		models = append(models, asIs)
	}
	return models
}

// wholeLife has the steps that clients take, and those that workers take at any time. A worker starts a
// job that starts by itself, in the moment in which it is VALIDATED.
type wholeLife struct {
	steps          []string
	startsByItself bool
}

func (l wholeLife) isClients(step int) bool {
	switch l.steps[step] {
	case started:
		return !l.startsByItself
	case string(mistral.JobCancellationRequested):
		return true
	case string(mistral.JobCancelled):
		return l.steps[step-1] != string(mistral.JobCancellationRequested)
	}
	return false
}

// leads says whether workers alone take the steps from one state to another.
func (l wholeLife) leads(from, to int) bool {
	for step := from + 1; step <= to; step++ {
		if l.isClients(step) {
			return false
		}
	}
	return from <= to
}

// at is the state that an answer tells of, or none, which no steps lead to. That a job was started is
// told as long as it is the last of what it has been through.
func (l wholeLife) at(told string) int {
	state := -1
	for word := range strings.FieldsSeq(told) {
		state++
		if state < len(l.steps) && l.steps[state] == started && word != started {
			state++
		}
		if state >= len(l.steps) || l.steps[state] != word {
			return -1
		}
	}
	return state
}

// by is the state that a client's verb leads to, or one behind all if nobody has done it.
func (l wholeLife) by(verb string) int {
	for step := range l.steps {
		if l.isClients(step) && (l.steps[step] == started) == (verb == start) {
			return step
		}
	}
	return len(l.steps)
}

// canStart says of a state that a client's start has an effect.
func (l wholeLife) canStart(state int) bool {
	return l.steps[state] == string(mistral.JobValidated) && !l.startsByItself
}

func jobModel(l wholeLife) porcupine.Model {
	end := len(l.steps) - 1
	return porcupine.Model{
		Init: func() any { return 0 },
		Step: step(func(state int, in asked, out answer) (bool, int) {
			told := l.at(out.life)
			if in.verb == use {
				return out.outcome == done && l.leads(state, told), told
			}
			effect := l.by(in.verb)
			does := effect <= end && l.leads(state, effect-1)
			switch {
			case out.outcome == lost && does:
				return true, effect
			case out.outcome == lost:
				return true, state
			case out.outcome == refused: // what is VALIDATED stays so until a client changes it
				return in.verb == start && !l.canStart(state), state
			case does:
				return l.leads(effect, told), told
			}
			// What was cancelled already, or has ended, is answered as it is.
			return in.verb == cancel && (state >= effect || effect > end && told == end) && l.leads(state, told), told
		}),
	}
}
