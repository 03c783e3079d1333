package factory

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func TestJobState(t *testing.T) {
	now := time.Unix(1000, 0)
	for _, test := range []struct {
		reason   string
		status   mistral.JobStatus
		attempts int
		change   func(*job)
		want     mistral.JobStatus
		event    string // in the last event; empty: there is none
		left     int    // attempts
	}{
		{"a waiting job is cancelled at once", mistral.JobQueued, 0, func(j *job) { j.cancel(now) }, mistral.JobCancelled, "CANCELLED", 0},
		{"a running job's worker has to stop first", mistral.JobRunning, 1, func(j *job) { j.cancel(now) }, mistral.JobCancellationRequested, "CANCELLATION_REQUESTED", 1},
		{"a cancellation is asked for once", mistral.JobCancellationRequested, 1, func(j *job) { j.cancel(now) }, mistral.JobCancellationRequested, "", 1},
		{"a finished job stays", mistral.JobFailed, 0, func(j *job) { j.cancel(now) }, mistral.JobFailed, "", 0},
		{"closing is no fault of the job", mistral.JobRunning, 1, func(j *job) { j.end(errInterrupted, now) }, mistral.JobQueued, "QUEUED", 0},
		{"bad data", mistral.JobValidating, 1, func(j *job) { j.end(&invalidDataError{"line 3"}, now) }, mistral.JobFailedValidation, "line 3", 1},
		{"what failed is for the log only", mistral.JobRunning, 1, func(j *job) { j.end(errors.New("open /data: no"), now) }, mistral.JobFailed, "its log says why", 1},
		{"a failure while it is cancelled", mistral.JobCancellationRequested, 1, func(j *job) { j.end(errors.New("x"), now) }, mistral.JobCancelled, "CANCELLED", 1},
		{"success came first", mistral.JobSuccess, 1, func(j *job) { j.end(errors.New("cleaning up"), now) }, mistral.JobSuccess, "", 1},
		{"validated while it is cancelled", mistral.JobCancellationRequested, 1, func(j *job) { j.validated(nil, now) }, mistral.JobCancelled, "CANCELLED", 1},
		{"trained while it is cancelled", mistral.JobCancellationRequested, 1, func(j *job) { j.succeed("m", now) }, mistral.JobCancelled, "CANCELLED", 1},
		{"the process died", mistral.JobRunning, 1, func(j *job) { j.resume(now) }, mistral.JobQueued, "QUEUED", 1},
		{"the process dies of it again and again", mistral.JobRunning, maxAttempts, func(j *job) { j.resume(now) }, mistral.JobFailed, "stopped 3 times", maxAttempts},
		{"the process died before it could cancel", mistral.JobCancellationRequested, 1, func(j *job) { j.resume(now) }, mistral.JobCancelled, "CANCELLED", 1},
	} {
		j := job{attempts: test.attempts}
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
