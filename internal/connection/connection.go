package connection

import (
	"context"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	callTimeout = 30 * time.Second
	// An upload may be slow, but slower than this it is stuck.
	minUploadBytesPerSecond = 256 << 10
)

// Connection is how one factory is spoken to with one key. Each method makes one
// call, or none and returns a ClosedError.
type Connection struct {
	id      string
	url     string
	client  *mistral.Client
	gate    gate
	metrics *metrics
	jobs    *poller
	models  inventory[Models]
	files   inventory[Files]
	got     time.Time // last from the pool, whose lock guards it
}

// ID tells connections of this process apart. It is made of nothing secret.
func (c *Connection) ID() string { return c.id }

// URL is the factory's address.
func (c *Connection) URL() string { return c.url }

// call makes a call within its time if the gate lets it through.
func call[T any](ctx context.Context, c *Connection, operation string, timeout time.Duration, send func(context.Context) (T, error)) (T, error) {
	if err := c.gate.enter(); err != nil {
		c.metrics.notCalled(err)
		var none T
		return none, err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	sent := c.gate.clock.Now()
	answer, err := send(ctx)
	c.metrics.called(operation, c.gate.clock.Since(sent), err)
	c.gate.leave(err)
	return answer, err
}

// UploadFile uploads a file. Its time grows with its size.
func (c *Connection) UploadFile(ctx context.Context, upload mistral.Upload) (*mistral.File, error) {
	timeout := callTimeout + time.Duration(upload.Size/minUploadBytesPerSecond)*time.Second
	return call(ctx, c, "UploadFile", timeout, func(ctx context.Context) (*mistral.File, error) {
		return c.client.UploadFile(ctx, upload)
	})
}

// ListFiles gives a page of the files that pass the filter.
func (c *Connection) ListFiles(ctx context.Context, filter mistral.FileFilter) (*mistral.FileList, error) {
	return call(ctx, c, "ListFiles", callTimeout, func(ctx context.Context) (*mistral.FileList, error) {
		return c.client.ListFiles(ctx, filter)
	})
}

// DeleteFile deletes a file.
func (c *Connection) DeleteFile(ctx context.Context, id string) error {
	return c.delete(ctx, "DeleteFile", id, c.client.DeleteFile)
}

// CreateJob creates a job. Where the outcome is unknown, mistral.OutcomeUnknown says so.
func (c *Connection) CreateJob(ctx context.Context, request mistral.CreateJobRequest) (*mistral.Job, error) {
	return call(ctx, c, "CreateJob", callTimeout, func(ctx context.Context) (*mistral.Job, error) {
		return c.client.CreateJob(ctx, request)
	})
}

// ListJobs gives a page of the jobs that pass the filter.
func (c *Connection) ListJobs(ctx context.Context, filter mistral.JobFilter) (*mistral.JobList, error) {
	return call(ctx, c, "ListJobs", callTimeout, func(ctx context.Context) (*mistral.JobList, error) {
		return c.client.ListJobs(ctx, filter)
	})
}

// GetJob gives a job as it is now.
func (c *Connection) GetJob(ctx context.Context, id string) (*mistral.DetailedJob, error) {
	return c.job(ctx, "GetJob", id, c.client.GetJob)
}

// StartJob starts a validated job.
func (c *Connection) StartJob(ctx context.Context, id string) (*mistral.DetailedJob, error) {
	return c.job(ctx, "StartJob", id, c.client.StartJob)
}

// CancelJob asks for a job to be cancelled.
func (c *Connection) CancelJob(ctx context.Context, id string) (*mistral.DetailedJob, error) {
	return c.job(ctx, "CancelJob", id, c.client.CancelJob)
}

// job makes a call that answers with the job, and lets its watchers know.
func (c *Connection) job(ctx context.Context, operation, id string, send jobCall) (*mistral.DetailedJob, error) {
	asked := c.gate.clock.Now()
	job, err := c.callJob(ctx, operation, id, send)
	if err == nil {
		c.jobs.saw(id, job, asked)
	}
	return job, err
}

type jobCall func(ctx context.Context, id string) (*mistral.DetailedJob, error)

func (c *Connection) callJob(ctx context.Context, operation, id string, send jobCall) (*mistral.DetailedJob, error) {
	return call(ctx, c, operation, callTimeout, func(ctx context.Context) (*mistral.DetailedJob, error) {
		return send(ctx, id)
	})
}

// DeleteModel deletes a fine-tuned model.
func (c *Connection) DeleteModel(ctx context.Context, id string) error {
	return c.delete(ctx, "DeleteModel", id, c.client.DeleteModel)
}

func (c *Connection) delete(ctx context.Context, operation, id string, send func(context.Context, string) error) error {
	_, err := call(ctx, c, operation, callTimeout, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, send(ctx, id)
	})
	return err
}

// WatchJob gives the last that is known of a job, which must not be altered:
// nothing at first. From then on, until UnwatchJob returns, changed is called
// whenever there is news, whoever's call brought it. It must return at once, and
// not use the connection. The error is the last one in asking the factory; a job
// that it does not have is a mistral.IsNotFound error.
func (c *Connection) WatchJob(id string, watcher any, changed func()) (*mistral.DetailedJob, error) {
	return c.jobs.watch(id, watcher, changed)
}

// UnwatchJob ends the watching of a job by a watcher.
func (c *Connection) UnwatchJob(id string, watcher any) { c.jobs.unwatch(id, watcher) }

// Open says, without making a call, whether one could be made now. The error is
// a ClosedError.
func (c *Connection) Open() error { return c.gate.ready() }
