package factory

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestListsReadNoMoreThanTheyShow: a page of jobs costs what it says, however many
// labels they have.
func TestListsReadNoMoreThanTheyShow(t *testing.T) {
	s := startServer(t, nil)
	const jobs, labelBytes = 100, 500_000
	file := s.upload("intents.jsonl", intents(20))
	for i := range jobs {
		created := s.create(func(r *mistral.CreateJobRequest) {
			suffix := fmt.Sprint(i)
			r.Suffix, r.ClassifierTargets = &suffix, []mistral.ClassifierTarget{{Name: "intent", Labels: []string{"light", strings.Repeat("x", labelBytes)}}}
		}, file)
		s.await(created.ID, mistral.JobFailedValidation) // no row has that label
	}
	allocated := func() uint64 {
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		return memory.TotalAlloc
	}
	before := allocated()
	status, body := s.request("GET", "/v1/fine_tuning/jobs?page_size=1000", "")
	took := allocated() - before
	var list mistral.JobList
	decode(t, body, &list)
	if status != http.StatusOK || len(list.Data) != jobs || list.Total != jobs || *list.Data[0].Suffix != fmt.Sprint(jobs-1) {
		t.Fatalf("%d, %d jobs of %d", status, len(list.Data), list.Total)
	}
	if took > jobs*labelBytes {
		t.Errorf("listing %d jobs took %d MB of memory, as if it read their labels", jobs, took>>20)
	}
}

// TestListsOfNothing are empty, not null: SDKs refuse that.
func TestListsOfNothing(t *testing.T) {
	s := startServer(t, nil)
	for path, want := range map[string]string{
		"/v1/fine_tuning/jobs":          `{"data":[],"object":"list","total":0}`,
		"/v1/files":                     `{"data":[],"object":"list","total":0}`,
		"/v1/files?include_total=false": `{"data":[],"object":"list","total":null}`,
		"/v1/models?model=none":         `{"object":"list","data":[]}`,
	} {
		if status, body := s.request("GET", path, ""); status != http.StatusOK || body != want {
			t.Errorf("%s: %d %s, want %s", path, status, body, want)
		}
	}
}
