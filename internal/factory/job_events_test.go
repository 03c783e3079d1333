package factory

import (
	"encoding/json"
	"fmt"
	"strings"
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

// TestFilesThatAreNoJSONLines holds that a file is named for what it is, by one sentence.
func TestFilesThatAreNoJSONLines(t *testing.T) {
	s := startServer(t, nil)
	for _, test := range []struct{ reason, content, code, message string }{
		{"Parquet", "PAR1\x15\x04\x15\x10", "DifferentFormat",
			`data.jsonl: the data is Parquet: convert it, such as with python3 -c 'import pandas as pd; pd.read_parquet("FILE").to_json("FILE.jsonl", orient="records", lines=True)'. Files are JSON Lines`},
		{"an array", "[" + strings.ReplaceAll(strings.TrimSuffix(intents(4), "\n"), "\n", ",") + "]", "DifferentFormat",
			`data.jsonl: the data is JSON in an array or over several lines: make JSON Lines of it with jq -c 'if type == "array" then .[] else . end' FILE. Files are JSON Lines`},
		{"CSV", "text,intent\nhello,greeting\nbye,farewell\n", "DifferentFormat",
			`data.jsonl: the data is CSV: convert it, such as with python3 -c 'import pandas as pd; pd.read_csv("FILE", sep=None, engine="python").to_json("FILE.jsonl", orient="records", lines=True)'. Files are JSON Lines`},
		{"compressed", "\x1F\x8B\x08\x00\x00\x00", "UnsupportedCompression",
			"data.jsonl: the data is still compressed, by gzip: decompress it with gzip -d. Files are JSON Lines"},
		{"UTF-16", "\xFF\xFE{\x00\"\x00t\x00e\x00", "UnsupportedEncoding",
			"data.jsonl: the data is in UTF-16: convert it with iconv -f UTF-16 -t UTF-8 FILE. Files are JSON Lines"},
		{"other fields", `{"text": "hello", "label": "greeting"}` + "\n" + `{"text": "bye", "label": "farewell"}` + "\n", "UnmappedFields",
			`data.jsonl: the data is rows with the fields "text", "label", without text or messages and labels by target: write them as {"text": "…", "labels": {"TARGET": "LABEL"}}. Files are JSON Lines`},
	} {
		failed := lastEvent(t, s.await(s.create(nil, s.upload("data.jsonl", test.content)).ID, mistral.JobFailedValidation))
		if failed["error"] != test.message || failed["code"] != test.code || failed["lines"] != nil {
			t.Errorf("%s: got %v, want %s, %s", test.reason, failed, test.code, test.message)
		}
	}
}
