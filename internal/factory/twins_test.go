package factory

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func TestTwins(t *testing.T) {
	s := startServer(t, nil)
	file, other := s.upload("intents.jsonl", intents(20)).ID, s.upload("others.jsonl", intents(22)).ID
	create := func(members string) (int, string) {
		body := strings.NewReplacer(`"F"`, `"`+file+`"`, `"O"`, `"`+other+`"`).Replace(`{"model": "ministral-3b-latest", ` + members + `}`)
		return s.request("POST", "/v1/fine_tuning/jobs", body)
	}
	status, body := create(`"training_files": ["F"], "hyperparameters": {"training_steps": 10}`)
	var first mistral.Job
	decode(t, body, &first)
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	for _, test := range []struct {
		reason, members string
		status          int
	}{
		{"the same again", `"training_files": ["F"], "hyperparameters": {"training_steps": 10}`, 409},
		{"defaults that are written out", `"training_files": [{"file_id": "F", "weight": 1}], "hyperparameters": {"training_steps": 10, "learning_rate": 0.0001}`, 409},
		{"it starts otherwise", `"training_files": ["F"], "hyperparameters": {"training_steps": 10}, "auto_start": true`, 409},
		{"other files", `"training_files": ["O"], "hyperparameters": {"training_steps": 10}`, 200},
		{"other weights", `"training_files": [{"file_id": "F", "weight": 2}], "hyperparameters": {"training_steps": 10}`, 200},
		{"other validation", `"training_files": ["F"], "validation_files": ["O"], "hyperparameters": {"training_steps": 10}`, 200},
		{"other hyperparameters", `"training_files": ["F"], "hyperparameters": {"training_steps": 11}`, 200},
		{"other targets", `"training_files": ["F"], "hyperparameters": {"training_steps": 10}, "classifier_targets": [{"name": "intent", "labels": ["music", "light"]}]`, 200},
		{"another suffix", `"training_files": ["F"], "hyperparameters": {"training_steps": 10}, "suffix": "mine"`, 200},
	} {
		status, body := create(test.members)
		if status != test.status || status == 409 && !strings.HasPrefix(body, `{"detail":"The job `+first.ID+` is `) {
			t.Errorf("%s: %d %s, want %d", test.reason, status, body, test.status)
		}
	}

	s.await(first.ID, mistral.JobValidated)
	if status, _ := create(`"training_files": ["F"], "hyperparameters": {"training_steps": 10}`); status != 409 {
		t.Errorf("twin of a job that waits to be started: %d", status)
	}
	if _, err := s.client("alice-key").CancelJob(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	if status, body := create(`"training_files": ["F"], "hyperparameters": {"training_steps": 10}`); status != 200 {
		t.Errorf("once the other is cancelled: %d %s", status, body)
	}
	bobs := uploadAs(t, s.client("bob-key"), "intents.jsonl", intents(20)).ID
	status, body = s.requestAs("bob-key", "POST", "/v1/fine_tuning/jobs", "application/json", strings.NewReader(
		`{"model": "ministral-3b-latest", "training_files": ["`+bobs+`"], "hyperparameters": {"training_steps": 10}}`))
	if status != 200 {
		t.Errorf("another tenant's: %d %s", status, body)
	}
}

// TestTwinsAtTheSameTime: of clients that do not know of each other, one is served.
func TestTwinsAtTheSameTime(t *testing.T) {
	s := startServer(t, nil)
	file := s.upload("intents.jsonl", intents(20)).ID
	var clients sync.WaitGroup
	statuses := make([]int, 8)
	for i := range statuses {
		clients.Go(func() {
			statuses[i], _ = s.request("POST", "/v1/fine_tuning/jobs", `{"model": "ministral-3b-latest", "training_files": ["`+file+`"]}`)
		})
	}
	clients.Wait()
	created := 0
	for _, status := range statuses {
		if status == http.StatusOK {
			created++
		} else if status != http.StatusConflict {
			t.Errorf("status %d", status)
		}
	}
	if created != 1 {
		t.Errorf("%d of %d were created: %v", created, len(statuses), statuses)
	}
}
