package factory

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const jobColumns = `id, tenant, model, suffix, status, auto_start, started, attempts, inputs,
	requested, hyperparameters, targets, integrations, input_type, metadata, trained_tokens, fine_tuned_model, created_at, modified_at`

// fields are where jobColumns are read from and written to.
func (j *job) fields() []any {
	return []any{&j.ID, &j.tenant, &j.Model, &j.Suffix, &j.Status, &j.AutoStart, &j.started, &j.attempts, asJSON(&j.inputs),
		asJSON(&j.requested), asJSON(&j.Hyperparameters), asJSON(&j.targets), asJSON(&j.Integrations), &j.inputType, asJSON(&j.Metadata), &j.TrainedTokens, &j.FineTunedModel, &j.CreatedAt, &j.ModifiedAt}
}

func scanJob(r row) (job, error) {
	var j job
	if err := r.Scan(j.fields()...); err != nil {
		return job{}, err
	}
	j.complete()
	return j, nil
}

// complete sets what is not stored.
func (j *job) complete() {
	j.Object, j.JobType = mistral.ObjectJob, mistral.JobTypeClassifier
	for _, input := range j.inputs {
		if input.Validation {
			j.ValidationFiles = append(j.ValidationFiles, input.FileID)
		} else {
			j.TrainingFiles = append(j.TrainingFiles, input.FileID)
		}
	}
}

// idInModelID is how much of a job's ID is in that of its model.
const idInModelID = 8

// newJobID returns an ID that no other job begins as, so that their models do not take
// each other's.
func newJobID(ctx context.Context, tx *sql.Tx) (string, error) {
	for {
		id := uuid.NewString()
		var taken bool
		err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM jobs WHERE id BETWEEN ? AND ?)`, id[:idInModelID], id[:idInModelID]+"~").Scan(&taken)
		if err != nil || !taken {
			return id, err
		}
	}
}

func insertJob(ctx context.Context, tx *sql.Tx, j *job) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO jobs (`+jobColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`, j.fields()...)
	if err != nil {
		return err
	}
	return insertEvents(ctx, tx, j)
}

// findTwin finds an unfinished job that would make the same model: of the same
// base model, files, hyperparameters, targets and suffix. How a job starts and
// where it reports to makes no other model.
func findTwin(ctx context.Context, tx *sql.Tx, j *job) (job, error) {
	return one(ctx, tx, scanJob, `
		SELECT `+jobColumns+` FROM jobs
		WHERE tenant = ? AND status IN ('QUEUED', 'VALIDATING', 'VALIDATED', 'RUNNING')
		  AND model = ? AND suffix IS ? AND inputs = ? AND requested = ? LIMIT 1`,
		j.tenant, j.Model, j.Suffix, asJSON(&j.inputs), asJSON(&j.requested))
}

// updateJob changes a job, of any tenant, within a transaction.
func updateJob(ctx context.Context, tx *sql.Tx, id string, change func(*job) error) error {
	j, err := one(ctx, tx, scanJob, `SELECT `+jobColumns+` FROM jobs WHERE id = ?`, id)
	if err != nil {
		return err
	}
	if err := change(&j); err != nil {
		return err
	}
	return saveJob(ctx, tx, &j)
}

// updateJob changes a job in a transaction of its own.
func (s *store) updateJob(ctx context.Context, id string, change func(*job) error) error {
	return s.write(ctx, func(tx *sql.Tx) error { return updateJob(ctx, tx, id, change) })
}

// saveJob writes what can change about a job.
func saveJob(ctx context.Context, tx *sql.Tx, j *job) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE jobs SET status = ?, started = ?, attempts = ?, hyperparameters = ?, targets = ?, input_type = ?,
		                metadata = ?, trained_tokens = ?, fine_tuned_model = ?, modified_at = ?
		WHERE id = ?`,
		j.Status, j.started, j.attempts, asJSON(&j.Hyperparameters), asJSON(&j.targets), j.inputType,
		asJSON(&j.Metadata), j.TrainedTokens, j.FineTunedModel, j.ModifiedAt, j.ID)
	if err != nil {
		return err
	}
	return insertEvents(ctx, tx, j)
}

func insertEvents(ctx context.Context, tx *sql.Tx, j *job) error {
	for _, event := range j.newEvents {
		_, err := tx.ExecContext(ctx, `INSERT INTO events (job_id, name, data, created_at) VALUES (?, ?, ?, ?)`,
			j.ID, event.Name, string(event.Data), event.CreatedAt)
		if err != nil {
			return err
		}
	}
	j.newEvents = nil
	return nil
}

// claimJob gives the next queued job to a worker, or errNotFound. Validation
// comes before training: it is short, and somebody waits for its answer. In both, the
// tenant is next whose last turn, if any, was taken first.
func (s *store) claimJob(ctx context.Context, turns []turn, now time.Time) (job, error) {
	var claimed job
	err := s.write(ctx, func(tx *sql.Tx) (err error) {
		claimed, err = one(ctx, tx, scanJob, `
			SELECT `+jobColumns+` FROM jobs WHERE status = 'QUEUED'
			ORDER BY started,
			         (SELECT turn.key FROM json_each(?) AS turn
			          WHERE turn.value ->> 'tenant' = jobs.tenant AND turn.value ->> 'started' = jobs.started),
			         modified_at, sequence LIMIT 1`, asJSON(&turns))
		if err != nil {
			return err
		}
		claimed.claim(now)
		if err := deleteCheckpoints(ctx, tx, claimed.ID); err != nil {
			return err
		}
		return saveJob(ctx, tx, &claimed)
	})
	return claimed, err
}

// resumeJobs queues the jobs whose worker died with the last process.
func (s *store) resumeJobs(ctx context.Context, now time.Time) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		abandoned, err := collect(ctx, tx, scanJob, `
			SELECT `+jobColumns+` FROM jobs WHERE status IN ('VALIDATING', 'RUNNING', 'CANCELLATION_REQUESTED')`)
		if err != nil {
			return err
		}
		for i := range abandoned {
			abandoned[i].resume(now)
			if err := saveJob(ctx, tx, &abandoned[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *store) job(ctx context.Context, tenant, id string) (job, error) {
	return one(ctx, s.reader, scanJob, `SELECT `+jobColumns+` FROM jobs WHERE tenant = ? AND id = ?`, tenant, id)
}

// detailedJob reads a job with its events, oldest first, its checkpoints, newest
// first, and its evaluation.
func (s *store) detailedJob(ctx context.Context, tenant, id string) (mistral.DetailedJob, error) {
	j, err := s.job(ctx, tenant, id)
	if err != nil {
		return mistral.DetailedJob{}, err
	}
	events, err := collect(ctx, s.reader, scanEvent, `
		SELECT name, data, created_at FROM events WHERE job_id = ? ORDER BY sequence`, id)
	if err != nil {
		return mistral.DetailedJob{}, err
	}
	checkpoints, err := collect(ctx, s.reader, scanCheckpoint, `
		SELECT step, train_loss, valid_loss, created_at FROM checkpoints WHERE job_id = ? ORDER BY step DESC`, id)
	if err != nil {
		return mistral.DetailedJob{}, err
	}
	evaluation, err := one(ctx, s.reader, scanEvaluation, `SELECT evaluation FROM evaluations WHERE job_id = ?`, id)
	if errors.Is(err, errNotFound) {
		err = nil // most jobs have none
	}
	return mistral.DetailedJob{Job: j.Job, ClassifierTargets: j.targets, Events: events, Checkpoints: checkpoints, Evaluation: evaluation}, err
}

func scanEvaluation(r row) (*mistral.Evaluation, error) {
	var evaluation mistral.Evaluation
	if err := r.Scan(asJSON(&evaluation)); err != nil {
		return nil, err
	}
	return &evaluation, nil
}

// insertEvaluation keeps an evaluation, if there is one.
func insertEvaluation(ctx context.Context, tx *sql.Tx, id string, evaluation *mistral.Evaluation) error {
	if evaluation == nil {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO evaluations (job_id, evaluation) VALUES (?, ?)`, id, asJSON(evaluation))
	return err
}

func scanEvent(r row) (event mistral.Event, err error) {
	var data string
	err = r.Scan(&event.Name, &data, &event.CreatedAt)
	event.Data = json.RawMessage(data)
	return event, err
}

func scanCheckpoint(r row) (checkpoint mistral.Checkpoint, err error) {
	metrics := &checkpoint.Metrics
	err = r.Scan(&checkpoint.StepNumber, &metrics.TrainLoss, &metrics.ValidLoss, &checkpoint.CreatedAt)
	if metrics.ValidLoss != nil {
		misnomer := math.Exp2(*metrics.ValidLoss)
		metrics.ValidMeanTokenAccuracy = &misnomer
	}
	return checkpoint, err
}

// addCheckpoints records how far a running job is.
func (s *store) addCheckpoints(ctx context.Context, id string, checkpoints []mistral.Checkpoint) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		for _, checkpoint := range checkpoints {
			if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO checkpoints (job_id, step, train_loss, valid_loss, created_at) VALUES (?, ?, ?, ?, ?)`,
				id, checkpoint.StepNumber, checkpoint.Metrics.TrainLoss, checkpoint.Metrics.ValidLoss, checkpoint.CreatedAt); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE jobs SET modified_at = ? WHERE id = ?`, checkpoints[len(checkpoints)-1].CreatedAt, id)
		return err
	})
}

func deleteCheckpoints(ctx context.Context, tx *sql.Tx, id string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM checkpoints WHERE job_id = ?`, id)
	return err
}

// jobFilter selects jobs of a list. Zero values select all.
type jobFilter struct {
	page
	tenant        string
	model         string
	status        string
	suffix        string
	wandbProject  string
	wandbName     string
	createdAfter  time.Time
	createdBefore time.Time
}

// jobs lists a page of a tenant's jobs, newest first, and counts all pages.
func (s *store) jobs(ctx context.Context, filter jobFilter) ([]mistral.Job, int64, error) {
	var where conditions
	where.add("tenant = ?", filter.tenant)
	where.addUnlessEmpty("model = ?", filter.model)
	where.addUnlessEmpty("status = ?", filter.status)
	where.addUnlessEmpty("suffix = ?", filter.suffix)
	where.addUnlessEmpty("EXISTS (SELECT 1 FROM json_each(integrations) AS i WHERE i.value ->> 'project' = ?)", filter.wandbProject)
	where.addUnlessEmpty("EXISTS (SELECT 1 FROM json_each(integrations) AS i WHERE i.value ->> 'name' = ?)", filter.wandbName)
	// Creation is kept in whole seconds, so that the second itself belongs to both.
	if !filter.createdAfter.IsZero() {
		where.add("created_at >= ?", filter.createdAfter.Unix())
	}
	if !filter.createdBefore.IsZero() {
		where.add("created_at <= ?", filter.createdBefore.Unix())
	}

	var total int64
	if err := s.reader.QueryRowContext(ctx, `SELECT count(*) FROM jobs WHERE `+where.sql(), where.arguments...).Scan(&total); err != nil {
		return nil, 0, err
	}
	arguments := append(where.arguments, filter.size, filter.offset())
	found, err := collect(ctx, s.reader, scanJob, `SELECT `+jobColumns+` FROM jobs WHERE `+where.sql()+` ORDER BY sequence DESC LIMIT ? OFFSET ?`, arguments...)
	listed := make([]mistral.Job, len(found))
	for i := range found {
		listed[i] = found[i].Job
	}
	return listed, total, err
}

// countJobs counts every tenant's jobs by state.
func (s *store) countJobs(ctx context.Context) (map[string]int64, error) {
	counts := map[string]int64{}
	_, err := collect(ctx, s.reader, func(r row) (status string, err error) {
		var jobs int64
		err = r.Scan(&status, &jobs)
		counts[status] = jobs
		return status, err
	}, `SELECT status, count(*) FROM jobs GROUP BY status`)
	return counts, err
}
