package factory

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const wandbKey = "canary-key-of-weights-and-biases-0123456789"

// reported asks for a job that is started and reported with a key.
func reported(key string) func(*mistral.CreateJobRequest) {
	return func(r *mistral.CreateJobRequest) {
		r.AutoStart = true
		r.Integrations = []mistral.Integration{{Type: "wandb", Project: "red", APIKey: key}}
	}
}

// awaitFailure polls a job of alice until an event says why it is not reported.
func (s *server) awaitFailure(id string) mistral.IntegrationFailure {
	s.t.Helper()
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		job, err := s.client("alice-key").GetJob(s.t.Context(), id)
		if err != nil {
			s.t.Fatal(err)
		}
		if failures := integrationFailures(s.t, job); len(failures) > 0 {
			if job.Integrations[0].Error == nil || *job.Integrations[0].Error != failures[0].Error {
				s.t.Errorf("the integration says %v, the event %q", job.Integrations[0].Error, failures[0].Error)
			}
			return failures[0]
		}
	}
	s.t.Fatal("no event says that the job is not reported")
	return mistral.IntegrationFailure{}
}

func integrationFailures(t testing.TB, job *mistral.DetailedJob) (failures []mistral.IntegrationFailure) {
	t.Helper()
	for _, event := range job.Events {
		if event.Name != mistral.EventIntegrationFailed {
			continue
		}
		var failure mistral.IntegrationFailure
		if err := json.Unmarshal(event.Data, &failure); err != nil {
			t.Fatal(err)
		}
		failures = append(failures, failure)
	}
	return failures
}

// TestReportToWandb holds a run to what its job says of itself.
func TestReportToWandb(t *testing.T) {
	w := startWandb(t)
	s := startServer(t, w.reportTo)
	job := s.create(reported(wandbKey), s.upload("intents.jsonl", intents(200)))
	if got := job.Integrations[0]; got.URL != nil || got.Error != nil {
		t.Errorf("the new job's integration: %+v", got)
	}
	done := s.await(job.ID, mistral.JobSuccess)
	run := w.awaitRun(job.ID+"-0", ended)
	if run.key != wandbKey || run.project != "red" || run.displayName != job.ID+"-0" || *run.exitCode != 0 || run.preempting {
		t.Errorf("run %+v", run)
	}
	if got := run.config["model"].Value; got != DefaultBaseModel {
		t.Errorf("configuration %v", run.config)
	}
	if got, want := done.Integrations[0].URL, w.http.URL+"/team/red/runs/"+job.ID+"-0"; got == nil || *got != want {
		t.Errorf("address %v, want %s", got, want)
	}
	if got := len(run.history); got != len(done.Checkpoints)+1 {
		t.Fatalf("%d lines of %d checkpoints and an evaluation", got, len(done.Checkpoints))
	}
	for i, line := range run.history[:len(done.Checkpoints)] {
		checkpoint := done.Checkpoints[len(done.Checkpoints)-1-i] // newest first
		if line["_step"] != float64(checkpoint.StepNumber) || line["train/loss"] != *checkpoint.Metrics.TrainLoss {
			t.Errorf("line %d is %v, the checkpoint %+v", i, line, checkpoint)
		}
		if loss := *checkpoint.Metrics.ValidLoss; loss != 0 && line["eval/eval_loss"] != loss {
			t.Errorf("line %d is %v, the loss %v", i, line, loss)
		}
	}
	measured := done.Evaluation.Targets[0].Metrics
	if got := run.summary["eval/intent/macro/f1"]; got != measured["f1_macro"] || run.summary["train/loss"] == nil {
		t.Errorf("summary %v, evaluation %v", run.summary, measured)
	}
	if failures := integrationFailures(t, done); len(failures) > 0 {
		t.Errorf("events: %+v", failures)
	}
}

// TestReportIsThereOnce although the server answers a request with an error that it has
// served: the same lines come again, at the same place.
func TestReportIsThereOnce(t *testing.T) {
	w := startWandb(t)
	failures := map[string]int{}
	w.set(func(answer http.ResponseWriter, r *http.Request, serve func()) bool {
		w.mutex.Lock()
		failures[r.URL.Path]++
		fails := failures[r.URL.Path] == 1
		w.mutex.Unlock()
		if fails {
			serve()
			answer.WriteHeader(http.StatusInternalServerError)
		}
		return fails
	})
	s := startServer(t, w.reportTo)
	job := s.create(reported(wandbKey), s.upload("intents.jsonl", intents(200)))
	done := s.await(job.ID, mistral.JobSuccess)
	run := w.awaitRun(job.ID+"-0", ended)
	if len(w.runs) != 1 || len(run.history) != len(done.Checkpoints)+1 {
		t.Errorf("%d runs, %d lines of %d checkpoints", len(w.runs), len(run.history), len(done.Checkpoints))
	}
	for i, line := range run.history[1:] {
		if line["_step"].(float64) <= run.history[i]["_step"].(float64) {
			t.Errorf("step %v after %v", line["_step"], run.history[i]["_step"])
		}
	}
}

// TestReportEnds as its job does, and begins before.
func TestReportEnds(t *testing.T) {
	w := startWandb(t)
	s := startServer(t, w.reportTo)
	job := s.create(reported(wandbKey), s.upload("slow.jsonl", slowIntents()))
	s.await(job.ID, mistral.JobRunning)
	w.awaitRun(job.ID+"-0", func(run *wandbRun) bool { return len(run.history) > 0 })
	if shown := s.await(job.ID, mistral.JobRunning); shown.Integrations[0].URL == nil {
		t.Error("a job that is reported has no address of its run")
	}
	if _, err := s.client("alice-key").CancelJob(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	s.await(job.ID, mistral.JobCancelled)
	if run := w.awaitRun(job.ID+"-0", ended); *run.exitCode != 255 {
		t.Errorf("the run of a cancelled job ended with %d", *run.exitCode)
	}
}

// TestReportsOfTenants go each with its own key.
func TestReportsOfTenants(t *testing.T) {
	w := startWandb(t)
	s := startServer(t, w.reportTo)
	jobs := map[string]*mistral.Job{}
	for _, tenant := range []string{"alice", "bob"} {
		client := s.client(tenant + "-key")
		request := mistral.CreateJobRequest{Model: DefaultBaseModel, JobType: mistral.JobTypeClassifier,
			TrainingFiles: []mistral.TrainingFile{{FileID: uploadAs(t, client, "intents.jsonl", intents(40)).ID, Weight: 1}}}
		reported(strings.Repeat(tenant, 16))(&request)
		name, runName := "name of "+tenant, "another"
		request.Integrations[0].Name, request.Integrations[0].RunName = &name, &runName
		request.Integrations = append(request.Integrations, mistral.Integration{Type: "wandb", Project: "blue", RunName: &runName, APIKey: strings.Repeat("second", 8)})
		job, err := client.CreateJob(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		jobs[tenant] = job
	}
	for tenant, job := range jobs {
		if run := w.awaitRun(job.ID+"-0", ended); run.key != strings.Repeat(tenant, 16) || run.displayName != "name of "+tenant {
			t.Errorf("run of %s: %+v", tenant, run)
		}
		if run := w.awaitRun(job.ID+"-1", ended); run.key != strings.Repeat("second", 8) || run.project != "blue" || run.displayName != "another" {
			t.Errorf("second run of %s: %+v", tenant, run)
		}
	}
}

// TestRefusedReport: the job is trained all the same, and says why it is not reported.
func TestRefusedReport(t *testing.T) {
	w := startWandb(t)
	s := startServer(t, w.reportTo)
	for _, test := range []struct {
		reason    string
		interfere func(http.ResponseWriter, *http.Request, func()) bool
		code      string
	}{
		{"a key that opens nothing", answering(http.StatusUnauthorized, ""), "KeyRefused"},
		{"a project of others", answering(http.StatusForbidden, ""), "KeyRefused"},
		{"an error of GraphQL", answering(http.StatusOK, `{"data":null,"errors":[{"message":"`+wandbKey+`"}]}`), "ReportRefused"},
		{"a name that leads elsewhere", answering(http.StatusOK,
			`{"data":{"upsertBucket":{"bucket":{"name":"..","project":{"name":"p","entity":{"name":"e"}}}}}}`), "ReportRefused"},
		{"no server of Weights & Biases", answering(http.StatusOK, "<html>"), "ReportRefused"},
		{"a redirect, which is not followed", func(answer http.ResponseWriter, r *http.Request, _ func()) bool {
			if r.URL.Path != "/graphql" {
				t.Errorf("the redirect was followed to %s", r.URL)
			}
			http.Redirect(answer, r, "/elsewhere", http.StatusTemporaryRedirect)
			return true
		}, "ReportRefused"},
		{"a refusal in the midst", func(answer http.ResponseWriter, r *http.Request, _ func()) bool {
			if r.URL.Path == "/graphql" {
				return false
			}
			answer.WriteHeader(http.StatusNotFound)
			return true
		}, "ReportRefused"},
	} {
		w.set(test.interfere)
		job := s.create(reported(wandbKey), s.upload("intents.jsonl", intents(40)))
		done := s.await(job.ID, mistral.JobSuccess)
		if failure := s.awaitFailure(job.ID); failure.Code != test.code || failure.Integration != 0 || strings.Contains(failure.Error, wandbKey) {
			t.Errorf("%s: %+v", test.reason, failure)
		}
		if done.FineTunedModel == nil {
			t.Errorf("%s: no model", test.reason)
		}
	}
}

func answering(status int, body string) func(http.ResponseWriter, *http.Request, func()) bool {
	return func(answer http.ResponseWriter, _ *http.Request, _ func()) bool {
		answer.WriteHeader(status)
		_, _ = answer.Write([]byte(body))
		return true
	}
}

// TestReportOfAFailure: the run of a job whose training failed has failed.
func TestReportOfAFailure(t *testing.T) {
	w := startWandb(t)
	s := startServer(t, w.reportTo)
	file := s.upload("intents.jsonl", intents(40))
	job := s.create(func(r *mistral.CreateJobRequest) { reported(wandbKey)(r); r.AutoStart = false }, file)
	s.await(job.ID, mistral.JobValidated)
	blob := s.blobPath(*file.SHA256)
	if err := os.WriteFile(blob, bytes.Repeat([]byte("x"), int(file.Bytes)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.client("alice-key").StartJob(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	failed := s.await(job.ID, mistral.JobFailed)
	if run := w.awaitRun(job.ID+"-0", ended); *run.exitCode != 1 {
		t.Errorf("the run of a failed job ended with %d", *run.exitCode)
	}
	if failed.Integrations[0].URL == nil {
		t.Error("the failed job has no address of its run")
	}
}

// TestReportWaitsForItsServer that is away for the whole training, which does not wait.
func TestReportWaitsForItsServer(t *testing.T) {
	w := startWandb(t)
	w.refuse(http.StatusServiceUnavailable)
	s := startServer(t, w.reportTo)
	job := s.create(reported(wandbKey), s.upload("intents.jsonl", intents(200)))
	done := s.await(job.ID, mistral.JobSuccess)
	if done.Integrations[0].URL != nil {
		t.Error("there is an address of a run that is not there")
	}
	w.set(nil)
	if run := w.awaitRun(job.ID+"-0", ended); len(run.history) != len(done.Checkpoints)+1 || *run.exitCode != 0 {
		t.Errorf("%d lines, exit code %d", len(run.history), *run.exitCode)
	}
	if again := s.await(job.ID, mistral.JobSuccess); again.Integrations[0].URL == nil || len(integrationFailures(t, again)) > 0 {
		t.Errorf("the job is %+v, %s", again.Integrations[0], events(again))
	}
}

// TestLostReport: who closes the factory does not wait for a server that is away.
func TestLostReport(t *testing.T) {
	w := startWandb(t)
	w.http.Close()
	s := startServer(t, w.reportTo)
	job := s.create(reported(wandbKey), s.upload("intents.jsonl", intents(40)))
	s.await(job.ID, mistral.JobSuccess)
	before := time.Now()
	s.close()
	if took := time.Since(before); took > 10*time.Second {
		t.Errorf("the factory took %v to close", took)
	}
	s.open()
	if failure := s.awaitFailure(job.ID); failure.Code != "ReportLost" {
		t.Errorf("event %+v", failure)
	}
}

// TestRestartLosesKeys: jobs are trained on, and say that nothing more is reported.
func TestRestartLosesKeys(t *testing.T) {
	w := startWandb(t)
	s := startServer(t, w.reportTo)
	waiting := s.create(func(r *mistral.CreateJobRequest) { reported(wandbKey)(r); r.AutoStart = false }, s.upload("intents.jsonl", intents(40)))
	s.await(waiting.ID, mistral.JobValidated)
	running := s.create(reported(wandbKey), s.upload("slow.jsonl", slowIntents()))
	w.awaitRun(running.ID+"-0", func(run *wandbRun) bool { return len(run.history) > 0 })

	s.close()
	w.awaitRun(running.ID+"-0", func(run *wandbRun) bool { return run.preempting })
	s.open()
	if _, err := s.client("alice-key").StartJob(t.Context(), waiting.ID); err != nil {
		t.Fatal(err)
	}
	lost := s.awaitFailure(running.ID)
	if lost.Code != "KeyLost" || !strings.Contains(lost.Error, "the run cannot be finished") {
		t.Errorf("a run was under way: %+v", lost)
	}
	s.await(running.ID, mistral.JobRunning) // on
	if _, err := s.client("alice-key").CancelJob(t.Context(), running.ID); err != nil {
		t.Fatal(err)
	}
	done := s.await(waiting.ID, mistral.JobSuccess)
	if failures := integrationFailures(t, done); len(failures) != 1 || failures[0].Code != "KeyLost" || !strings.Contains(failures[0].Error, "nothing of this training is reported") {
		t.Errorf("no run was begun: %+v", failures)
	}
	if run := w.awaitRun(running.ID+"-0", func(*wandbRun) bool { return true }); ended(&run) {
		t.Error("a run was finished whose key is lost")
	}
}

// TestRestartWithoutReports: the job that was promised a report is told that there is none.
func TestRestartWithoutReports(t *testing.T) {
	w := startWandb(t)
	s := startServer(t, w.reportTo)
	job := s.create(func(r *mistral.CreateJobRequest) { reported(wandbKey)(r); r.AutoStart = false }, s.upload("intents.jsonl", intents(40)))
	s.await(job.ID, mistral.JobValidated)
	s.close()
	s.config.WandbBaseURL = nil
	s.open()
	if _, err := s.client("alice-key").StartJob(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	if failure := s.awaitFailure(job.ID); failure.Code != "NotReported" {
		t.Errorf("event %+v", failure)
	}
	s.await(job.ID, mistral.JobSuccess)
}

// TestKeysOfReportsStayInMemory whatever the server answers, and as long as the job is
// there.
func TestKeysOfReportsStayInMemory(t *testing.T) {
	var log lockedBuffer
	w := startWandb(t)
	s := startServer(t, func(c *Config) {
		w.reportTo(c)
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	file := s.upload("intents.jsonl", intents(40))
	var answers strings.Builder
	look := func(id string) {
		for _, path := range []string{"/v1/fine_tuning/jobs", "/v1/fine_tuning/jobs/" + id, "/v1/models"} {
			_, body := s.request("GET", path, "")
			answers.WriteString(body)
		}
	}
	for _, status := range []int{http.StatusOK, http.StatusForbidden, http.StatusServiceUnavailable} {
		w.refuse(status)
		if status == http.StatusOK {
			w.set(nil)
		}
		job := s.create(reported(wandbKey), file)
		look(job.ID)
		s.await(job.ID, mistral.JobSuccess)
		if status == http.StatusForbidden {
			s.awaitFailure(job.ID)
		}
		look(job.ID)
	}
	searchFor(t, s.config.Directory, wandbKey)
	s.close()
	searchFor(t, s.config.Directory, wandbKey)
	s.open()
	if strings.Contains(log.String(), wandbKey) || strings.Contains(answers.String(), wandbKey) {
		t.Error("the key is logged or answered")
	}
	if !strings.Contains(log.String(), "report to Weights & Biases not sent") {
		t.Error("the log does not say that a report was lost")
	}
}

// TestTooManyIntegrations: each is a connection of the server's.
func TestTooManyIntegrations(t *testing.T) {
	s := startServer(t, nil)
	file := s.upload("intents.jsonl", intents(20)).ID
	integration := `{"project": "p", "api_key": "` + wandbKey + `"}`
	for number, want := range map[int]int{10: 200, 11: 422} {
		status, body := s.request("POST", "/v1/fine_tuning/jobs", `{"model": "ministral-3b-latest", "training_files": ["`+file+`"], "suffix": "`+strconv.Itoa(number)+`",
			"integrations": [`+strings.Repeat(integration+",", number-1)+integration+`]}`)
		if status != want {
			t.Errorf("%d integrations: %d %s", number, status, body)
		}
	}
}
