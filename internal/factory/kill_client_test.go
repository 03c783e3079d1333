package factory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// killClient remembers what it was told, and nothing of what it was not.
type killClient struct {
	t      *testing.T
	number int
	random *rand.Rand
	names  int

	files  map[string]string     // content by ID
	jobs   map[string]*killedJob // by ID
	models map[string]string     // answer to the same text by ID; empty: not asked yet
	gone   map[string]bool       // IDs whose deletion was acknowledged

	uploads, starts, classifications, cancellations int
}

type killedJob struct {
	status        mistral.JobStatus // seen last
	started       bool              // acknowledged
	mayBeCanceled bool              // asked for
	cancelled     bool              // acknowledged
}

func newKillClient(t *testing.T, number int) *killClient {
	return &killClient{
		t: t, number: number, random: rand.New(rand.NewPCG(uint64(number), 1)),
		files: map[string]string{}, jobs: map[string]*killedJob{}, models: map[string]string{}, gone: map[string]bool{},
	}
}

// live checks everything and does one thing after the other, until the server is gone.
func (c *killClient) live(ctx context.Context, client *mistral.Client) {
	for err := c.checkAll(ctx, client); err == nil; {
		err = c.act(ctx, client)
		var answer *mistral.Error
		if errors.As(err, &answer) && answer.StatusCode != 0 && answer.StatusCode != 200 { // 200: cut off in its body
			c.t.Errorf("client %d: %v", c.number, err)
		}
	}
}

// act does what there is to do, by chance.
func (c *killClient) act(ctx context.Context, client *mistral.Client) error {
	unfinished := c.unfinished()
	switch chance := c.random.IntN(100); {
	case len(c.files) < 3 || chance < 5:
		return c.upload(ctx, client)
	case len(unfinished) < 4 || chance < 7:
		return c.create(ctx, client)
	case len(c.models) > 5 || chance < 15 && len(c.models) > 0:
		return c.deleteModel(ctx, client, c.any(slices.Collect(maps.Keys(c.models))))
	case len(c.files) > 6 || chance < 20:
		return c.deleteFile(ctx, client, c.any(slices.Collect(maps.Keys(c.files))))
	case chance < 50 && len(c.models) > 0:
		return c.classify(ctx, client, c.any(slices.Collect(maps.Keys(c.models))))
	}
	return c.promote(ctx, client, c.any(unfinished))
}

// any picks one of the IDs; their order is that of a map.
func (c *killClient) any(ids []string) string {
	slices.Sort(ids)
	return ids[c.random.IntN(len(ids))]
}

func (c *killClient) unfinished() []string {
	var ids []string
	for id, job := range c.jobs {
		if !job.status.Finished() {
			ids = append(ids, id)
		}
	}
	return ids
}

func (c *killClient) upload(ctx context.Context, client *mistral.Client) error {
	c.names++
	content := intents(12) + fmt.Sprintf(`{"text": "lamp %d of %d", "labels": {"intent": "light"}}`+"\n", c.names, c.number)
	file, err := client.UploadFile(ctx, mistral.Upload{
		Filename: fmt.Sprintf("%d-%d.jsonl", c.number, c.names), Content: strings.NewReader(content), Size: int64(len(content))})
	if err != nil {
		return err
	}
	c.files[file.ID] = content
	c.uploads++
	return nil
}

func (c *killClient) create(ctx context.Context, client *mistral.Client) error {
	c.names++
	suffix := fmt.Sprintf("%d-%d", c.number, c.names)
	job, err := client.CreateJob(ctx, mistral.CreateJobRequest{
		Model: DefaultBaseModel, JobType: mistral.JobTypeClassifier, Suffix: &suffix, AutoStart: c.random.IntN(2) == 0,
		TrainingFiles: []mistral.TrainingFile{{FileID: c.any(slices.Collect(maps.Keys(c.files))), Weight: 1}},
	})
	if err != nil {
		return err
	}
	c.jobs[job.ID] = &killedJob{status: job.Status}
	return nil
}

// promote looks how far a job is and takes it further.
func (c *killClient) promote(ctx context.Context, client *mistral.Client, id string) error {
	job, err := client.GetJob(ctx, id)
	if err != nil {
		return err
	}
	c.see(&job.Job)
	if job.Status == mistral.JobSuccess && !c.gone[*job.FineTunedModel] {
		c.models[*job.FineTunedModel] = ""
	}
	switch {
	case job.Status.Finished():
		return nil
	case c.random.IntN(500) == 0:
		return c.cancel(ctx, client, id)
	case job.Status == mistral.JobValidated && !job.AutoStart:
		if _, err := client.StartJob(ctx, id); err != nil {
			return err
		}
		c.jobs[id].started = true
		c.starts++
	}
	return nil
}

func (c *killClient) cancel(ctx context.Context, client *mistral.Client, id string) error {
	c.jobs[id].mayBeCanceled = true
	job, err := client.CancelJob(ctx, id)
	if err != nil {
		return err
	}
	c.jobs[id].cancelled = !job.Status.Finished() || job.Status == mistral.JobCancelled // success may have come first
	c.see(&job.Job)
	c.cancellations++
	return nil
}

// see compares a job with what was acknowledged of it.
func (c *killClient) see(job *mistral.Job) {
	known := c.jobs[job.ID]
	isEnding := job.Status == mistral.JobCancelled || job.Status == mistral.JobCancellationRequested
	switch {
	case known.status.Finished() && job.Status != known.status:
		c.t.Errorf("job %s was %s and is %s", job.ID, known.status, job.Status)
	case known.cancelled && !isEnding:
		c.t.Errorf("job %s is %s although it was cancelled", job.ID, job.Status)
	case isEnding && !known.mayBeCanceled:
		c.t.Errorf("job %s is %s, and nobody asked for that", job.ID, job.Status)
	case known.started && (job.Status == mistral.JobValidated || job.Status == mistral.JobValidating):
		c.t.Errorf("job %s is %s although it was started", job.ID, job.Status)
	case job.Status == mistral.JobFailedValidation:
		c.t.Errorf("job %s failed validation", job.ID)
	}
	known.status = job.Status
}

func (c *killClient) classify(ctx context.Context, client *mistral.Client, id string) error {
	answer, err := client.Classify(ctx, mistral.ClassifyRequest{Model: id, Input: []string{"switch on a song"}})
	if err != nil {
		return err
	}
	result := fmt.Sprint(answer.Results)
	if before := c.models[id]; before != "" && before != result {
		c.t.Errorf("model %s says %s instead of %s", id, result, before)
	}
	c.models[id] = result
	c.classifications++
	return nil
}

// deleteFile forgets the file first: without an answer it may be there or not.
func (c *killClient) deleteFile(ctx context.Context, client *mistral.Client, id string) error {
	delete(c.files, id)
	if err := client.DeleteFile(ctx, id); err != nil {
		return err
	}
	c.gone[id] = true
	return nil
}

func (c *killClient) deleteModel(ctx context.Context, client *mistral.Client, id string) error {
	delete(c.models, id)
	if err := client.DeleteModel(ctx, id); err != nil {
		return err
	}
	c.gone[id] = true
	return nil
}

// checkAll compares the lists with what was acknowledged.
func (c *killClient) checkAll(ctx context.Context, client *mistral.Client) error {
	listed := map[string]bool{}
	for page := 0; ; page++ {
		files, err := client.ListFiles(ctx, mistral.FileFilter{Page: page, PageSize: 1000})
		if err != nil {
			return err
		}
		for _, file := range files.Data {
			listed[file.ID] = true
		}
		if len(files.Data) < 1000 {
			break
		}
	}
	models, err := client.ListModels(ctx)
	if err != nil {
		return err
	}
	for _, model := range models.Data {
		listed[model.ID] = true
	}
	for page := 0; ; page++ {
		jobs, err := client.ListJobs(ctx, mistral.JobFilter{Page: page, PageSize: 1000})
		if err != nil {
			return err
		}
		for _, job := range jobs.Data {
			listed[job.ID] = true
			if c.jobs[job.ID] != nil {
				c.see(&job)
			}
		}
		if len(jobs.Data) < 1000 {
			break
		}
	}
	for id := range c.gone {
		if listed[id] {
			c.t.Errorf("%s is there although it was deleted", id)
		}
	}
	for _, acknowledged := range [][]string{slices.Collect(maps.Keys(c.files)), slices.Collect(maps.Keys(c.jobs)), slices.Collect(maps.Keys(c.models))} {
		for _, id := range acknowledged {
			if !listed[id] {
				c.t.Errorf("%s is lost", id)
			}
		}
	}
	return nil
}

// finish brings every job to its end and reads everything again.
func (c *killClient) finish(ctx context.Context, client *mistral.Client) {
	must := func(err error) {
		c.t.Helper()
		if err != nil {
			c.t.Fatal(err)
		}
	}
	must(c.checkAll(ctx, client))
	for _, id := range c.unfinished() {
		for !c.jobs[id].status.Finished() {
			must(c.promote(ctx, client, id))
			time.Sleep(time.Millisecond)
		}
	}
	for id, job := range c.jobs {
		if job.status == mistral.JobFailed {
			found, err := client.GetJob(ctx, id)
			must(err)
			if !strings.Contains(events(found), "The server stopped 3 times") && !strings.Contains(events(found), "The process that trained this job died 3 times") {
				c.t.Errorf("job %s: %s", id, events(found))
			}
		}
	}
	for id, content := range c.files {
		download, err := client.DownloadFile(ctx, id)
		must(err)
		got, err := io.ReadAll(download)
		must(errors.Join(err, download.Close()))
		if string(got) != content {
			c.t.Errorf("file %s has %d bytes of %d", id, len(got), len(content))
		}
	}
	for id := range c.models {
		must(c.classify(ctx, client, id))
	}
}

// killTally is what was acknowledged to all clients.
type killTally struct {
	Uploads, Starts, Classifications, Cancellations, Deletions, Files, Models int
	Jobs                                                                      map[mistral.JobStatus]int
}

func (t *killTally) add(c *killClient) {
	t.Uploads += c.uploads
	t.Starts += c.starts
	t.Classifications += c.classifications
	t.Cancellations += c.cancellations
	t.Deletions += len(c.gone)
	t.Files += len(c.files)
	t.Models += len(c.models)
	if t.Jobs == nil {
		t.Jobs = map[mistral.JobStatus]int{}
	}
	for _, job := range c.jobs {
		t.Jobs[job.status]++
	}
}
