package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
)

// Input is a file of a job, as it was when the job was created.
type Input struct {
	FileID     string  `json:"file_id"`
	Filename   string  `json:"filename"`
	Digest     string  `json:"digest"`
	Bytes      int64   `json:"bytes"`
	Weight     float64 `json:"weight"`
	Validation bool    `json:"validation"`
}

const inputColumns = `file_id, filename, digest, bytes, weight, validation`

// fields are where inputColumns are read from and written to.
func (i *Input) fields() []any {
	return []any{&i.FileID, &i.Filename, &i.Digest, &i.Bytes, &i.Weight, &i.Validation}
}

func scanInput(r row) (Input, error) {
	var i Input
	err := r.Scan(i.fields()...)
	return i, err
}

func readInputs(ctx context.Context, q querier, jobID string) ([]Input, error) {
	return collect(ctx, q, scanInput, `SELECT `+inputColumns+` FROM inputs WHERE job_id = $1 ORDER BY position`, jobID)
}

// placedInput is an input as it is handed to the database, all of a job in one statement.
type placedInput struct {
	Input
	Position int `json:"position"`
}

func insertInputs(ctx context.Context, tx *sql.Tx, d dialect, j *Job) error {
	placed := make([]placedInput, len(j.Inputs))
	for i, input := range j.Inputs {
		placed[i] = placedInput{input, i}
	}
	//nolint:gosec // none of it comes from a request
	insert := `
		INSERT INTO inputs (job_id, position, ` + inputColumns + `)
		SELECT $1, CAST(value ->> 'position' AS BIGINT), value ->> 'file_id', value ->> 'filename', value ->> 'digest',
		       CAST(value ->> 'bytes' AS BIGINT), CAST(value ->> 'weight' AS DOUBLE PRECISION), CAST(value ->> 'validation' AS BOOLEAN)
		FROM ` + d.objects("$2")
	if _, err := tx.ExecContext(ctx, insert, j.ID, asJSON(&placed)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO needed (digest, inputs) SELECT digest, count(*) FROM inputs WHERE job_id = $1 GROUP BY digest
		ON CONFLICT (digest) DO UPDATE SET inputs = needed.inputs + excluded.inputs`, j.ID)
	return err
}

// endNeed is called once, when a job is finished.
func endNeed(ctx context.Context, tx *sql.Tx, jobID string) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE needed SET inputs = needed.inputs - ended.inputs
		FROM (SELECT digest, count(*) AS inputs FROM inputs WHERE job_id = $1 GROUP BY digest) AS ended WHERE needed.digest = ended.digest`, jobID)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM needed WHERE inputs = 0 AND digest IN (SELECT digest FROM inputs WHERE job_id = $1)`, jobID)
	return err
}

// fingerprint is the same for jobs that would make the same model: of the same base
// model, files, hyperparameters, targets and suffix. How a job starts and where it
// reports to makes no other model.
func (j *Job) fingerprint() (string, error) {
	identity, err := json.Marshal([]any{j.Model, j.Suffix, j.Inputs, j.Requested})
	digest := sha256.Sum256(identity)
	return hex.EncodeToString(digest[:]), err
}

// ReleaseInputs removes the bytes of files that were deleted while a job that is
// finished now needed them.
func (s *Store) ReleaseInputs(ctx context.Context, j *Job) error {
	digests, err := collect(ctx, s.reader, scanString, `SELECT digest FROM inputs WHERE job_id = $1`, j.ID)
	if err != nil {
		return err
	}
	return s.ReleaseBlobs(ctx, digests...)
}
