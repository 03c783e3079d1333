package factory

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// hasProcesses says whether the system tells of processes.
func hasProcesses() bool {
	_, err := os.Stat("/proc/self/stat")
	return err == nil
}

// processesOf has the children of a process, but for the tests' PostgreSQL.
func processesOf(parent int) (children []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		name, rest, _ := bytes.Cut(stat, []byte(") "))
		fields := bytes.Fields(rest) // from the state on
		if string(fields[1]) == strconv.Itoa(parent) && string(fields[0]) != "Z" && !bytes.HasSuffix(name, []byte("(postgres")) {
			children = append(children, pid)
		}
	}
	return children
}

// savedTraining waits until a job's training has been saved.
func (s *server) savedTraining(id string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		if saved, _ := filepath.Glob(filepath.Join(scratchIn(s.config.Directory), id+".*", "training.state")); len(saved) > 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	s.t.Fatal("no training was saved")
}

// savedIntents take the engine long enough to be saved on the way.
func savedIntents() string {
	var text strings.Builder
	for i := range 6000 {
		fmt.Fprintf(&text, `{"text": "row %d", "labels": {"intent": "label%d"}}`+"\n", i, i%2)
	}
	return text.String()
}

// resumedAt is the step at which a job's training went on; 0: it did not.
func resumedAt(job *mistral.DetailedJob) (step int64) {
	for _, event := range job.Events {
		var update mistral.StatusUpdate
		if json.Unmarshal(event.Data, &update) == nil && update.ResumedAtStep > 0 {
			step = update.ResumedAtStep
		}
	}
	return step
}

// TestTrainingGoesOn: a training whose process dies, or whose server closes or dies, goes on
// from what it has saved, and makes the model that it would have made.
func TestTrainingGoesOn(t *testing.T) {
	if !hasProcesses() {
		t.Skip("the system does not tell of processes")
	}
	for _, test := range []struct {
		reason    string
		interrupt func(s *server)
	}{
		{"its process is killed", func(*server) {
			for _, pid := range processesOf(os.Getpid()) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}},
		{"the server closes", func(s *server) {
			s.close()
			s.open()
		}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			s := startServer(t, nil)
			file := s.upload("rows.jsonl", savedIntents())
			twin := s.await(s.create(autoStart, file).ID, mistral.JobSuccess)
			job := s.create(autoStart, file)
			s.savedTraining(job.ID)
			test.interrupt(s)
			finished := s.await(job.ID, mistral.JobSuccess)
			step := resumedAt(finished)
			if step == 0 {
				t.Errorf("it began again: %s", events(finished))
			}
			if got, want := s.modelBytes(finished), s.modelBytes(twin); !bytes.Equal(got, want) {
				t.Errorf("the model of the training that went on at step %d is another one than that of one that was not interrupted", step)
			}
			if got, want := len(finished.Checkpoints), len(twin.Checkpoints); got != want {
				t.Errorf("%d checkpoints instead of %d", got, want)
			}
			s.requireNoScratch()
			t.Logf("went on at step %d of %d", step, *finished.Hyperparameters.TrainingSteps)
		})
	}
}

// modelBytes is the file of a job's model.
func (s *server) modelBytes(job *mistral.DetailedJob) []byte {
	s.t.Helper()
	model, err := s.factory.store.Model(s.t.Context(), "alice", *job.FineTunedModel)
	if err != nil {
		s.t.Fatal(err)
	}
	content, err := os.ReadFile(blobPath(s.config.Directory, model.Digest))
	if err != nil {
		s.t.Fatal(err)
	}
	return content
}

// TestTrainingsOfAProgramThatWasReplaced: an upgrade on the disk does not disturb the server
// that runs.
func TestTrainingsOfAProgramThatWasReplaced(t *testing.T) {
	if !hasProcesses() {
		t.Skip("the system does not keep a program that is removed")
	}
	v := &victim{t: t, program: buildFactory(t.Context(), t), at: Location{Directory: t.TempDir(), DatabaseURL: postgrestest.Chosen(t)}}
	client := v.start(t.Context())
	defer v.kill()
	if err := os.Remove(v.program); err != nil {
		t.Fatal(err)
	}
	file := uploadAs(t, client, "rows.jsonl", intents(100))
	job, err := client.CreateJob(t.Context(), mistral.CreateJobRequest{Model: DefaultBaseModel, JobType: mistral.JobTypeClassifier, AutoStart: true,
		TrainingFiles: []mistral.TrainingFile{{FileID: file.ID, Weight: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	for found := (&mistral.DetailedJob{}); found.Status != mistral.JobSuccess; time.Sleep(5 * time.Millisecond) {
		if found, err = client.GetJob(t.Context(), job.ID); err != nil || found.Status == mistral.JobFailed {
			t.Fatal(err, events(found))
		}
	}
}

// TestCancelledTrainingsEnd: a cancelled training's process and what it put aside are gone.
func TestCancelledTrainingsEnd(t *testing.T) {
	s := startServer(t, nil)
	job := s.create(autoStart, s.upload("rows.jsonl", savedIntents()))
	s.savedTraining(job.ID)
	if _, err := s.client("alice-key").CancelJob(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	s.await(job.ID, mistral.JobCancelled)
	if children := processesOf(os.Getpid()); len(children) > 0 {
		t.Errorf("processes %v are left", children)
	}
	s.requireNoScratch()
}

// requireNoScratch waits until nothing is left of trainings, which is soon after their end.
func (s *server) requireNoScratch() {
	s.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		left, err := os.ReadDir(scratchIn(s.config.Directory))
		if err == nil && len(left) == 0 {
			return
		}
		if err != nil || time.Now().After(deadline) {
			s.t.Errorf("the trainings left %v, %v", left, err)
			return
		}
	}
}

// TestTrainingsThatDoNotFit are refused before they are started, in bytes.
func TestTrainingsThatDoNotFit(t *testing.T) {
	s := startServer(t, func(c *Config) { c.TrainingMemory = 64 << 20 })
	job := s.create(autoStart, s.upload("rows.jsonl", intents(100)))
	refused := s.await(job.ID, mistral.JobFailedValidation)
	if story := events(refused); !strings.Contains(story, `"code":"OutOfMemory"`) || !strings.Contains(story, "bytes of memory; this server gives one 67108864.") {
		t.Error(story)
	}
}

func TestShareMemory(t *testing.T) {
	const mebibyte = 1 << 20
	for _, test := range []struct {
		reason                                         string
		there, given, workers, wantTraining, wantServe int64 // mebibytes
		problem                                        string
	}{
		{"half to a training", 2048, 0, 1, 1024, 1024, ""},
		{"which several share", 2048, 0, 4, 256, 1024, ""},
		{"the rest of what is given", 2048, 640, 2, 640, 768, ""},
		{"too little for the smallest", 200, 0, 1, 0, 0, "give the factory more memory"},
		{"too little is given", 2048, 10, 1, 0, 0, "needs 134217728 at least"},
		{"nothing left to serve with", 2048, 2000, 1, 0, 0, "leave less than 134217728"},
		{"nor beside several", 2048, 1024, 2, 0, 0, "2 trainings of 1073741824"},
		{"not known", 0, 0, 1, 0, 0, "it is not known how much memory there is"},
	} {
		got, err := shareMemory(test.there*mebibyte, test.given*mebibyte, test.workers)
		if test.problem != "" {
			if err == nil || !strings.Contains(err.Error(), test.problem) {
				t.Errorf("%s: %v", test.reason, err)
			}
			continue
		}
		if want := (Memory{Training: test.wantTraining * mebibyte, Serving: test.wantServe * mebibyte}); err != nil || got != want {
			t.Errorf("%s: %+v, %v instead of %+v", test.reason, got, err, want)
		}
	}
}
