package factory

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func TestRateLimit(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := startServer(t, func(c *Config) {
		c.RequestsPerSecond = 2
		c.Clock = func() time.Time { return now }
	})
	list := func(key string) (status int, retryAfter string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.http.URL+"/v1/files", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+key)
		response, err := s.http.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode, response.Header.Get("Retry-After")
	}
	for i := range 4 {
		if status, _ := list("alice-key"); status != http.StatusOK {
			t.Errorf("request %d: %d; twice the rate may come at once", i, status)
		}
	}
	if status, retryAfter := list("alice-key"); status != http.StatusTooManyRequests || retryAfter != "1" {
		t.Errorf("request too many: %d, Retry-After %q", status, retryAfter)
	}
	if _, body := s.request("GET", "/v1/models", ""); !strings.HasPrefix(body, `{"object":"error","message":"Rate limit exceeded","type":"rate_limited","param":null,"code":"1300","detail":"More than 2 requests a second. Send several texts in a request`) {
		t.Errorf("body %s", body)
	}
	if status, _ := list("bob-key"); status != http.StatusOK {
		t.Errorf("another tenant: %d", status)
	}
	if status, _ := s.requestAs("", "GET", "/readyz", "", nil); status != http.StatusOK {
		t.Errorf("a probe is nobody's request: %d", status)
	}
	now = now.Add(time.Second)
	for i := range 2 {
		if status, _ := list("alice-key"); status != http.StatusOK {
			t.Errorf("request %d a second later: %d; refusals use up nothing", i, status)
		}
	}
}

func TestFileQuota(t *testing.T) {
	s := startServer(t, func(c *Config) { c.Limits.FileBytes = 2000 })
	first := s.upload("first.jsonl", strings.Repeat("x", 1500))
	upload := func(key, name string, size int) (int, string) {
		contentType, body := form(t, name, strings.Repeat("x", size))
		return s.requestAs(key, "POST", "/v1/files", contentType, body)
	}
	if status, body := upload("alice-key", "second.jsonl", 501); status != http.StatusForbidden || !strings.Contains(body, "more than 2000 bytes") {
		t.Errorf("a byte too many: %d %s", status, body)
	}
	if left := blobNames(t, s); len(left) != 1 {
		t.Errorf("%d blobs; the refused bytes are kept", len(left))
	}
	if status, body := upload("alice-key", "first.jsonl", 1500); status != http.StatusOK {
		t.Errorf("the same file takes no more room: %d %s", status, body)
	}
	if status, body := upload("alice-key", "second.jsonl", 500); status != http.StatusOK {
		t.Errorf("exactly what is allowed: %d %s", status, body)
	}
	if status, body := upload("bob-key", "first.jsonl", 2000); status != http.StatusOK {
		t.Errorf("another tenant: %d %s", status, body)
	}
	if err := s.client("alice-key").DeleteFile(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	if status, body := upload("alice-key", "third.jsonl", 1500); status != http.StatusOK {
		t.Errorf("after a deletion: %d %s", status, body)
	}
}

func TestJobAndModelQuotas(t *testing.T) {
	for _, test := range []struct {
		reason string
		limits store.Limits
		want   string
	}{
		{"jobs", store.Limits{UnfinishedJobs: 2}, "2 jobs are not finished"},
		{"models", store.Limits{Models: 2}, "There are 0 models and 2 unfinished jobs"},
	} {
		s := startServer(t, func(c *Config) { c.Limits = test.limits })
		file := s.upload("intents.jsonl", intents(20)).ID
		create := func(suffix int) (int, string) {
			return s.request("POST", "/v1/fine_tuning/jobs", fmt.Sprintf(`{"model": "ministral-3b-latest", "training_files": [%q], "suffix": "%d"}`, file, suffix))
		}
		var job mistral.Job
		for i := range 2 {
			status, body := create(i)
			decode(t, body, &job)
			if status != http.StatusOK {
				t.Fatalf("%s: %d %s", test.reason, status, body)
			}
		}
		if status, body := create(2); status != http.StatusForbidden || !strings.Contains(body, test.want) {
			t.Errorf("%s: %d %s, want %q", test.reason, status, body, test.want)
		}
		s.await(job.ID, mistral.JobValidated)
		if _, err := s.client("alice-key").CancelJob(t.Context(), job.ID); err != nil {
			t.Fatal(err)
		}
		if status, body := create(2); status != http.StatusOK {
			t.Errorf("%s, when one has ended: %d %s", test.reason, status, body)
		}
	}
}

func TestModelQuotaCountsModels(t *testing.T) {
	s := startServer(t, func(c *Config) { c.Limits.Models = 1 })
	made := s.train("intents.jsonl", intents(20))
	other := s.upload("others.jsonl", intents(22)).ID
	create := func() (int, string) {
		return s.request("POST", "/v1/fine_tuning/jobs", `{"model": "ministral-3b-latest", "training_files": ["`+other+`"]}`)
	}
	if status, body := create(); status != http.StatusForbidden || !strings.Contains(body, "There are 1 models") {
		t.Errorf("%d %s", status, body)
	}
	if err := s.client("alice-key").DeleteModel(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	if status, body := create(); status != http.StatusOK {
		t.Errorf("after a deletion: %d %s", status, body)
	}
}

// TestJobFileQuota: what one job reads is bounded, however its files are named.
func TestJobFileQuota(t *testing.T) {
	s := startServer(t, func(c *Config) { c.Limits.JobFileBytes = 3000 })
	ids := []any{}
	for i, name := range []string{"a.jsonl", "b.jsonl", "c.jsonl"} {
		content := intents(10 + i)
		ids = append(ids, s.upload(name, content+strings.Repeat("\n", 1500-len(content))).ID)
	}
	for _, test := range []struct {
		reason, members string
		refused         bool
	}{
		{"exactly what is allowed", `"training_files": [%q, %q]`, false},
		{"training files", `"training_files": [%q, %q, %q]`, true},
		{"training and validation files", `"training_files": [%q, %q], "validation_files": [%q]`, true},
		{"a dry run says so, too", `"dry_run": true, "training_files": [%q, %q, %q]`, true},
	} {
		status, body := s.request("POST", "/v1/fine_tuning/jobs", `{"model": "ministral-3b-latest", `+fmt.Sprintf(test.members, ids[:strings.Count(test.members, "%q")]...)+`}`)
		refused := status == http.StatusForbidden && strings.Contains(body, "have 4500 bytes together; a job can have 3000")
		if refused != test.refused || !refused && status != http.StatusOK {
			t.Errorf("%s: %d %s", test.reason, status, body)
		}
	}
}

// TestRecordQuota: what a job's row weighs is somebody's, whether the job is finished or
// not, and given back when it expires.
func TestRecordQuota(t *testing.T) {
	var offset atomic.Int64
	s := startServer(t, func(c *Config) {
		c.Limits.RecordBytes = 100_000
		c.JobLifetime = time.Hour
		c.Clock = func() time.Time { return time.Unix(1_800_000_000+offset.Load(), 0) }
	})
	file := s.upload("intents.jsonl", intents(20)).ID
	create := func(key string) (int, string) {
		labels := fmt.Sprintf(`["light", "music", %q]`, strings.Repeat("x", 60_000))
		return s.requestAs(key, "POST", "/v1/fine_tuning/jobs", "application/json", strings.NewReader(
			`{"model": "ministral-3b-latest", "training_files": ["`+file+`"], "classifier_targets": [{"name": "intent", "labels": `+labels+`}]}`))
	}
	status, body := create("alice-key")
	if status != http.StatusOK {
		t.Fatalf("the first: %d %s", status, body)
	}
	var job mistral.Job
	decode(t, body, &job)
	s.await(job.ID, mistral.JobFailedValidation) // no row has the long label
	if status, body := create("alice-key"); status != http.StatusForbidden || !strings.Contains(body, "at most 100000 are allowed") {
		t.Errorf("the second: %d %s", status, body)
	}
	offset.Store(3600)
	if err := s.factory.expireJobs(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, body := create("alice-key"); status != http.StatusOK {
		t.Errorf("when the first has expired: %d %s", status, body)
	}
}
