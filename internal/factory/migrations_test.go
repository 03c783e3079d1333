package factory

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// openedAt makes a database of an earlier version of the schema.
func openedAt(t *testing.T, directory string, version int64, statements ...string) {
	t.Helper()
	database, err := sql.Open("sqlite", filepath.Join(directory, store.DatabaseName))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = database.Close() }()
	provider, err := goose.NewProvider(goose.DialectSQLite3, database, os.DirFS(filepath.Join("store", "migrations", "sqlite")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := database.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

// A job, a file and a model as the first version wrote them.
const (
	jobOfVersion1 = `INSERT INTO jobs VALUES (1, '0b6d0000-0000-4000-8000-000000000000', 'alice', 'ministral-3b-latest', NULL, 'SUCCESS', 1, 1, 1,
		'[{"file_id":"f","filename":"a.jsonl","digest":"d","bytes":1,"weight":1,"validation":false}]',
		'{"hyperparameters":{"learning_rate":0.0001},"targets":null,"skip_fraction":0}', '{"training_steps":100,"learning_rate":0.0001,"weight_decay":0.1,"warmup_fraction":0.05,"epochs":1}',
		'[{"name":"intent","labels":["light","music"],"weight":1,"loss_function":"single_class"}]', '[]', 'Text', '{"cost":0}', 6553600, 'ft:m', 1, 2)`
	eventOfVersion1 = `INSERT INTO events VALUES (1, '0b6d0000-0000-4000-8000-000000000000', 'status-updated', '{"status":"SUCCESS"}', 2)`
	fileOfVersion1  = `INSERT INTO files VALUES (1, '1b6d0000-0000-4000-8000-000000000000', 'alice', 'a.jsonl', '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef', 1, 1,
		'fine-tune', 'pretrain', 'upload', 'workspace', 1)`
	modelOfVersion1 = `INSERT INTO models VALUES (1, 'ft:m', 'alice', '0b6d0000-0000-4000-8000-000000000000', 'ministral-3b-latest', 'name', NULL, 0, 'Text',
		'[{"name":"intent","labels":["light","music"],"weight":1,"loss_function":"single_class"}]', 'd', 2)`
)

// TestOpensWhatEarlierVersionsWrote: an update of the server keeps what it has.
func TestOpensWhatEarlierVersionsWrote(t *testing.T) {
	postgrestest.SQLiteOnly(t, "there was no PostgreSQL then")
	s := startServer(t, func(c *Config) {
		openedAt(t, c.Directory, 1, jobOfVersion1, eventOfVersion1, fileOfVersion1, modelOfVersion1)
	})
	client := s.client("alice-key")
	job, err := client.GetJob(t.Context(), "0b6d0000-0000-4000-8000-000000000000")
	if err != nil || job.Status != mistral.JobSuccess || len(job.Events) != 1 || job.Evaluation != nil || *job.FineTunedModel != "ft:m" {
		t.Errorf("GetJob() = %+v, %v", job, err)
	}
	file, err := client.GetFile(t.Context(), "1b6d0000-0000-4000-8000-000000000000")
	if err != nil || file.Filename != "a.jsonl" || file.ExpiresAt != nil {
		t.Errorf("GetFile() = %+v, %v", file, err)
	}
	model, err := client.GetModel(t.Context(), "ft:m")
	if err != nil || *model.Name != "name" {
		t.Errorf("GetModel() = %+v, %v", model, err)
	}
}

// TestUnfinishedJobsOfEarlierVersions need their files' bytes until they end, count in
// quotas, and name their files as before.
func TestUnfinishedJobsOfEarlierVersions(t *testing.T) {
	postgrestest.SQLiteOnly(t, "there was no PostgreSQL then")
	s := startServer(t, func(c *Config) {
		c.Limits.UnfinishedJobs = 1
		openedAt(t, c.Directory, 3, `INSERT INTO jobs VALUES (1, '0b6d0000-0000-4000-8000-000000000000', 'alice', 'ministral-3b-latest', NULL, 'VALIDATED', 0, 0, 0,
			'[{"file_id":"f","filename":"a.jsonl","digest":"d","bytes":1,"weight":2,"validation":false},{"file_id":"v","filename":"v.jsonl","digest":"e","bytes":1,"weight":1,"validation":true}]',
			'{"hyperparameters":{"learning_rate":0.0001},"targets":null,"skip_fraction":0}', '{"training_steps":100,"learning_rate":0.0001,"weight_decay":0.1,"warmup_fraction":0.05,"epochs":1}',
			'[{"name":"intent","labels":["light","music"],"weight":1,"loss_function":"single_class"}]', '[]', 'Text', '{"cost":0}', NULL, NULL, 1, 2)`)
		blobs := filepath.Join(c.Directory, "blobs")
		if err := os.MkdirAll(blobs, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, digest := range []string{"d", "e", "unused"} {
			if err := os.WriteFile(filepath.Join(blobs, digest), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	})
	if left := blobNames(t, s); len(left) != 3 {
		t.Errorf("blobs %v, want those of the job, and for a day what nothing needs", left)
	}
	client := s.client("alice-key")
	file := s.upload("intents.jsonl", intents(20)).ID
	if status, body := s.request("POST", "/v1/fine_tuning/jobs", `{"model": "ministral-3b-latest", "training_files": ["`+file+`"]}`); status != 403 {
		t.Errorf("a job beyond the quota: %d %s", status, body)
	}
	job, err := client.CancelJob(t.Context(), "0b6d0000-0000-4000-8000-000000000000")
	if err != nil || len(job.TrainingFiles) != 1 || job.TrainingFiles[0] != "f" || len(job.ValidationFiles) != 1 || job.ValidationFiles[0] != "v" || len(job.ClassifierTargets) != 1 {
		t.Errorf("CancelJob() = %+v, %v", job, err)
	}
	if left := blobNames(t, s); len(left) != 2 {
		t.Errorf("blobs %v, want that of the file, and for a day what nothing needs", left)
	}
}
