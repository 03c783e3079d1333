package store

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

var allStatuses = []mistral.JobStatus{
	mistral.JobQueued, mistral.JobStarted, mistral.JobValidating, mistral.JobValidated, mistral.JobRunning,
	mistral.JobFailedValidation, mistral.JobFailed, mistral.JobSuccess, mistral.JobCancelled, mistral.JobCancellationRequested,
}

// TestWhatTenantsMayAsk goes through every state that the protocol names.
func TestWhatTenantsMayAsk(t *testing.T) {
	now := time.Unix(1000, 0)
	// STARTED is a state of the hosted service that this server never has.
	starts := map[mistral.JobStatus]mistral.JobStatus{mistral.JobValidated: mistral.JobQueued}
	cancels := map[mistral.JobStatus]mistral.JobStatus{
		mistral.JobQueued:     mistral.JobCancelled,
		mistral.JobValidated:  mistral.JobCancelled,
		mistral.JobValidating: mistral.JobCancellationRequested,
		mistral.JobRunning:    mistral.JobCancellationRequested,
	}
	for _, status := range allStatuses {
		var started, cancelled Job
		started.Status, cancelled.Status = status, status

		var refused *StateError
		err := started.Start(now)
		if want, ok := starts[status]; ok && (err != nil || started.Status != want || !started.Started) {
			t.Errorf("start when %s: %s, %v; want %s", status, started.Status, err, want)
		} else if !ok && (!errors.As(err, &refused) || started.Status != status || len(started.newEvents) > 0) {
			t.Errorf("start when %s: %s, %v; want a refusal that changes nothing", status, started.Status, err)
		}

		cancelled.Cancel(now)
		if want, ok := cancels[status]; ok && (cancelled.Status != want || len(cancelled.newEvents) != 1) {
			t.Errorf("cancel when %s: %s, %d events; want %s", status, cancelled.Status, len(cancelled.newEvents), want)
		} else if !ok && (cancelled.Status != status || len(cancelled.newEvents) > 0) {
			t.Errorf("cancel when %s: %s; want no change", status, cancelled.Status)
		}
	}
}

// TestWhatBecomesOfAWorkersJob goes through what a worker, or the end of its
// process, makes of a job in the states that it can meet.
func TestWhatBecomesOfAWorkersJob(t *testing.T) {
	now := time.Unix(1000, 0)
	broken, invalid := errors.New("open /data: no"), &InvalidDataError{Message: "line 3"}
	claim := func(j *Job) { j.claim(1, now) }
	claimStarted := func(j *Job) { j.Started = true; j.claim(1, now) }
	validated := func(j *Job) { j.Validated(&Validation{}, now) }
	validatedAutoStart := func(j *Job) { j.AutoStart = true; j.Validated(&Validation{}, now) }
	succeed := func(j *Job) { j.Metadata = &mistral.JobMetadata{}; j.succeed("m", now) }
	end := func(cause error) func(*Job) { return func(j *Job) { j.End(cause, now) } }
	resume := func(j *Job) { j.resume(now) }
	resumeStarted := func(j *Job) { j.Started = true; j.resume(now) }
	resumed := func(j *Job) { j.Resumed(7, now) }
	for _, test := range []struct {
		reason   string
		status   mistral.JobStatus
		attempts int
		change   func(*Job)
		want     mistral.JobStatus
		event    string // in the last event; empty: there is none
		left     int    // attempts
	}{
		{"validation begins", mistral.JobQueued, 0, claim, mistral.JobValidating, "VALIDATING", 1},
		{"training begins", mistral.JobQueued, 0, claimStarted, mistral.JobRunning, "RUNNING", 1},
		{"validation is done, and counts anew", mistral.JobValidating, 2, validated, mistral.JobValidated, "VALIDATED", 0},
		{"and training follows by itself", mistral.JobValidating, 1, validatedAutoStart, mistral.JobQueued, "VALIDATED", 0},
		{"training is done", mistral.JobRunning, 1, succeed, mistral.JobSuccess, "SUCCESS", 1},
		{"validated while it is cancelled", mistral.JobCancellationRequested, 1, validated, mistral.JobCancelled, "CANCELLED", 1},
		{"trained while it is cancelled", mistral.JobCancellationRequested, 1, succeed, mistral.JobCancelled, "CANCELLED", 1},

		{"bad data", mistral.JobValidating, 1, end(invalid), mistral.JobFailedValidation, "line 3", 1},
		{"what failed is for the log only", mistral.JobRunning, 1, end(broken), mistral.JobFailed, `"error":"The server failed to work on this job; its log says why.","code":"ServerFailed"`, 1},
		{"so it is while validating", mistral.JobValidating, 1, end(broken), mistral.JobFailed, "its log says why", 1},
		{"a failure while it is cancelled", mistral.JobCancellationRequested, 1, end(broken), mistral.JobCancelled, "CANCELLED", 1},
		{"it was cancelled", mistral.JobCancellationRequested, 1, end(context.Canceled), mistral.JobCancelled, "CANCELLED", 1},
		{"closing is no fault of the job", mistral.JobRunning, 1, end(ErrInterrupted), mistral.JobQueued, "QUEUED", 0},
		{"nor while validating", mistral.JobValidating, 1, end(ErrInterrupted), mistral.JobQueued, "QUEUED", 0},
		{"nor is a database that was away", mistral.JobRunning, 1, end(&pgconn.PgError{Code: "57P01"}), mistral.JobQueued, "QUEUED", 0},
		{"closing while it is cancelled", mistral.JobCancellationRequested, 1, end(ErrInterrupted), mistral.JobCancelled, "CANCELLED", 1},
		{"success came first", mistral.JobSuccess, 1, end(broken), mistral.JobSuccess, "", 1},
		{"cancellation came first", mistral.JobCancelled, 1, end(broken), mistral.JobCancelled, "", 1},

		{"a training's process died", mistral.JobRunning, maxAttempts - 1, end(&DiedError{}), mistral.JobQueued, "QUEUED", maxAttempts - 1},
		{"it dies again and again", mistral.JobRunning, maxAttempts, end(&DiedError{}), mistral.JobFailed, `died 3 times; the server's log says how.","code":"TrainingDied"`, maxAttempts},
		{"it died while it is cancelled", mistral.JobCancellationRequested, 1, end(&DiedError{}), mistral.JobCancelled, "CANCELLED", 1},
		{"it took too much memory", mistral.JobRunning, 1, end(&OutOfMemoryError{Bytes: 700, Budget: 640}), mistral.JobFailed, "took 700 bytes of memory; this server gives one 640.", 1},
		{"it goes on", mistral.JobRunning, 1, resumed, mistral.JobRunning, `"resumed_at_step":7`, 1},
		{"it goes on while it is cancelled", mistral.JobCancellationRequested, 1, resumed, mistral.JobCancellationRequested, "", 1},

		{"the server died while its child trained", mistral.JobRunning, maxAttempts, resumeStarted, mistral.JobQueued, "QUEUED", maxAttempts - 1},
		{"it died while validating", mistral.JobValidating, maxAttempts - 1, resume, mistral.JobQueued, "QUEUED", maxAttempts - 1},
		{"it dies of it again and again", mistral.JobValidating, maxAttempts, resume, mistral.JobFailed, "stopped 3 times", maxAttempts},
		{"it died before it could cancel", mistral.JobCancellationRequested, 1, resume, mistral.JobCancelled, "CANCELLED", 1},
	} {
		j := Job{attempts: test.attempts}
		j.Status = test.status
		test.change(&j)
		event := ""
		if len(j.newEvents) > 0 {
			event = string(j.newEvents[len(j.newEvents)-1].Data)
		}
		if j.Status != test.want || j.attempts != test.left || !strings.Contains(event, test.event) || (test.event == "") != (event == "") {
			t.Errorf("%s: %s after %d attempts, event %s; want %s after %d, %q", test.reason, j.Status, j.attempts, event, test.want, test.left, test.event)
		}
		if event != "" && j.ModifiedAt != now.Unix() {
			t.Errorf("%s: modified at %d", test.reason, j.ModifiedAt)
		}
	}
}
