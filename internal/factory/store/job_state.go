package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// maxAttempts is how often a job's stage is begun when the process that works on it dies in
// its midst: what exhausts the memory must not do so for ever. A training is charged for
// the death of its own process alone, a validation for that of the server.
const maxAttempts = 3

// What a tenant learns of a failure that is not his data's fault.
const (
	codeServerFailed  = "ServerFailed"
	codeServerStopped = "ServerStopped"
	codeTrainingDied  = "TrainingDied"
	codeDiskFull      = "DiskFull"
	codeNotStarted    = "NotStarted"
	codeBytesDamaged  = "BytesDamaged"

	codeBaseModelUnavailable = "BaseModelUnavailable"

	serverFailed = "The server failed to work on this job; its log says why."
	serverFull   = "The server's disk is full. Create the job again when there is room."
	bytesDamaged = "The server's disk no longer has the bytes with the SHA-256 %s of one of the job's files as they were uploaded. Upload the file again, which puts them right, and create the job again."
)

// CodeOutOfMemory is that of a job whose training takes, or would take, more memory than a
// training may.
const CodeOutOfMemory = "OutOfMemory"

// OutOfMemoryError says that a training was ended because it took more than its budget.
type OutOfMemoryError struct {
	Bytes, Budget int64
}

func (e *OutOfMemoryError) Error() string {
	return fmt.Sprintf("The training took %d bytes of memory; this server gives one %d.", e.Bytes, e.Budget)
}

// DiedError says that the process of a training ended in its midst.
type DiedError struct{ Reason string }

func (e *DiedError) Error() string { return "the process that trained died: " + e.Reason }

// BaseModelError says that a job's base model could not be asked.
type BaseModelError struct{ Message string } // a sentence for whoever made the job

func (e *BaseModelError) Error() string { return e.Message }

// ErrInterrupted ends a job's stage because the server closes. The job runs
// again when the server is opened.
var ErrInterrupted = errors.New("the server is closing")

// Job is a training job as it is stored. Its states:
//
//	QUEUED -> VALIDATING -> VALIDATED -start-> QUEUED -> RUNNING -> SUCCESS
//
// or FAILED_VALIDATION, FAILED and CANCELLED, the last by way of
// CANCELLATION_REQUESTED if a worker has the job.
type Job struct {
	mistral.Job
	Tenant    string
	Started   bool // QUEUED means for training, no longer for validation
	attempts  int
	lease     int64 // the number of the newest; 0: none, or it was taken back
	Inputs    []Input
	Requested RequestedTraining
	InputType dataset.InputType
	Targets   []mistral.ClassifierTarget

	// Named, if set, learns the ID of a job that is to be created before any worker
	// can have the job.
	Named func(id string)

	newEvents []mistral.Event // not stored yet
}

// RequestedTraining is what was asked for and validation completes.
type RequestedTraining struct {
	Hyperparameters mistral.Hyperparameters    `json:"hyperparameters"`
	Targets         []mistral.ClassifierTarget `json:"targets"`
	// SkipFraction is the part of the rows that may be invalid.
	SkipFraction float64 `json:"skip_fraction"`
}

// TrainingInputs are the files that are learned from.
func (j *Job) TrainingInputs() []Input { return j.selectInputs(false) }

// ValidationInputs are the files that are measured on.
func (j *Job) ValidationInputs() []Input { return j.selectInputs(true) }

func (j *Job) selectInputs(validation bool) (selected []Input) {
	for _, input := range j.Inputs {
		if input.Validation == validation {
			selected = append(selected, input)
		}
	}
	return selected
}

// Validation is what was found out about a job's files.
type Validation struct {
	InputType       dataset.InputType
	Targets         []mistral.ClassifierTarget
	Hyperparameters mistral.Hyperparameters
	Metadata        mistral.JobMetadata
	Skipped         mistral.StatusUpdate // counts training rows that are left out
}

// InvalidDataError says why a job's files cannot be trained on. It is written for
// the tenant, and never repeats what is in a row.
type InvalidDataError struct {
	Message string
	Update  mistral.StatusUpdate // what an event says beside
}

func (e *InvalidDataError) Error() string { return e.Message }

// StateError says that a job's state does not allow what was asked.
type StateError struct{ message string }

func (e *StateError) Error() string { return e.message }

// become changes the state and says so in an event.
func (j *Job) become(status mistral.JobStatus, now time.Time) {
	j.update(mistral.StatusUpdate{Status: status}, now)
}

// fail ends the job for a reason that is not its data's.
func (j *Job) fail(code, reason string, now time.Time) {
	j.update(mistral.StatusUpdate{Status: mistral.JobFailed, Code: code, Error: reason}, now)
}

func (j *Job) update(update mistral.StatusUpdate, now time.Time) {
	j.setStatus(update.Status, now)
	data, _ := json.Marshal(update) // strings and numbers
	j.newEvents = append(j.newEvents, mistral.Event{Name: mistral.EventStatusUpdated, Data: data, CreatedAt: now.Unix()})
}

func (j *Job) setStatus(status mistral.JobStatus, now time.Time) {
	j.Status = status
	j.ModifiedAt = now.Unix()
}

// Start queues a validated job for training. The protocol has no event for that.
func (j *Job) Start(now time.Time) error {
	if j.Status != mistral.JobValidated {
		return &StateError{fmt.Sprintf("The job is %s; only a job that is %s can be started.", j.Status, mistral.JobValidated)}
	}
	j.Started = true
	j.setStatus(mistral.JobQueued, now)
	return nil
}

// Cancel ends a job that waits, and asks the worker of one that does not.
func (j *Job) Cancel(now time.Time) {
	switch j.Status {
	case mistral.JobQueued, mistral.JobValidated:
		j.become(mistral.JobCancelled, now)
	case mistral.JobValidating, mistral.JobRunning:
		j.become(mistral.JobCancellationRequested, now)
	}
}

// claim gives a queued job to a worker.
func (j *Job) claim(lease int64, now time.Time) {
	j.lease = lease
	j.attempts++
	if j.Started {
		j.become(mistral.JobRunning, now)
	} else {
		j.become(mistral.JobValidating, now)
	}
}

// Validated records what validation found and queues the job for training if it
// was to start by itself.
func (j *Job) Validated(found *Validation, now time.Time) {
	if j.yield(now) {
		return
	}
	j.attempts = 0
	j.InputType = found.InputType
	j.Targets = found.Targets
	j.Hyperparameters = found.Hyperparameters
	j.Metadata = &found.Metadata
	update := found.Skipped
	update.Status = mistral.JobValidated
	j.update(update, now)
	if j.AutoStart {
		_ = j.Start(now) // it is VALIDATED
	}
}

// Resumed says from which step the training of a running job goes on.
func (j *Job) Resumed(step int, now time.Time) {
	if j.Status == mistral.JobRunning {
		j.update(mistral.StatusUpdate{Status: j.Status, ResumedAtStep: int64(step)}, now)
	}
}

// succeed records the model, unless the job is to be cancelled.
func (j *Job) succeed(modelID string, now time.Time) bool {
	if j.yield(now) {
		return false
	}
	j.FineTunedModel = &modelID
	j.TrainedTokens = j.Metadata.TrainTokens
	j.become(mistral.JobSuccess, now)
	return true
}

// yield cancels the job if that was asked for while a worker had it.
func (j *Job) yield(now time.Time) bool {
	if j.Status != mistral.JobCancellationRequested {
		return false
	}
	j.become(mistral.JobCancelled, now)
	return true
}

// End is what becomes of a job when its worker gives up on it.
func (j *Job) End(cause error, now time.Time) {
	var invalid *InvalidDataError
	var damaged *blob.DamagedError
	var memory *OutOfMemoryError
	var died *DiedError
	var base *BaseModelError
	switch {
	case j.Status.Finished(): // only what came after failed
	case j.yield(now):
	case errors.Is(cause, ErrInterrupted):
		j.attempts-- // closing is no fault of the job
		j.become(mistral.JobQueued, now)
	case errors.As(cause, &invalid):
		update := invalid.Update
		update.Status, update.Error = mistral.JobFailedValidation, invalid.Error()
		j.update(update, now)
	case errors.As(cause, &damaged):
		j.fail(codeBytesDamaged, fmt.Sprintf(bytesDamaged, damaged.Digest), now)
	case errors.As(cause, &memory):
		j.fail(CodeOutOfMemory, memory.Error()+" Fewer labels make it less; whoever runs the server can raise --training-memory.", now)
	case errors.As(cause, &base):
		j.fail(codeBaseModelUnavailable, base.Error(), now)
	case errors.As(cause, &died) && j.attempts < maxAttempts:
		j.become(mistral.JobQueued, now)
	case errors.As(cause, &died):
		j.fail(codeTrainingDied, fmt.Sprintf("The process that trained this job died %d times; the server's log says how.", j.attempts), now)
	case IsUnavailable(cause):
		j.attempts-- // nor is a database that was away
		j.become(mistral.JobQueued, now)
	case IsDiskFull(cause):
		j.fail(codeDiskFull, serverFull, now)
	default:
		j.fail(codeServerFailed, serverFailed, now)
	}
}

// resume is what becomes of a job whose worker died with the process, or seems to have.
func (j *Job) resume(now time.Time) {
	j.lease = 0
	switch {
	case j.yield(now):
	case j.Started:
		j.attempts-- // its own process did not die before
		j.become(mistral.JobQueued, now)
	case j.attempts >= maxAttempts:
		j.fail(codeServerStopped, fmt.Sprintf("The server stopped %d times while it worked on this job. It may need more memory than the server has.", j.attempts), now)
	default:
		j.become(mistral.JobQueued, now)
	}
}
