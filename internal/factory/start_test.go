package factory

import (
	"net/http"
	"sync"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestStartsAtTheSameTime: one of them starts the job, and the others learn that it
// is started.
func TestStartsAtTheSameTime(t *testing.T) {
	s := startServer(t, nil)
	id := s.create(nil, s.upload("intents.jsonl", intents(20))).ID
	s.await(id, mistral.JobValidated)
	var clients sync.WaitGroup
	statuses := make([]int, 8)
	for i := range statuses {
		clients.Go(func() { statuses[i], _ = s.request("POST", "/v1/fine_tuning/jobs/"+id+"/start", "") })
	}
	clients.Wait()
	started := 0
	for _, status := range statuses {
		switch status {
		case http.StatusOK:
			started++
		case http.StatusConflict:
		default:
			t.Errorf("status %d", status)
		}
	}
	if started != 1 {
		t.Errorf("%v; want one that starts the job", statuses)
	}
	if done := s.await(id, mistral.JobSuccess); len(done.Events) != 5 {
		t.Errorf("events %s", events(done))
	}
}
