package factory

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const tableDimension = 64

// wordTable imports word vectors of which the words for lamps and those for tea point the
// same way, and returns its file.
func wordTable(t *testing.T, sign int) string {
	t.Helper()
	folder := t.TempDir()
	var vectors strings.Builder
	for i, word := range []string{"lamp", "bulb", "lantern", "chandelier", "sconce", "torch", "candle"} {
		fmt.Fprintf(&vectors, "%s %d 0.1 %d%s\n", word, 2*sign, i, strings.Repeat(" 0", tableDimension-3))
	}
	for i, word := range []string{"tea", "brew", "infusion", "darjeeling", "oolong", "chai", "matcha"} {
		fmt.Fprintf(&vectors, "%s %d 0.1 %d%s\n", word, -2*sign, i, strings.Repeat(" 0", tableDimension-3))
	}
	from, to := filepath.Join(folder, "vectors"), filepath.Join(folder, "table")
	if err := os.WriteFile(from, []byte(vectors.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if imported, err := ImportWords(from, to, 100, []string{"en"}); err != nil || imported.Words != 14 || imported.Dimension != tableDimension {
		t.Fatalf("%+v, %v", imported, err)
	}
	return to
}

// household has few rows, with few of the table's words.
func household() string {
	var text strings.Builder
	for i, word := range []string{"lamp", "bulb", "lantern"} {
		fmt.Fprintf(&text, `{"text": "switch the %s on %d", "labels": {"intent": "light"}}`+"\n", word, i)
	}
	for i, word := range []string{"tea", "brew", "infusion"} {
		fmt.Fprintf(&text, `{"text": "serve the %s now %d", "labels": {"intent": "drink"}}`+"\n", word, i)
	}
	return text.String()
}

// trainFrom has a base model's model of few rows.
func (s *server) trainFrom(base string) string {
	s.t.Helper()
	job := s.create(func(r *mistral.CreateJobRequest) { r.Model, r.AutoStart = base, true }, s.upload(base+".jsonl", household()))
	return *s.await(job.ID, mistral.JobSuccess).FineTunedModel
}

func TestWordsBaseModel(t *testing.T) {
	table := wordTable(t, 1)
	s := startServer(t, func(c *Config) { c.BaseModels = []string{"plain", "english=words:" + table} })

	status, card := s.request("GET", "/v1/models/english", "")
	for _, want := range []string{`"base_model":{"kind":"words","languages":["en"],"dimension":64,"digest":"`, "table of word vectors"} {
		if status != 200 || !strings.Contains(card, want) {
			t.Errorf("%d %s, want %s", status, card, want)
		}
	}
	if _, card := s.request("GET", "/v1/models/plain", ""); !strings.Contains(card, `"base_model":{"kind":"engine"}`) {
		t.Errorf("%s", card)
	}

	plain, english := s.trainFrom("plain"), s.trainFrom("english")
	unknown := []string{"chandelier", "sconce", "torch", "candle", "darjeeling", "oolong", "chai", "matcha"}
	for _, model := range []string{plain, english} {
		answer, err := s.client("alice-key").Classify(t.Context(), mistral.ClassifyRequest{Model: model, Input: unknown})
		if err != nil {
			t.Fatal(err)
		}
		right := 0
		for i, result := range answer.Results {
			if lamp := i < len(unknown)/2; lamp == (best(t, result["intent"].Scores) == "light") {
				right++
			}
		}
		if all := right == len(unknown); all != (model == english) {
			t.Errorf("%s: %d of %d words that no row has are understood", model, right, len(unknown))
		}
	}
	status, body := s.request("POST", "/v1/chat/classifications", `{"model": "`+english+`", "input": [{"messages": [{"role": "user", "content": "chandelier"}]}]}`)
	if status != 200 {
		t.Errorf("a conversation: %d %s", status, body)
	}

	classify := func() (int, string) {
		return s.request("POST", "/v1/classifications", `{"model": "`+english+`", "input": ["chandelier"]}`)
	}
	for _, test := range []struct {
		reason string
		flags  []string
		status int
		want   string
	}{
		{"under another name", []string{"words=words:" + table}, 200, "scores"},
		{"another table under its name", []string{"english=words:" + wordTable(t, -1)}, 422, "has changed since the model was trained"},
		{"no longer there", []string{"plain"}, 422, "which this server does not offer"},
	} {
		s.close()
		s.config.BaseModels = test.flags
		s.open()
		if status, body := classify(); status != test.status || !strings.Contains(body, test.want) {
			t.Errorf("%s: %d %s, want %d and %q", test.reason, status, body, test.status, test.want)
		}
	}
}

func TestRequestsOfManyInputsAreBounded(t *testing.T) {
	s := startServer(t, func(c *Config) { c.BaseModels = []string{"english=words:" + wordTable(t, 1)} })
	model := s.trainFrom("english")
	inputs := strings.Repeat(`"",`, 64<<20/4/tableDimension) + `""`
	status, body := s.request("POST", "/v1/classifications", `{"model": "`+model+`", "input": [`+inputs+`]}`)
	if status != 422 || !strings.Contains(body, "at most 262144 inputs at once") {
		t.Errorf("%d %.300s", status, body)
	}
}

// TestTableThatChanges is of a file that is another one than when the factory was started.
func TestTableThatChanges(t *testing.T) {
	table, other := wordTable(t, 1), wordTable(t, -1)
	s := startServer(t, func(c *Config) { c.BaseModels = []string{"english=words:" + table} })
	content, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(table, content, 0o600); err != nil {
		t.Fatal(err)
	}
	job := s.create(func(r *mistral.CreateJobRequest) { r.Model, r.AutoStart = "english", true }, s.upload("a.jsonl", household()))
	s.await(job.ID, mistral.JobFailed)
}

func TestBaseModelOfAJobIsGone(t *testing.T) {
	s := startServer(t, func(c *Config) { c.BaseModels = []string{"plain", "english=words:" + wordTable(t, 1)} })
	job := s.create(func(r *mistral.CreateJobRequest) { r.Model = "english" }, s.upload("a.jsonl", household()))
	s.await(job.ID, mistral.JobValidated)
	s.close()
	s.config.BaseModels = []string{"plain"}
	s.open()
	if status, body := s.request("POST", "/v1/fine_tuning/jobs/"+job.ID+"/start", ""); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	s.await(job.ID, mistral.JobFailedValidation)
	if _, body := s.request("GET", "/v1/fine_tuning/jobs/"+job.ID, ""); !strings.Contains(body, "not offered by this server any more") {
		t.Error(body)
	}
}
