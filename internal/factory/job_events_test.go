package factory

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// lastEvent is the data of a job's last event, as any client reads it.
func lastEvent(t *testing.T, job *mistral.DetailedJob) map[string]any {
	t.Helper()
	var data map[string]any
	if err := json.Unmarshal(job.Events[len(job.Events)-1].Data, &data); err != nil {
		t.Fatal(err)
	}
	return data
}

func TestEventsCountInvalidRows(t *testing.T) {
	s := startServer(t, nil)
	file := s.upload("data.jsonl", intents(10)+"broken\n"+`{"text": "x"}`+"\n"+intents(8))
	failed := lastEvent(t, s.await(s.create(nil, file).ID, mistral.JobFailedValidation))
	if failed["status"] != "FAILED_VALIDATION" || failed["error"] == "" || failed["code"] != "InvalidJSON" ||
		failed["invalid_samples"] != 2. || fmt.Sprint(failed["lines"]) != "[11 12]" {
		t.Errorf("event of a failure: %v", failed)
	}
	skipped := lastEvent(t, s.await(s.create(func(r *mistral.CreateJobRequest) { r.InvalidSampleSkipPercentage = 0.1 }, file).ID, mistral.JobValidated))
	if skipped["status"] != "VALIDATED" || skipped["error"] != nil || skipped["invalid_samples"] != 2. || fmt.Sprint(skipped["lines"]) != "[11 12]" {
		t.Errorf("event of a validation that skipped rows: %v", skipped)
	}
	clean := lastEvent(t, s.await(s.create(nil, s.upload("clean.jsonl", intents(10))).ID, mistral.JobValidated))
	if len(clean) != 1 {
		t.Errorf("event of clean data: %v", clean)
	}
	teaches := lastEvent(t, s.await(s.create(nil, s.upload("one.jsonl", intents(1))).ID, mistral.JobFailedValidation))
	if len(teaches) != 3 || teaches["error"] == "" || teaches["code"] != "TooFewLabels" {
		t.Errorf("event of data whose rows are fine: %v", teaches)
	}
}
