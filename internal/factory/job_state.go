package factory

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// maxAttempts is how often a job's stage is begun when the process dies in the
// midst of it: a job that exhausts the memory must not keep the server from
// starting for ever.
const maxAttempts = 3

// What a tenant learns of a failure that is not his data's fault.
const (
	codeServerFailed  = "ServerFailed"
	codeServerStopped = "ServerStopped"
	codeDiskFull      = "DiskFull"

	serverFailed = "The server failed to work on this job; its log says why."
	serverFull   = "The server's disk is full. Create the job again when there is room."
)

// errInterrupted ends a job's stage because the server closes. The job runs
// again when the server is opened.
var errInterrupted = errors.New("the server is closing")

// job is a training job as it is stored. Its states:
//
//	QUEUED -> VALIDATING -> VALIDATED -start-> QUEUED -> RUNNING -> SUCCESS
//
// or FAILED_VALIDATION, FAILED and CANCELLED, the last by way of
// CANCELLATION_REQUESTED if a worker has the job.
type job struct {
	mistral.Job
	tenant    string
	started   bool // QUEUED means for training, no longer for validation
	attempts  int
	inputs    []input
	requested requestedTraining
	inputType dataset.InputType
	targets   []mistral.ClassifierTarget

	newEvents []mistral.Event // not stored yet
}

// requestedTraining is what was asked for and validation completes.
type requestedTraining struct {
	Hyperparameters mistral.Hyperparameters    `json:"hyperparameters"`
	Targets         []mistral.ClassifierTarget `json:"targets"`
	// SkipFraction is the part of the rows that may be invalid.
	SkipFraction float64 `json:"skip_fraction"`
}

// input is a file of a job, as it was when the job was created.
type input struct {
	FileID     string  `json:"file_id"`
	Filename   string  `json:"filename"`
	Digest     string  `json:"digest"`
	Bytes      int64   `json:"bytes"`
	Weight     float64 `json:"weight"`
	Validation bool    `json:"validation"`
}

// stateError says that a job's state does not allow what was asked.
type stateError struct{ message string }

func (e *stateError) Error() string { return e.message }

// become changes the state and says so in an event.
func (j *job) become(status mistral.JobStatus, now time.Time) {
	j.update(mistral.StatusUpdate{Status: status}, now)
}

// fail ends the job for a reason that is not its data's.
func (j *job) fail(code, reason string, now time.Time) {
	j.update(mistral.StatusUpdate{Status: mistral.JobFailed, Code: code, Error: reason}, now)
}

func (j *job) update(update mistral.StatusUpdate, now time.Time) {
	j.setStatus(update.Status, now)
	data, _ := json.Marshal(update) // strings and numbers
	j.newEvents = append(j.newEvents, mistral.Event{Name: mistral.EventStatusUpdated, Data: data, CreatedAt: now.Unix()})
}

func (j *job) setStatus(status mistral.JobStatus, now time.Time) {
	j.Status = status
	j.ModifiedAt = now.Unix()
}

// start queues a validated job for training. The protocol has no event for that.
func (j *job) start(now time.Time) error {
	if j.Status != mistral.JobValidated {
		return &stateError{fmt.Sprintf("The job is %s; only a job that is %s can be started.", j.Status, mistral.JobValidated)}
	}
	j.started = true
	j.setStatus(mistral.JobQueued, now)
	return nil
}

// cancel ends a job that waits, and asks the worker of one that does not.
func (j *job) cancel(now time.Time) {
	switch j.Status {
	case mistral.JobQueued, mistral.JobValidated:
		j.become(mistral.JobCancelled, now)
	case mistral.JobValidating, mistral.JobRunning:
		j.become(mistral.JobCancellationRequested, now)
	}
}

// claim gives a queued job to a worker.
func (j *job) claim(now time.Time) {
	j.attempts++
	if j.started {
		j.become(mistral.JobRunning, now)
	} else {
		j.become(mistral.JobValidating, now)
	}
}

// validated records what validation found and queues the job for training if it
// was to start by itself.
func (j *job) validated(found *validation, now time.Time) {
	if j.yield(now) {
		return
	}
	j.attempts = 0
	j.inputType = found.inputType
	j.targets = found.targets
	j.Hyperparameters = found.plan.hyperparameters
	j.Metadata = &found.plan.metadata
	update := found.skipped
	update.Status = mistral.JobValidated
	j.update(update, now)
	if j.AutoStart {
		_ = j.start(now) // it is VALIDATED
	}
}

// succeed records the model, unless the job is to be cancelled.
func (j *job) succeed(modelID string, now time.Time) bool {
	if j.yield(now) {
		return false
	}
	j.FineTunedModel = &modelID
	j.TrainedTokens = j.Metadata.TrainTokens
	j.become(mistral.JobSuccess, now)
	return true
}

// yield cancels the job if that was asked for while a worker had it.
func (j *job) yield(now time.Time) bool {
	if j.Status != mistral.JobCancellationRequested {
		return false
	}
	j.become(mistral.JobCancelled, now)
	return true
}

// end is what becomes of a job when its worker gives up on it.
func (j *job) end(cause error, now time.Time) {
	var invalid *invalidDataError
	switch {
	case j.Status.Finished(): // only what came after failed
	case j.yield(now):
	case errors.Is(cause, errInterrupted):
		j.attempts-- // closing is no fault of the job
		j.become(mistral.JobQueued, now)
	case errors.As(cause, &invalid):
		update := invalid.update
		update.Status, update.Error = mistral.JobFailedValidation, invalid.Error()
		j.update(update, now)
	case isDiskFull(cause):
		j.fail(codeDiskFull, serverFull, now)
	default:
		j.fail(codeServerFailed, serverFailed, now)
	}
}

// resume is what becomes of a job whose worker died with the process.
func (j *job) resume(now time.Time) {
	switch {
	case j.yield(now):
	case j.attempts >= maxAttempts:
		j.fail(codeServerStopped, fmt.Sprintf("The server stopped %d times while it worked on this job. It may need more memory than the server has.", j.attempts), now)
	default:
		j.become(mistral.JobQueued, now)
	}
}
