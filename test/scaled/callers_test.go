package scaled

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// caller asks servers, any of them each time, and has noted what he asked and was told.
type caller struct {
	*members
	history *history
	tenant  string
	number  int
	random  *rand.Rand
}

func (m *members) caller(h *history, tenant string, number int) *caller {
	return &caller{m, h, tenant, number, rand.New(rand.NewPCG(2, uint64(number)))}
}

// errLost says that nobody knows what became of a request: it may be repeated.
var errLost = errors.New("there was no answer")

// answerPatience is how long an answer is waited for. A stopped server gives it later, to nobody.
const answerPatience = 5 * time.Second

// ask makes a request, and notes it in the lives of things.
func (c *caller) ask(request func(ctx context.Context, client *mistral.Client) error) (called int64, out answer, err error) {
	ctx, stop := context.WithTimeout(c.t.Context(), answerPatience)
	defer stop()
	client := c.client(c.servers[c.random.IntN(len(c.servers))], c.tenant)
	called = c.history.now()
	err = request(ctx, client)
	var failed *mistral.Error
	switch {
	case err == nil:
		return called, answer{outcome: done}, nil
	case mistral.IsNotFound(err), mistral.IsInvalid(err):
		return called, answer{outcome: missing}, err
	case mistral.IsConflict(err):
		return called, answer{outcome: refused}, err
	case errors.As(err, &failed) && failed.StatusCode >= 400 && failed.StatusCode < 500 && !failed.OutcomeUnknown:
		c.t.Errorf("a refusal that nobody has reason to expect: %v", err)
		return called, answer{outcome: refused}, err
	}
	return called, answer{outcome: lost}, errors.Join(errLost, err)
}

// persist repeats a request whose answer is lost, until the end.
func persist[T any](deadline time.Time, request func() (T, error)) (T, error) {
	for {
		got, err := request()
		if !errors.Is(err, errLost) || time.Now().After(deadline) {
			return got, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func fileThing(tenant, name string) string { return "file " + name + " of " + tenant }

func (c *caller) upload(name, content string) (file *mistral.File, err error) {
	called, out, err := c.ask(func(ctx context.Context, client *mistral.Client) (err error) {
		file, err = uploadTo(ctx, client, name, content)
		return err
	})
	if err == nil {
		out.file = file.ID
	}
	c.history.add(fileThing(c.tenant, name), c.number, asked{verb: upload}, called, out)
	return file, err
}

func (c *caller) getFile(name, id string) error {
	called, out, err := c.ask(func(ctx context.Context, client *mistral.Client) error {
		_, err := client.GetFile(ctx, id)
		return err
	})
	c.history.add(fileThing(c.tenant, name), c.number, asked{use, id}, called, out)
	return err
}

// download fails the test if it is answered with other bytes than those that were uploaded.
func (c *caller) download(name, id, want string) error {
	called, out, err := c.ask(func(ctx context.Context, client *mistral.Client) error {
		content, err := client.DownloadFile(ctx, id)
		if err != nil {
			return err
		}
		defer content.Close()
		got, err := io.ReadAll(content)
		if err == nil && string(got) != want {
			c.t.Errorf("the file %s has other bytes: %d of them", id, len(got))
		}
		return err
	})
	c.history.add(fileThing(c.tenant, name), c.number, asked{use, id}, called, out)
	return err
}

func (c *caller) deleteFile(name, id string) error {
	called, out, err := c.ask(func(ctx context.Context, client *mistral.Client) error { return client.DeleteFile(ctx, id) })
	c.history.add(fileThing(c.tenant, name), c.number, asked{remove, id}, called, out)
	return err
}

func jobThing(id string) string { return "job " + id }

// createJob is also a look at the job's file.
func (c *caller) createJob(name, file string, job mistral.CreateJobRequest) (id string, err error) {
	var created *mistral.Job
	called, out, err := c.ask(func(ctx context.Context, client *mistral.Client) (err error) {
		created, err = client.CreateJob(ctx, job)
		return err
	})
	if out.outcome != refused {
		c.history.add(fileThing(c.tenant, name), c.number, asked{use, file}, called, out)
	}
	if err != nil {
		return "", err
	}
	out.life = string(created.Status)
	c.history.add(jobThing(created.ID), c.number, asked{verb: use}, called, out)
	return created.ID, nil
}

// findJob is the newest job of a suffix.
func (c *caller) findJob(suffix string) (id string, err error) {
	_, _, err = c.ask(func(ctx context.Context, client *mistral.Client) error {
		found, err := client.ListJobs(ctx, mistral.JobFilter{Suffix: suffix})
		if err == nil && len(found.Data) > 0 {
			id = found.Data[0].ID
		}
		return err
	})
	return id, err
}

// tellJob asks for a job, or to do something with it.
func (c *caller) tellJob(verb, id string) (job *mistral.DetailedJob, err error) {
	called, out, err := c.ask(func(ctx context.Context, client *mistral.Client) (err error) {
		switch verb {
		case start:
			job, err = client.StartJob(ctx, id)
		case cancel:
			job, err = client.CancelJob(ctx, id)
		default:
			job, err = client.GetJob(ctx, id)
		}
		return err
	})
	if err == nil {
		out.life = lifeOf(job)
	}
	c.history.add(jobThing(id), c.number, asked{verb: verb}, called, out)
	return job, err
}

func modelThing(id string) string { return "model " + id }

// tellModel asks for a model, or to do something with it.
func (c *caller) tellModel(verb, id string) error {
	archived := false
	called, out, err := c.ask(func(ctx context.Context, client *mistral.Client) error {
		switch verb {
		case archive:
			_, err := client.ArchiveModel(ctx, id)
			return err
		case unarchive:
			_, err := client.UnarchiveModel(ctx, id)
			return err
		case remove:
			return client.DeleteModel(ctx, id)
		}
		model, err := client.GetModel(ctx, id)
		archived = err == nil && model.Archived != nil && *model.Archived
		return err
	})
	out.archived = archived
	c.history.add(modelThing(id), c.number, asked{verb: verb}, called, out)
	return err
}

// classify may be answered as of a second before: a server knows models for so long that another
// may have changed. While PostgreSQL is away, it goes on with what it knew before.
func (c *caller) classify(id, text string) error {
	called, out, err := c.ask(func(ctx context.Context, client *mistral.Client) error {
		_, err := client.Classify(ctx, mistral.ClassifyRequest{Model: id, Input: []string{text}})
		return err
	})
	if mistral.IsNotFound(err) { // what is unknown is a 400
		out.outcome = refused
	}
	c.history.add(modelThing(id), c.number, asked{verb: classify}, c.history.knownSince(called), out)
	return err
}

// rows are of two labels. The more there are, the longer a training takes.
func rows(number int, tenant string) string {
	var text strings.Builder
	for i := range number {
		fmt.Fprintf(&text, `{"text": "row %d of %s", "labels": {"intent": "label%d"}}`+"\n", i, tenant, i%2)
	}
	return text.String()
}

func uploadTo(ctx context.Context, client *mistral.Client, name, content string) (*mistral.File, error) {
	return client.UploadFile(ctx, mistral.Upload{Filename: name, Content: strings.NewReader(content), Size: int64(len(content))})
}

func jobOf(file, suffix string) mistral.CreateJobRequest {
	return mistral.CreateJobRequest{Model: factory.DefaultBaseModel, JobType: mistral.JobTypeClassifier, AutoStart: true, Suffix: &suffix,
		TrainingFiles: []mistral.TrainingFile{{FileID: file, Weight: 1}}}
}
