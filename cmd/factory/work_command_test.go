package main

import (
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob/buckettest"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestWorksUntilThereIsNothingToDo: a worker that a scheduler starts, with nothing but the addresses of
// database and bucket, trains what waits and ends with success.
func TestWorksUntilThereIsNothingToDo(t *testing.T) {
	places := []string{"--database-url", postgrestest.URL(t), "--blob-url", buckettest.S3(t)}
	client := start(t, t.TempDir(), append(places, "--workers", "0")...).client(t)
	rows := strings.Repeat(`{"text": "lamp", "labels": {"intent": "light"}}`+"\n"+`{"text": "song", "labels": {"intent": "music"}}`+"\n", 5)
	file, err := client.UploadFile(t.Context(), mistral.Upload{Filename: "rows.jsonl", Content: strings.NewReader(rows), Size: int64(len(rows))})
	if err != nil {
		t.Fatal(err)
	}
	job, err := client.CreateJob(t.Context(), mistral.CreateJobRequest{
		Model: "ministral-3b-latest", JobType: mistral.JobTypeClassifier, AutoStart: true,
		TrainingFiles: []mistral.TrainingFile{{FileID: file.ID, Weight: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	arguments := append([]string{"work", "--data-dir", t.TempDir(), "--listen", "127.0.0.1:0", "--until-idle", "1s"}, places...)
	output, err := command(t, "", arguments...).CombinedOutput()
	if err != nil || !strings.Contains(string(output), "nothing to do") {
		t.Errorf("ended with %v\n%s", err, output)
	}
	if found, err := client.GetJob(t.Context(), job.ID); err != nil || found.Status != mistral.JobSuccess {
		t.Errorf("job %+v, %v", found, err)
	}
}
