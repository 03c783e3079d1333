package factory

import (
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// flip changes a bit in the middle of a file.
func flip(t *testing.T, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// TestIntegrityOfBytes: what a disk has spoilt or lost is told to whoever asks for it,
// with what to do, which helps; it is never served or trained on.
func TestIntegrityOfBytes(t *testing.T) {
	for _, test := range []struct {
		reason, word string
		spoil        func(*testing.T, string)
	}{
		{"a bit is another", "damaged", flip},
		{"the disk lost it", "missing", remove},
	} {
		t.Run(test.reason, func(t *testing.T) {
			s := startServer(t, nil)
			file := s.upload("intents.jsonl", intents(40))
			model := s.train("others.jsonl", intents(60))
			validated := s.create(nil, file)
			s.await(validated.ID, mistral.JobValidated)
			modelFile := s.blobPath(s.digest(model))
			s.close() // so that the model is not in memory
			test.spoil(t, s.blobPath(*file.SHA256))
			test.spoil(t, modelFile)
			s.open()

			status, body := s.request("GET", "/v1/files/"+file.ID+"/content", "")
			if want := "The bytes of the file " + file.ID + " are " + test.word; status != http.StatusInternalServerError || !strings.Contains(body, want) || !strings.Contains(body, "Upload the same file again") {
				t.Errorf("download: %d %s", status, body)
			}
			status, body = s.request("POST", "/v1/classifications", `{"model": "`+model+`", "input": "lamp"}`)
			if want := "The bytes of the model " + model + " are " + test.word; status != http.StatusInternalServerError || !strings.Contains(body, want) || !strings.Contains(body, "Train the model again") {
				t.Errorf("classification: %d %s", status, body)
			}
			if _, err := s.client("alice-key").StartJob(t.Context(), validated.ID); err != nil {
				t.Fatal(err)
			}
			for _, id := range []string{validated.ID, s.create(func(r *mistral.CreateJobRequest) { suffix := "validated-now"; r.Suffix = &suffix }, file).ID} {
				failed := s.await(id, mistral.JobFailed)
				event := lastEvent(t, failed)
				if event["code"] != "BytesDamaged" || !strings.Contains(event["error"].(string), *file.SHA256) || !strings.Contains(event["error"].(string), "Upload the file again") {
					t.Errorf("job: %s", events(failed))
				}
			}

			s.upload("intents.jsonl", intents(40))
			if status, body := s.request("GET", "/v1/files/"+file.ID+"/content", ""); status != http.StatusOK || body != intents(40) {
				t.Errorf("after the file was uploaded again: %d %s", status, body)
			}
			s.await(s.create(autoStart, file).ID, mistral.JobSuccess)
		})
	}
}

// TestIntegrityOfAStartWithoutSomeBytes: the others are served, and the log says what to do.
func TestIntegrityOfAStartWithoutSomeBytes(t *testing.T) {
	var log lockedBuffer
	s := startServer(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	lost, kept := s.upload("lost.jsonl", intents(20)), s.upload("kept.jsonl", intents(30))
	s.close()
	remove(t, s.blobPath(*lost.SHA256))
	s.open()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(log.String(), *lost.SHA256); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the log does not name what is missing")
		}
	}
	if !strings.Contains(log.String(), "run factory verify, and restore them from a backup") {
		t.Errorf("log: %s", log.String())
	}
	if status, _ := s.request("GET", "/v1/files/"+kept.ID+"/content", ""); status != http.StatusOK {
		t.Errorf("another file: %d", status)
	}
}
