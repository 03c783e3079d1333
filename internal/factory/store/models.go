package store

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	listedModelColumns = `id, tenant, job_id, root, name, description, archived, input_type, digest, created_at`
	modelColumns       = listedModelColumns + `, targets`
)

// Model is a fine-tuned model as it is stored.
type Model struct {
	ID          string
	Tenant      string
	JobID       string
	Root        string
	Name        *string
	Description *string
	Archived    bool
	inputType   dataset.InputType
	Targets     []mistral.ClassifierTarget
	Digest      string // of the model file
	CreatedAt   int64
}

// newModel is what a job makes.
func newModel(j *Job, digest string, now time.Time) Model {
	return Model{
		ID:        modelID(j),
		Tenant:    j.Tenant,
		JobID:     j.ID,
		Root:      j.Model,
		inputType: j.InputType,
		Targets:   j.Targets,
		Digest:    digest,
		CreatedAt: now.Unix(),
	}
}

// WorkspaceID is stable for a tenant and does not tell its name.
func WorkspaceID(tenant string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte("classifier-factory/"+tenant)).String()
}

// modelID names the model that a job makes: it ends with a part of the job's ID.
func modelID(j *Job) string {
	suffix := ""
	if j.Suffix != nil && *j.Suffix != "" {
		suffix = *j.Suffix + ":"
	}
	return fmt.Sprintf("%s%s:%s:%s:%s%s", mistral.ClassifierModelPrefix,
		j.Model, WorkspaceID(j.Tenant)[:8], time.Unix(j.CreatedAt, 0).UTC().Format("20060102"), suffix, j.ID[:idInModelID])
}

// fields are where modelColumns are read from and written to.
func (m *Model) fields() []any {
	return []any{&m.ID, &m.Tenant, &m.JobID, &m.Root, &m.Name, &m.Description, &m.Archived, &m.inputType, &m.Digest, &m.CreatedAt, asJSON(&m.Targets)}
}

func scanModel(r row) (Model, error) {
	var m Model
	err := r.Scan(m.fields()...)
	return m, err
}

func insertModel(ctx context.Context, tx *sql.Tx, m Model) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO models (`+modelColumns+`, inherited) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11, (SELECT inherited FROM jobs WHERE id = $12))`,
		append(m.fields(), m.JobID)...)
	return err
}

// KeepModel names the bytes of the model that a job has made, and records the job's
// success and how the model was evaluated, if it was. Of a job that is to be
// cancelled it keeps nothing.
func (s *Store) KeepModel(ctx context.Context, lease Lease, staged blob.Staged, digest string, evaluation *mistral.Evaluation, now time.Time) error {
	return s.nameBlob(ctx, staged, digest, func(tx *sql.Tx) error {
		return s.updateHeldJob(ctx, tx, lease, func(j *Job) error {
			kept := newModel(j, digest, now)
			if !j.succeed(kept.ID, now) {
				return nil
			}
			if err := insertModel(ctx, tx, kept); err != nil {
				return err
			}
			return insertEvaluation(ctx, tx, j.ID, evaluation)
		})
	})
}

// Model reads a tenant's model.
func (s *Store) Model(ctx context.Context, tenant, id string) (Model, error) {
	return one(ctx, s.reader, scanModel, `SELECT `+modelColumns+` FROM models WHERE `+ofTenant+` AND id = $2`, tenant, id)
}

// ServedModel is what a classification needs to know of a model.
type ServedModel struct {
	Digest    string
	InputType dataset.InputType
	Archived  bool
}

// ServedModel reads what a classification needs to know of a tenant's model.
func (s *Store) ServedModel(ctx context.Context, tenant, id string) (ServedModel, error) {
	return one(ctx, s.reader, func(r row) (m ServedModel, err error) {
		err = r.Scan(&m.Digest, &m.InputType, &m.Archived)
		return m, err
	}, `SELECT digest, input_type, archived FROM models WHERE `+ofTenant+` AND id = $2`, tenant, id)
}

// Models lists a tenant's models, newest first, without their targets.
func (s *Store) Models(ctx context.Context, tenant string) (iter.Seq2[Model, error], error) {
	all, err := collect(ctx, s.reader, scanSequence, `SELECT sequence FROM models WHERE `+ofTenant+` ORDER BY sequence DESC`, tenant)
	return oneByOne(all, func(sequence int64) (Model, error) {
		return one(ctx, s.reader, func(r row) (m Model, err error) {
			fields := m.fields()
			err = r.Scan(fields[:len(fields)-1]...)
			return m, err
		}, `SELECT `+listedModelColumns+` FROM models WHERE sequence = $1`, sequence)
	}), err
}

// UpdateModel changes what a tenant may change about a model.
func (s *Store) UpdateModel(ctx context.Context, tenant, id string, change func(*Model)) (m Model, err error) {
	defer s.modelChanged(tenant, id) // even if it seems to have failed
	err = s.write(ctx, func(tx *sql.Tx) error {
		m, err = one(ctx, tx, scanModel, `SELECT `+modelColumns+` FROM models WHERE `+ofTenant+` AND id = $2`, tenant, id)
		if err != nil {
			return err
		}
		change(&m)
		_, err = tx.ExecContext(ctx, `UPDATE models SET name = $1, description = $2, archived = $3 WHERE tenant = $4 AND id = $5`,
			m.Name, m.Description, m.Archived, m.Tenant, id)
		return err
	})
	return m, err
}

// DeleteModel removes its bytes as well, unless something else needs them.
func (s *Store) DeleteModel(ctx context.Context, tenant, id string) error {
	var digest string
	err := s.write(ctx, func(tx *sql.Tx) (err error) {
		digest, err = one(ctx, tx, scanString, `DELETE FROM models WHERE `+ofTenant+` AND id = $2 RETURNING digest`, tenant, id)
		return err
	})
	s.modelChanged(tenant, id) // even if it seems to have failed
	if err != nil {
		return err
	}
	return s.ReleaseBlobs(context.WithoutCancel(ctx), digest)
}
