package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const durationsCommand = "durations"

// timed is a job and what was said of how long it would take, in seconds.
type timed struct {
	timedJob
	train, valid string // files' IDs
	bytes        int
	fresh        float64 // by a dry run on a factory that has learnt nothing
	validated    float64 // by the job, once those before have been trained
	learnt       float64 // by a dry run, once all have been trained
	wall, cpu    float64 // of the process that trained
	peak         int64   // of its memory, in bytes
}

// measureDurations trains one job after the other with a factory of its own, and prints what
// was said of each beside what it took. What others do on the machine counts in the wall's
// seconds, and not in the processor's.
func measureDurations(ctx context.Context, factory string) error {
	if os.Getenv(dataVariable) == "" {
		_, err := fmt.Println("durations are not measured: " + dataVariable + " names no folder of data sets")
		return err
	}
	return withTimer(ctx, factory, func(t *timer) error { return t.measure(ctx) })
}

// withTimer has a factory of its own, which has trained nothing yet.
func withTimer(ctx context.Context, factory string, measure func(*timer) error) (err error) {
	directory, err := os.MkdirTemp("", "classifier-factory-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	log, err := os.Create(filepath.Join(directory, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	server, stop, err := startFactory(ctx, factory, filepath.Join(directory, "factory"), log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	client, err := mistral.NewClient(mistral.Config{BaseURL: server})
	if err != nil {
		return err
	}
	return measure(&timer{client: client, server: server, log: log.Name()})
}

// timer measures jobs with a factory.
type timer struct {
	client      *mistral.Client
	server, log string
	jobs        []*timed
}

func (t *timer) measure(ctx context.Context) (err error) {
	for _, job := range newTimedJobs() {
		j := &timed{timedJob: job}
		if err := t.upload(ctx, j); err != nil {
			return fmt.Errorf("%s: %w", job.name, err)
		}
		if j.fresh, err = t.dryRun(ctx, j); err != nil {
			return fmt.Errorf("%s: %w", job.name, err)
		}
		t.jobs = append(t.jobs, j)
	}
	for _, j := range t.jobs {
		if err := t.train(ctx, j); err != nil {
			return fmt.Errorf("%s: %w", j.name, err)
		}
	}
	for _, j := range t.jobs {
		if j.learnt, err = t.dryRun(ctx, j); err != nil {
			return fmt.Errorf("%s: %w", j.name, err)
		}
	}
	return t.print()
}

func (t *timer) upload(ctx context.Context, j *timed) error {
	train, valid, err := j.files(&sources{folder: os.Getenv(dataVariable)})
	if err != nil {
		return err
	}
	j.bytes = len(train)
	for _, file := range []struct {
		content []byte
		id      *string
	}{{train, &j.train}, {valid, &j.valid}} {
		if len(file.content) == 0 {
			continue
		}
		uploaded, err := t.client.UploadFile(ctx, mistral.Upload{Filename: "rows.jsonl", Content: bytes.NewReader(file.content), Size: int64(len(file.content))})
		if err != nil {
			return err
		}
		*file.id = uploaded.ID
	}
	return nil
}

func (t *timer) request(ctx context.Context, j *timed, path string, answer any) error {
	asked := map[string]any{
		"model": "ministral-3b-latest", "job_type": mistral.JobTypeClassifier, "auto_start": true, "hyperparameters": j.hyperparameters,
		"training_files": []map[string]any{{"file_id": j.train, "weight": 1}},
	}
	if j.hyperparameters == nil {
		asked["hyperparameters"] = map[string]any{}
	}
	if j.valid != "" {
		asked["validation_files"] = []string{j.valid}
	}
	body, err := json.Marshal(asked)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.server+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		told, _ := io.ReadAll(response.Body)
		return fmt.Errorf("%s: %s", response.Status, told)
	}
	return json.NewDecoder(response.Body).Decode(answer)
}

func (t *timer) dryRun(ctx context.Context, j *timed) (float64, error) {
	var answer mistral.LegacyJobMetadata
	if err := t.request(ctx, j, "/v1/fine_tuning/jobs?dry_run=true", &answer); err != nil {
		return 0, err
	}
	return float64(*answer.ExpectedDurationSeconds), nil
}

// train takes what the process took from the factory's log.
func (t *timer) train(ctx context.Context, j *timed) error {
	var created mistral.Job
	if err := t.request(ctx, j, "/v1/fine_tuning/jobs", &created); err != nil {
		return err
	}
	for {
		job, err := t.client.GetJob(ctx, created.ID)
		switch {
		case err != nil:
			return err
		case job.Status == mistral.JobSuccess:
			j.validated = float64(*job.Metadata.ExpectedDurationSeconds)
			if err = t.learnTaken(created.ID, j); err == nil {
				fmt.Fprintf(os.Stderr, "%s: %.0f s said, %.1f s of a processor\n", j.name, j.validated, j.cpu)
			}
			return err
		case job.Status.Finished():
			return fmt.Errorf("the training is %s", job.Status)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (t *timer) learnTaken(id string, j *timed) error {
	lines, err := os.ReadFile(t.log)
	if err != nil {
		return err
	}
	for line := range bytes.Lines(lines) {
		var entry struct {
			Job              string
			Seconds          float64
			ProcessorSeconds float64 `json:"processor_seconds"`
			PeakMemoryBytes  int64   `json:"peak_memory_bytes"`
		}
		if json.Unmarshal(line, &entry) == nil && entry.Job == id && entry.Seconds > 0 {
			j.wall, j.cpu, j.peak = entry.Seconds, entry.ProcessorSeconds, entry.PeakMemoryBytes
			return nil
		}
	}
	return errors.New("the factory's log does not say what the training took")
}

func (t *timer) print() error {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(out, "one training after the other, seconds\tfile, kB\tsaid by a fresh dry run\tby the job\tby a dry run after all\tof a processor\ton the clock")
	for _, j := range t.jobs {
		_, _ = fmt.Fprintf(out, "%s\t%d\t%.0f\t%.0f\t%.0f\t%.1f\t%.1f\n", j.name, j.bytes/1000, j.fresh, j.validated, j.learnt, j.cpu, j.wall)
	}
	// Seconds are said whole: of what takes less than one nothing can be said.
	long := slices.DeleteFunc(slices.Clone(t.jobs), func(j *timed) bool { return j.cpu < 1 })
	for _, took := range []struct {
		name string
		of   func(*timed) float64
	}{
		{"of a processor", func(j *timed) float64 { return j.cpu }},
		{"on the clock", func(j *timed) float64 { return j.wall }},
	} {
		_, _ = fmt.Fprintf(out, "within a factor of two of the time %s, of %d that take a second\t", took.name, len(long))
		for _, said := range []func(*timed) float64{
			func(j *timed) float64 { return j.fresh }, func(j *timed) float64 { return j.validated }, func(j *timed) float64 { return j.learnt },
		} {
			count := 0
			for _, j := range long {
				if factor := said(j) / took.of(j); factor >= 0.5 && factor <= 2 {
					count++
				}
			}
			_, _ = fmt.Fprintf(out, "\t%d", count)
		}
		_, _ = fmt.Fprintln(out, "\t\t")
	}
	return out.Flush()
}
