package controller

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"k8s.io/apimachinery/pkg/api/meta"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/marks"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// jobScope is everything that one pass over a training job observed.
type jobScope struct {
	object  *classifierv1alpha1.ClassifierTrainingJob
	status  *classifierv1alpha1.ClassifierTrainingJobStatus // of object
	written *classifierv1alpha1.ClassifierTrainingJobStatus // as the API server has it
	marks   marks.Marks

	connection *connection.Pass
	factory    contact

	inputs         *finding                         // whether the datasets can be trained on; nil if that was settled before
	unseenDataset  bool                             // the operator has not looked yet at one that is waited for
	pinned         []classifierv1alpha1.PinnedInput // the files that the datasets gave
	remote         *mistral.DetailedJob             // as the factory has it; nil if this pass did not learn it
	remoteMissing  bool                             // the factory does not know the job
	unserved       bool                             // the user's request for a look is to be answered by a later pass
	startedUnasked bool                             // it runs, though the operator did not start it
	stale          *finding                         // whether the datasets are still what the job reads; nil if it reads none
	failure        *finding                         // how the job failed for good, if this pass found that out
	output         *finding                         // whether the Secret is published; nil if there is nothing to publish
	expired        bool                             // the object is deleted
	forgotten      string                           // what is to be told of a status that was not this object's; empty: nothing
}

func newJobScope(object *classifierv1alpha1.ClassifierTrainingJob) *jobScope {
	return &jobScope{object: object, status: &object.Status, written: object.Status.DeepCopy()}
}

// requestedAt is the user's last request for a look, as far as a status can repeat it.
func (s *jobScope) requestedAt() string { return requestedAt(s.object) }

func (s *jobScope) isFinished() bool {
	return meta.IsStatusConditionTrue(s.status.Conditions, classifierv1alpha1.ConditionFinished)
}

// isOver reports whether the job ended, in success or failure.
func (s *jobScope) isOver() bool { return s.status.CompletionTime != nil }

// isImported reports whether the job is somebody else's, and only looked at.
func (s *jobScope) isImported() bool { return s.object.Spec.ImportJobID != "" }

// isStarted reports whether the current try was started.
func (s *jobScope) isStarted() bool {
	if s.isImported() {
		return s.status.StartTime != nil || startedStates[s.state()]
	}
	attempt := s.status.Attempt
	return attempt != nil && attempt.StartTime != nil && s.status.RemoteJob != nil && s.state() != mistral.JobValidated
}

// state is the last known state of the remote job.
func (s *jobScope) state() mistral.JobStatus {
	if s.status.RemoteJob == nil {
		return ""
	}
	return mistral.JobStatus(s.status.RemoteJob.State)
}

// suffix is the current try's job's.
func (s *jobScope) suffix() string { return s.suffixWith(s.status.Attempt.Marker) }

// suffixOf is that of the job of any of this object's tries.
func (s *jobScope) suffixOf(attempt int32) string {
	if current := s.status.Attempt; current != nil && current.Number == attempt && !s.isRestored() {
		return s.suffix()
	}
	return s.suffixWith(s.marks.JobMarker(s.object.UID, attempt))
}

// suffixWith is the user's part, as far as there is room, and the marker.
func (s *jobScope) suffixWith(marker string) string {
	user := s.object.Spec.Training.Suffix
	if user == "" {
		return marker
	}
	room := mistral.MaxSuffixLength - len(marker) - 1
	return user[:min(len(user), room)] + "-" + marker
}

func (s *jobScope) secretName() string {
	if output := s.object.Spec.Output; output != nil && output.SecretName != "" {
		return output.SecretName
	}
	return s.object.Name
}

// pinsInputs reports whether a job may still read its files.
func pinsInputs(job *classifierv1alpha1.ClassifierTrainingJob) bool {
	return len(job.Status.Inputs) > 0 && !meta.IsStatusConditionTrue(job.Status.Conditions, classifierv1alpha1.ConditionFinished)
}

// unixTime reads a timestamp of the protocol; 0 is none, and so is what a status
// cannot hold: a time beyond the year 9999, as of a server that sends milliseconds.
func unixTime(seconds int64) *metav1.Time {
	const year10000 = 253402300800
	if seconds <= 0 || seconds >= year10000 {
		return nil
	}
	return &metav1.Time{Time: time.Unix(seconds, 0)}
}
