package factory

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func decode(t *testing.T, text string, value any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

func TestJobLife(t *testing.T) {
	s := startServer(t, nil)
	client := s.client("alice-key")
	created := s.create(func(r *mistral.CreateJobRequest) {
		suffix := "marker"
		r.Suffix = &suffix
		r.Hyperparameters.TrainingSteps = new(int64)
		*r.Hyperparameters.TrainingSteps = 20
	}, s.upload("intents.jsonl", intents(60)))
	if created.Status != mistral.JobQueued || created.ModifiedAt == 0 {
		t.Errorf("created %+v", created)
	}

	validated := s.await(created.ID, mistral.JobValidated)
	metadata := validated.Metadata
	if *metadata.Cost != 0 || *metadata.CostCurrency != "EUR" || *metadata.TrainTokens != 20*65536 || *metadata.DataTokens == 0 ||
		*metadata.ExpectedDurationSeconds == 0 || *validated.Hyperparameters.Epochs == 0 {
		t.Errorf("metadata %+v", metadata)
	}
	want := mistral.ClassifierTarget{Name: "intent", Labels: []string{"light", "music"}, Weight: 1, LossFunction: mistral.LossSingleClass}
	if got := validated.ClassifierTargets; len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(want) {
		t.Errorf("inferred targets %+v", got)
	}

	if _, err := client.StartJob(t.Context(), created.ID); err != nil {
		t.Fatal(err)
	}
	done := s.await(created.ID, mistral.JobSuccess)
	if got, want := statuses(done), "QUEUED VALIDATING VALIDATED RUNNING SUCCESS"; got != want {
		t.Errorf("events %q, want %q: start has none", got, want)
	}
	id := fmt.Sprintf("ft:classifier:%s:%s:%s:marker:%s", DefaultBaseModel, store.WorkspaceID("alice")[:8],
		time.Unix(done.CreatedAt, 0).UTC().Format("20060102"), done.ID[:8])
	if *done.FineTunedModel != id {
		t.Errorf("model %s, want %s", *done.FineTunedModel, id)
	}
	if *done.TrainedTokens == 0 || len(done.Checkpoints) == 0 || done.Checkpoints[0].StepNumber != 20 || done.Checkpoints[0].Metrics.ValidLoss == nil {
		t.Errorf("trained tokens %v, checkpoints %+v; want the last step first and evaluated", *done.TrainedTokens, done.Checkpoints)
	}
	for _, checkpoint := range done.Checkpoints {
		// Losses that were not measured are 0, not null: the vendor's notebooks draw those that are not 0.
		if metrics := checkpoint.Metrics; metrics.TrainLoss == nil || metrics.ValidLoss == nil || metrics.ValidMeanTokenAccuracy == nil {
			t.Errorf("step %d has %+v", checkpoint.StepNumber, metrics)
		}
	}

	again, err := client.CancelJob(t.Context(), created.ID)
	if err != nil || again.Status != mistral.JobSuccess {
		t.Errorf("cancelling a finished job: %v, %v; want it as it is", again, err)
	}
}

func TestStartInAnotherState(t *testing.T) {
	s := startServer(t, nil)
	job := s.create(nil, s.upload("intents.jsonl", intents(20)))
	s.await(job.ID, mistral.JobValidated)
	if _, err := s.client("alice-key").CancelJob(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	status, body := s.request("POST", "/v1/fine_tuning/jobs/"+job.ID+"/start", "")
	if status != http.StatusConflict || !strings.HasPrefix(body, `{"detail":"The job is CANCELLED`) {
		t.Errorf("%d %s", status, body)
	}
}

func TestUnknownJob(t *testing.T) {
	s := startServer(t, nil)
	for _, test := range []struct{ method, path string }{
		{"GET", "/v1/fine_tuning/jobs/unknown"},
		{"POST", "/v1/fine_tuning/jobs/unknown/start"},
		{"POST", "/v1/fine_tuning/jobs/unknown/cancel"},
	} {
		status, body := s.request(test.method, test.path, "")
		if status != http.StatusNotFound || body != `{"detail":"No fine tuning job matches the given query."}` {
			t.Errorf("%s %s: %d %s", test.method, test.path, status, body)
		}
	}
}

func TestCancelWhileRunning(t *testing.T) {
	s := startServer(t, nil)
	file := s.upload("slow.jsonl", slowIntents())
	running := s.create(autoStart, file)
	s.await(running.ID, mistral.JobRunning)
	waiting := s.create(nil, s.upload("intents.jsonl", intents(20)))
	client := s.client("alice-key")
	if err := client.DeleteFile(t.Context(), file.ID); err != nil {
		t.Fatal(err)
	}
	if len(blobNames(t, s)) != 2 {
		t.Error("a running job lost its file")
	}

	if _, err := client.CancelJob(t.Context(), running.ID); err != nil {
		t.Fatal(err)
	}
	cancelled := s.await(running.ID, mistral.JobCancelled)
	if got, want := statuses(cancelled), "QUEUED VALIDATING VALIDATED RUNNING CANCELLATION_REQUESTED CANCELLED"; got != want {
		t.Errorf("events %q, want %q", got, want)
	}
	if cancelled.FineTunedModel != nil {
		t.Error("a cancelled job has a model")
	}
	s.await(waiting.ID, mistral.JobValidated) // the worker is free again, and has cleaned up
	if left := blobNames(t, s); len(left) != 1 {
		t.Errorf("%d blobs, want only that of the other job", len(left))
	}
}

// TestStartIsAnsweredAsItWas: who starts a job is told that it is queued, whatever others do with it
// meanwhile.
func TestStartIsAnsweredAsItWas(t *testing.T) {
	s := startServer(t, nil)
	file := s.upload("intents.jsonl", intents(20))
	client := s.client("alice-key")
	for i := range 20 {
		job := s.create(func(r *mistral.CreateJobRequest) { r.Suffix = new(strconv.Itoa(i)) }, file)
		s.await(job.ID, mistral.JobValidated)
		var both sync.WaitGroup
		both.Go(func() {
			started, err := client.StartJob(t.Context(), job.ID)
			if err != nil && !mistral.IsConflict(err) {
				t.Error(err)
			}
			if err == nil && started.Status != mistral.JobQueued {
				t.Errorf("it is %s", started.Status)
			}
		})
		both.Go(func() {
			if _, err := client.CancelJob(t.Context(), job.ID); err != nil {
				t.Error(err)
			}
		})
		both.Wait()
	}
}

func TestCancelWhileWaiting(t *testing.T) {
	s := startServer(t, nil)
	job := s.create(nil, s.upload("intents.jsonl", intents(20)))
	s.await(job.ID, mistral.JobValidated)
	cancelled, err := s.client("alice-key").CancelJob(t.Context(), job.ID)
	if err != nil || cancelled.Status != mistral.JobCancelled {
		t.Errorf("CancelJob() = %v, %v; nothing has to stop first", cancelled, err)
	}
}

func TestListJobs(t *testing.T) {
	s := startServer(t, nil)
	file := s.upload("intents.jsonl", intents(20))
	create := func(suffix, project string) {
		s.await(s.create(func(r *mistral.CreateJobRequest) {
			r.Suffix = &suffix
			r.Integrations = []mistral.Integration{{Type: "wandb", Project: project, Name: &suffix, APIKey: strings.Repeat("k", 86)}}
		}, file).ID, mistral.JobValidated)
	}
	create("one", "red")
	create("two", "blue")
	create("three", "blue")
	for _, test := range []struct{ reason, query, want string }{
		{"newest first", "", "three two one"},
		{"second page", "?page=1&page_size=2", "one"},
		{"suffix", "?suffix=two", "two"},
		{"status", "?status=VALIDATED", "three two one"},
		{"another status", "?status=SUCCESS", ""},
		{"model", "?model=ministral-3b-latest&created_by_me=false", "three two one"},
		{"another model", "?model=open-mistral-7b", ""},
		{"project", "?wandb_project=blue", "three two"},
		{"name of an integration", "?wandb_name=two", "two"},
		{"project and name", "?wandb_project=red&wandb_name=two", ""},
		{"mine", "?created_by_me=true", "three two one"},
		{"page behind the last", "?page=7", ""},
		{"created before it all", "?created_before=2001-01-01T00%3A00%3A00.000Z", ""},
		{"a time without a zone, as Python sends it", "?created_after=2020-01-01T00:00:00", "three two one"},
		{"a time with a space, as str() of Python writes it", "?created_before=2020-01-01%2000:00:00.5", ""},
		{"a zone whose plus sign was not escaped", "?created_after=2020-01-01T00:00:00+02:00", "three two one"},
		{"a date alone", "?created_before=2020-01-01", ""},
		{"Unix seconds", "?created_after=1577836800", "three two one"},
		{"Unix seconds with a fraction", "?created_before=1577836800.25", ""},
		{"created within this second", "?created_after=" + time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), "three two one"},
	} {
		status, body := s.request("GET", "/v1/fine_tuning/jobs"+test.query, "")
		var list mistral.JobList
		decode(t, body, &list)
		var suffixes []string
		for _, job := range list.Data {
			suffixes = append(suffixes, *job.Suffix)
		}
		got := strings.Join(suffixes, " ")
		if test.reason == "created within this second" && got != test.want {
			continue // the second is over
		}
		if status != 200 || got != test.want {
			t.Errorf("%s: %d %q, want %q", test.reason, status, got, test.want)
		}
	}
	for _, query := range []string{"?status=SUCCEEDED", "?created_after=yesterday", "?created_before=-1", "?created_after=NaN", "?created_after=1e30", "?created_after=2020-13-01", "?created_by_me=perhaps", "?page=-1", "?page_size=x"} {
		if status, body := s.request("GET", "/v1/fine_tuning/jobs"+query, ""); status != 422 {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
	if _, body := s.request("GET", "/v1/fine_tuning/jobs", ""); strings.Contains(body, "kkkk") || strings.Contains(body, "api_key") {
		t.Errorf("a key is shown: %s", body)
	}
}

func TestCreateJobRefuses(t *testing.T) {
	s := startServer(t, nil)
	file := s.upload("intents.jsonl", intents(20)).ID
	for _, test := range []struct{ reason, members, want string }{
		{"no file", `"training_files": []`,
			`{"detail":[{"type":"value_error","loc":["body","job_in"],"msg":"Value error, At least one training file or repository is required.","ctx":{"error":"At least one training file or repository is required."}}]}`},
		{"unknown model", `"training_files": ["F"], "model": "gpt"`, `"detail":"Model not available for this type of fine-tuning (classifier).`},
		{"another job type", `"training_files": ["F"], "job_type": "completion"`, `"detail":"Model not available for this type of fine-tuning (completion).`},
		{"unknown file", `"training_files": [{"file_id": "00000000-0000-0000-0000-000000000000"}]`, `"loc":["body","training_files",0]`},
		{"unknown validation file", `"training_files": ["F"], "validation_files": ["x"]`, `"loc":["body","validation_files",0]`},
		{"trained on what it is measured with", `"training_files": ["F"], "validation_files": ["F"]`, `"loc":["body","training_files",0,"file_id"]`},
		{"a file twice", `"training_files": ["F", {"file_id": "F", "weight": 2}]`, `"loc":["body","training_files",1,"file_id"]`},
		{"a file twice in validation", `"training_files": ["F"], "validation_files": ["V", "V"]`, `"loc":["body","validation_files",1]`},
		{"a file in both", `"training_files": ["F"], "validation_files": ["F"]`, `"loc":["body","training_files",0,"file_id"]`},
		{"weight", `"training_files": [{"file_id": "F", "weight": 0}]`, `"loc":["body","training_files",0,"weight"]`},
		{"weight beyond what can be summed", `"training_files": [{"file_id": "F", "weight": 1e30}]`, `"loc":["body","training_files",0,"weight"]`},
		{"so of a target", `"training_files": ["F"], "classifier_targets": [{"name": "intent", "labels": ["light", "music"], "weight": 1e30}]`, `"loc":["body","classifier_targets",0,"weight"]`},
		{"more targets than rows can have", `"training_files": ["F"], "classifier_targets": [` + strings.Repeat(`{"name": "intent", "labels": ["light", "music"]},`, 20) + `{"name": "more", "labels": ["a", "b"]}]`, `"loc":["body","classifier_targets"]`},
		{"suffix", `"training_files": ["F"], "suffix": "1234567890123456789"`, `"loc":["body","suffix"]`},
		{"skip fraction", `"training_files": ["F"], "invalid_sample_skip_percentage": 0.6`, `"loc":["body","invalid_sample_skip_percentage"]`},
		{"steps", `"training_files": ["F"], "hyperparameters": {"training_steps": 0}`, `"loc":["body","hyperparameters","training_steps"]`},
		{"learning rate", `"training_files": ["F"], "hyperparameters": {"learning_rate": 2}`, `"loc":["body","hyperparameters","learning_rate"]`},
		{"weight decay", `"training_files": ["F"], "hyperparameters": {"weight_decay": -1}`, `"loc":["body","hyperparameters","weight_decay"]`},
		{"warm-up", `"training_files": ["F"], "hyperparameters": {"warmup_fraction": 1.5}`, `"loc":["body","hyperparameters","warmup_fraction"]`},
		{"epochs", `"training_files": ["F"], "hyperparameters": {"epochs": 0}`, `"loc":["body","hyperparameters","epochs"],"msg":"Value error, Input should be greater than 0`},
		{"epochs below", `"training_files": ["F"], "hyperparameters": {"epochs": -1}`, `"loc":["body","hyperparameters","epochs"]`},
		{"a repository", `"training_files": ["F"], "repositories": [{"type": "github", "name": "n", "owner": "o", "token": "t"}]`, `"loc":["body","repositories"]`},
		{"a repository alone", `"repositories": [{"type": "github", "name": "n", "owner": "o", "token": "t"}]`, `"loc":["body","repositories"]`},
		{"repositories that are no list", `"training_files": ["F"], "repositories": {"type": "github"}`, `"type":"list_type","loc":["body","repositories"]`},
		{"wrong type in a file", `"training_files": ["F", {"file_id": 5}]`, `"type":"string_type","loc":["body","training_files",1,"file_id"]`},
		{"wrong type in a target", `"training_files": ["F"], "classifier_targets": [{"name": 1}]`, `"type":"string_type","loc":["body","classifier_targets",0,"name"]`},
		{"wrong type in an integration", `"training_files": ["F"], "integrations": [{"project": {}}]`, `"type":"string_type","loc":["body","integrations",0,"project"]`},
		{"a file that is none", `"training_files": [5]`, `"type":"dict_type","loc":["body","training_files",0]`},
		{"sequence length", `"training_files": ["F"], "hyperparameters": {"seq_len": 10}`, `"loc":["body","hyperparameters","seq_len"]`},
		{"quality", `"training_files": ["F"], "hyperparameters": {"quality": "good"}`, `"loc":["body","hyperparameters","quality"],"msg":"Value error, Input should be one of fast, balanced, best.`},
		{"no quality", `"training_files": ["F"], "hyperparameters": {"quality": ""}`, `"loc":["body","hyperparameters","quality"]`},
		{"quality of another type", `"training_files": ["F"], "hyperparameters": {"quality": 1}`, `"type":"string_type","loc":["body","hyperparameters","quality"]`},
		{"wrong type", `"training_files": ["F"], "hyperparameters": {"learning_rate": "high"}`, `"type":"float_type","loc":["body","hyperparameters","learning_rate"]`},
		{"key of another service", `"training_files": ["F"], "integrations": [{"project": "p", "api_key": "short"}]`, `"loc":["body","integrations",0,"api_key"]`},
		{"one label", `"training_files": ["F"], "classifier_targets": [{"name": "intent", "labels": ["light"]}]`, `"loc":["body","classifier_targets",0,"labels"]`},
		{"loss function", `"training_files": ["F"], "classifier_targets": [{"name": "intent", "labels": ["a", "b"], "loss_function": "hinge"}]`, `"loc":["body","classifier_targets",0,"loss_function"]`},
		{"a member twice", `"training_files": ["F"], "training_files": ["F"]`, `"type":"json_invalid"`},
	} {
		model := ""
		if !strings.Contains(test.members, `"model"`) {
			model = `"model": "ministral-3b-latest", `
		}
		status, body := s.request("POST", "/v1/fine_tuning/jobs", strings.ReplaceAll(`{`+model+test.members+`}`, `"F"`, `"`+file+`"`))
		if status != 422 || !strings.Contains(body, test.want) {
			t.Errorf("%s: %d %s, want %s", test.reason, status, body, test.want)
		}
	}
	if status, body := s.request("POST", "/v1/fine_tuning/jobs", `{"model"`); status != 422 {
		t.Errorf("cut off: %d %s", status, body)
	}
	if status, body := s.request("POST", "/v1/fine_tuning/jobs", `"`+strings.Repeat("x", (1<<20))+`"`); status != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: %d %s", status, body)
	}
	if jobs, err := s.client("alice-key").ListJobs(t.Context(), mistral.JobFilter{}); err != nil || jobs.Total != 0 {
		t.Errorf("a refused job was created: %+v, %v", jobs, err)
	}
}

func TestCreateJobAccepts(t *testing.T) {
	s := startServer(t, nil)
	file := s.upload("intents.jsonl", intents(20)).ID
	for _, test := range []struct{ reason, members string }{
		{"file IDs as old SDKs send them", `"training_files": ["F"]`},
		{"nulls", `"training_files": [{"file_id": "F", "weight": null}], "suffix": null, "integrations": null, "validation_files": null, "classifier_targets": null, "job_type": null, "auto_start": null, "repositories": null`},
		{"members of completion jobs", `"training_files": ["F"], "hyperparameters": {"fim_ratio": 0.9, "learning_rate": 0.0001}`},
		{"integration without a type", `"training_files": ["F"], "integrations": [{"project": "p", "api_key": "0123456789012345678901234567890123456789"}]`},
	} {
		body := strings.ReplaceAll(`{"model": "ministral-3b-latest", `+test.members+`}`, `"F"`, `"`+file+`"`)
		status, answer := s.request("POST", "/v1/fine_tuning/jobs", body)
		var job mistral.Job
		decode(t, answer, &job)
		if status != 200 || len(job.TrainingFiles) != 1 || job.JobType != mistral.JobTypeClassifier || *job.Hyperparameters.LearningRate != 1e-4 {
			t.Errorf("%s: %d %s", test.reason, status, answer)
		}
		if _, err := s.client("alice-key").CancelJob(t.Context(), job.ID); err != nil { // they are twins
			t.Fatal(err)
		}
		s.await(job.ID, mistral.JobCancelled)
	}
}

// What the protocol does not have is answered to those alone who asked for it.
func TestQuality(t *testing.T) {
	s := startServer(t, nil)
	file := s.upload("intents.jsonl", intents(60))
	for _, test := range []struct {
		hyperparameters string
		answered        bool
	}{
		{`{}`, false},
		{`{"quality": null}`, false},
		{`{"quality": "fast"}`, true},
	} {
		status, body := s.request("POST", "/v1/fine_tuning/jobs", fmt.Sprintf(`{"model": "ministral-3b-latest", "training_files": [%q], "hyperparameters": %s, "auto_start": true}`, file.ID, test.hyperparameters))
		if status != 200 || strings.Contains(body, `"quality":"fast"`) != test.answered || strings.Contains(body, "quality") != test.answered {
			t.Errorf("%s: %d %s", test.hyperparameters, status, body)
			continue
		}
		var created mistral.Job
		decode(t, body, &created)
		done := s.await(created.ID, mistral.JobSuccess)
		if asked := done.Hyperparameters.Quality; (asked != nil) != test.answered {
			t.Errorf("%s: quality %v at the end", test.hyperparameters, asked)
		}
	}
}

func TestDryRun(t *testing.T) {
	s := startServer(t, nil)
	file := s.upload("intents.jsonl", intents(20)).ID
	for _, test := range []struct{ reason, query, member string }{
		{"in the query", "?dry_run=true", ""},
		{"in the body", "", `, "dry_run": true`},
		{"in the query, and null in the body", "?dry_run=true", `, "dry_run": null`},
		{"in the query, and the default in the body", "?dry_run=true", `, "dry_run": false`},
	} {
		status, body := s.request("POST", "/v1/fine_tuning/jobs"+test.query, `{"model": "ministral-3b-latest", "training_files": ["`+file+`"]`+test.member+`}`)
		var estimate mistral.LegacyJobMetadata
		decode(t, body, &estimate)
		if status != 200 || estimate.Object != mistral.ObjectJobMetadata || estimate.Details == "" || *estimate.DataTokens == 0 || strings.Contains(body, "job_type") {
			t.Errorf("%s: %d %s", test.reason, status, body)
		}
	}
	if jobs, err := s.client("alice-key").ListJobs(t.Context(), mistral.JobFilter{}); err != nil || jobs.Total != 0 {
		t.Errorf("a dry run created a job: %+v, %v", jobs, err)
	}
}

// A model's ID ends with the beginning of its job's: two jobs of one beginning would
// train for the same name.
func TestJobsBeginDifferently(t *testing.T) {
	s := startServer(t, nil)
	first := s.create(nil, s.upload("first.jsonl", intents(10)))
	beginning, err := hex.DecodeString(first.ID[:8])
	if err != nil {
		t.Fatal(err)
	}
	second := s.upload("second.jsonl", intents(12))
	uuid.SetRand(io.MultiReader(bytes.NewReader(append(beginning, make([]byte, 12)...)), rand.Reader))
	defer uuid.SetRand(nil)
	if created := s.create(nil, second); created.ID[:8] == first.ID[:8] {
		t.Errorf("jobs %s and %s", first.ID, created.ID)
	}
}
