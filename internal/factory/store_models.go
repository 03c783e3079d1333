package factory

import (
	"context"
	"database/sql"

	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const modelColumns = `id, tenant, job_id, root, name, description, archived, input_type, targets, digest, created_at`

// model is a fine-tuned model as it is stored.
type model struct {
	id          string
	tenant      string
	jobID       string
	root        string
	name        *string
	description *string
	archived    bool
	inputType   dataset.InputType
	targets     []mistral.ClassifierTarget
	digest      string // of the model file
	createdAt   int64
}

// fields are where modelColumns are read from and written to.
func (m *model) fields() []any {
	return []any{&m.id, &m.tenant, &m.jobID, &m.root, &m.name, &m.description, &m.archived, &m.inputType, asJSON(&m.targets), &m.digest, &m.createdAt}
}

func scanModel(r row) (model, error) {
	var m model
	err := r.Scan(m.fields()...)
	return m, err
}

func insertModel(ctx context.Context, tx *sql.Tx, m model) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO models (`+modelColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?)`, m.fields()...)
	return err
}

func (s *store) model(ctx context.Context, tenant, id string) (model, error) {
	return one(ctx, s.reader, scanModel, `SELECT `+modelColumns+` FROM models WHERE tenant = ? AND id = ?`, tenant, id)
}

// indexedModel is what a classification needs to know of a model.
func (s *store) indexedModel(ctx context.Context, tenant, id string) (indexedModel, error) {
	return s.index.find(ctx, modelKey{tenant, id}, s.readIndexedModel)
}

func (s *store) readIndexedModel(ctx context.Context, key modelKey) (indexedModel, error) {
	return one(ctx, s.reader, func(r row) (m indexedModel, err error) {
		err = r.Scan(&m.digest, &m.inputType, &m.archived)
		return m, err
	}, `SELECT digest, input_type, archived FROM models WHERE tenant = ? AND id = ?`, key.tenant, key.id)
}

// models lists a tenant's models, newest first.
func (s *store) models(ctx context.Context, tenant string) ([]model, error) {
	return collect(ctx, s.reader, scanModel, `SELECT `+modelColumns+` FROM models WHERE tenant = ? ORDER BY sequence DESC`, tenant)
}

// updateModel changes what a tenant may change about a model.
func (s *store) updateModel(ctx context.Context, tenant, id string, change func(*model)) (m model, err error) {
	defer s.index.forget(modelKey{tenant, id}) // even if it seems to have failed
	err = s.write(ctx, func(tx *sql.Tx) error {
		m, err = one(ctx, tx, scanModel, `SELECT `+modelColumns+` FROM models WHERE tenant = ? AND id = ?`, tenant, id)
		if err != nil {
			return err
		}
		change(&m)
		_, err = tx.ExecContext(ctx, `UPDATE models SET name = ?, description = ?, archived = ? WHERE tenant = ? AND id = ?`,
			m.name, m.description, m.archived, tenant, id)
		return err
	})
	return m, err
}

func (s *store) deleteModel(ctx context.Context, tenant, id string) error {
	var digest string
	err := s.write(ctx, func(tx *sql.Tx) (err error) {
		digest, err = one(ctx, tx, scanString, `DELETE FROM models WHERE tenant = ? AND id = ? RETURNING digest`, tenant, id)
		return err
	})
	s.index.forget(modelKey{tenant, id}) // even if it seems to have failed
	if err != nil {
		return err
	}
	return s.releaseBlobs(context.WithoutCancel(ctx), digest)
}
