package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/embeddings/embeddingstest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestKillLosesNothingThatAnEncoderAnswered: a training that goes on asks for the rest.
func TestKillLosesNothingThatAnEncoderAnswered(t *testing.T) {
	const rows, answeredRows, atOnce = 400, 150, 4
	encoder := embeddingstest.Start(t)
	var mutex sync.Mutex
	answered, again := map[string]bool{}, 0
	waiting, released := make(chan struct{}, rows), make(chan struct{})
	release := sync.OnceFunc(func() { close(released) })
	t.Cleanup(release)
	// Requests that come once enough is answered wait. When as many wait as are made at once,
	// what was answered before is kept.
	encoder.Before(func(_ http.ResponseWriter, r *http.Request, texts []string) bool {
		mutex.Lock()
		enough := len(answered) >= answeredRows
		for _, text := range texts {
			if strings.HasPrefix(text, "row") && !enough {
				answered[text] = true
			}
		}
		mutex.Unlock()
		if enough {
			waiting <- struct{}{}
			select {
			case <-r.Context().Done():
			case <-released:
			}
		}
		return enough
	})
	directory, flags := t.TempDir(), []string{"--base-models", "sentences=embeddings:" + encoder.URL}
	killed := start(t, directory, flags...)
	client := killed.client(t)
	var content strings.Builder
	for i := range rows {
		fmt.Fprintf(&content, `{"text": "row %d is of label %d", "labels": {"label": "label%d"}}`+"\n", i, i%4, i%4)
	}
	file, err := client.UploadFile(t.Context(), mistral.Upload{Filename: "rows.jsonl", Content: strings.NewReader(content.String()), Size: int64(content.Len())})
	if err != nil {
		t.Fatal(err)
	}
	job, err := client.CreateJob(t.Context(), mistral.CreateJobRequest{
		Model: "sentences", JobType: mistral.JobTypeClassifier, AutoStart: true,
		TrainingFiles: []mistral.TrainingFile{{FileID: file.ID, Weight: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for range atOnce {
		select {
		case <-waiting:
		case <-t.Context().Done():
			t.Fatal("the training does not ask for all rows")
		}
	}
	_ = killed.Process.Kill()
	_ = killed.Wait()
	encoder.Before(func(_ http.ResponseWriter, _ *http.Request, texts []string) bool {
		mutex.Lock()
		defer mutex.Unlock()
		for _, text := range texts {
			if answered[text] {
				again++
			}
		}
		return false
	})
	release()

	client = start(t, directory, flags...).client(t)
	for {
		found, err := client.GetJob(t.Context(), job.ID)
		if err != nil {
			t.Fatal(err)
		}
		if found.Status == mistral.JobSuccess {
			break
		}
		if found.Status.Finished() {
			t.Fatalf("the job is %s", found.Status)
		}
	}
	mutex.Lock()
	defer mutex.Unlock()
	if again > 0 {
		t.Errorf("%d of %d rows that were answered are asked for again", again, len(answered))
	}
	t.Logf("%d of %d rows were answered before the kill, %d of them asked for again", len(answered), rows, again)
}
