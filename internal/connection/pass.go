package connection

import (
	"context"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/internal/turns"
)

const (
	callTimeout = 30 * time.Second
	// slowAfter is how long a call may take before its caller says so.
	slowAfter = 5 * time.Second
	// An upload may be slow, but slower than this it is stuck.
	minUploadBytesPerSecond = 256 << 10
)

// Pass is what somebody has to do at a factory in one go. Its first call waits for
// its turn, and the others follow at once. Each method makes one call, or none and
// returns a ClosedError.
type Pass struct {
	*Connection
	who    turns.Who
	wake   func()
	slow   func(context.Context)
	called bool
}

// WhenSlow lets a function be called once a call, other than an upload, has taken for
// a while. The call does not return before the function has.
func (p *Pass) WhenSlow(slow func(context.Context)) { p.slow = slow }

// Begin takes the turn for a call that follows what must come before it.
func (p *Pass) Begin() error {
	err := p.gate.enter(p.who, p.wake)
	if err != nil {
		p.metrics.notCalled(err)
	}
	return err
}

// End lets others have their turn. It reports whether a place in the line is left,
// which whoever does not want it any more has to Forget.
func (p *Pass) End() (waits bool) {
	p.slow = nil // a pass that waits must not hold on to what the caller had
	return p.gate.end(p.who)
}

// Forget gives up the place in the line.
func (p *Pass) Forget() { p.gate.forget(p.who) }

// call makes a call within its time if it is the pass' turn.
func call[T any](ctx context.Context, p *Pass, operation string, timeout time.Duration, send func(context.Context) (T, error)) (T, error) {
	if err := p.Begin(); err != nil {
		var none T
		return none, err
	}
	if p.called {
		p.gate.line.Spend() // Begin took the first
	}
	p.called = true
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ctx, finish := p.metrics.calling(ctx, operation)
	sent := p.gate.clock.Now()
	answer, err := send(ctx)
	finish(err)
	p.metrics.called(operation, p.gate.clock.Since(sent), err)
	p.gate.leave(err)
	return answer, err
}

// ask makes a call that a factory in order answers at once.
func ask[T any](ctx context.Context, p *Pass, operation string, send func(context.Context) (T, error)) (T, error) {
	return call(ctx, p, operation, p.gate.patience(), func(sending context.Context) (T, error) {
		if p.slow == nil {
			return send(sending)
		}
		told := make(chan struct{})
		timer := time.AfterFunc(slowAfter, func() {
			defer close(told)
			p.slow(ctx)
		})
		answer, err := send(sending)
		if !timer.Stop() {
			<-told
		}
		return answer, err
	})
}

// UploadFile uploads a file. Its time grows with its size.
func (p *Pass) UploadFile(ctx context.Context, upload mistral.Upload) (*mistral.File, error) {
	timeout := callTimeout + time.Duration(upload.Size/minUploadBytesPerSecond)*time.Second
	return call(ctx, p, "UploadFile", timeout, func(ctx context.Context) (*mistral.File, error) {
		return p.client.UploadFile(ctx, upload)
	})
}

// ListFiles gives a page of the files that pass the filter.
func (p *Pass) ListFiles(ctx context.Context, filter mistral.FileFilter) (*mistral.FileList, error) {
	return ask(ctx, p, "ListFiles", func(ctx context.Context) (*mistral.FileList, error) {
		return p.client.ListFiles(ctx, filter)
	})
}

// DeleteFile deletes a file.
func (p *Pass) DeleteFile(ctx context.Context, id string) error {
	return p.delete(ctx, "DeleteFile", id, p.client.DeleteFile)
}

// CreateJob creates a job. Where the outcome is unknown, mistral.OutcomeUnknown says so.
func (p *Pass) CreateJob(ctx context.Context, request mistral.CreateJobRequest) (*mistral.Job, error) {
	return ask(ctx, p, "CreateJob", func(ctx context.Context) (*mistral.Job, error) {
		return p.client.CreateJob(ctx, request)
	})
}

// ListJobs gives a page of the jobs that pass the filter.
func (p *Pass) ListJobs(ctx context.Context, filter mistral.JobFilter) (*mistral.JobList, error) {
	return ask(ctx, p, "ListJobs", func(ctx context.Context) (*mistral.JobList, error) {
		return p.client.ListJobs(ctx, filter)
	})
}

// GetJob gives a job as it is now.
func (p *Pass) GetJob(ctx context.Context, id string) (*mistral.DetailedJob, error) {
	return p.job(ctx, "GetJob", id, p.client.GetJob)
}

// StartJob starts a validated job.
func (p *Pass) StartJob(ctx context.Context, id string) (*mistral.DetailedJob, error) {
	return p.job(ctx, "StartJob", id, p.client.StartJob)
}

// CancelJob asks for a job to be cancelled.
func (p *Pass) CancelJob(ctx context.Context, id string) (*mistral.DetailedJob, error) {
	return p.job(ctx, "CancelJob", id, p.client.CancelJob)
}

// job makes a call that answers with the job, and lets its watchers know.
func (p *Pass) job(ctx context.Context, operation, id string, send jobCall) (*mistral.DetailedJob, error) {
	asked := p.gate.clock.Now()
	job, err := p.askJob(ctx, operation, id, send)
	if err == nil {
		p.jobs.saw(id, job, asked)
	}
	return job, err
}

type jobCall func(ctx context.Context, id string) (*mistral.DetailedJob, error)

func (p *Pass) askJob(ctx context.Context, operation, id string, send jobCall) (*mistral.DetailedJob, error) {
	return ask(ctx, p, operation, func(ctx context.Context) (*mistral.DetailedJob, error) { return send(ctx, id) })
}

// DeleteModel deletes a fine-tuned model.
func (p *Pass) DeleteModel(ctx context.Context, id string) error {
	return p.delete(ctx, "DeleteModel", id, p.client.DeleteModel)
}

// CreateKey makes a key. Its value is in the answer alone.
func (p *Pass) CreateKey(ctx context.Context, request mistral.CreateKeyRequest) (*mistral.CreatedKey, error) {
	return ask(ctx, p, "CreateKey", func(ctx context.Context) (*mistral.CreatedKey, error) {
		return p.client.CreateKey(ctx, request)
	})
}

// ListKeys gives a page of the keys.
func (p *Pass) ListKeys(ctx context.Context, filter mistral.KeyFilter) (*mistral.KeyList, error) {
	return ask(ctx, p, "ListKeys", func(ctx context.Context) (*mistral.KeyList, error) {
		return p.client.ListKeys(ctx, filter)
	})
}

// RevokeKey revokes a key.
func (p *Pass) RevokeKey(ctx context.Context, id string) error {
	return p.delete(ctx, "RevokeKey", id, p.client.RevokeKey)
}

func (p *Pass) delete(ctx context.Context, operation, id string, send func(context.Context, string) error) error {
	_, err := ask(ctx, p, operation, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, send(ctx, id)
	})
	return err
}
