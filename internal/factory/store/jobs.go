package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const jobColumns = `id, tenant, model, suffix, status, auto_start, started, attempts, inputs,
	requested, hyperparameters, targets, integrations, input_type, metadata, trained_tokens, fine_tuned_model, created_at, modified_at`

// fields are where jobColumns are read from and written to.
func (j *Job) fields() []any {
	return []any{&j.ID, &j.Tenant, &j.Model, &j.Suffix, &j.Status, &j.AutoStart, &j.Started, &j.attempts, asJSON(&j.Inputs),
		asJSON(&j.Requested), asJSON(&j.Hyperparameters), asJSON(&j.Targets), asJSON(&j.Integrations), &j.InputType, asJSON(&j.Metadata), &j.TrainedTokens, &j.FineTunedModel, &j.CreatedAt, &j.ModifiedAt}
}

func scanJob(r row) (Job, error) {
	var j Job
	if err := r.Scan(j.fields()...); err != nil {
		return Job{}, err
	}
	j.complete()
	return j, nil
}

// complete sets what is not stored.
func (j *Job) complete() {
	j.Object, j.JobType = mistral.ObjectJob, mistral.JobTypeClassifier
	for _, input := range j.Inputs {
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

// TwinError names an unfinished job that would make the same model as a new one.
type TwinError struct {
	ID     string
	Status mistral.JobStatus
}

func (e *TwinError) Error() string { return fmt.Sprintf("the job %s would make the same model", e.ID) }

// CreateJob queues the job that request makes of a tenant's files, which it finds
// with what it is given: in the transaction, so that none is deleted before the job
// refers to it.
func (s *Store) CreateJob(ctx context.Context, tenant string, limits Limits, now time.Time, request func(find func(id string) (File, error)) (Job, error)) (Job, error) {
	var created Job
	err := s.write(ctx, func(tx *sql.Tx) (err error) {
		created, err = request(func(id string) (File, error) { return findFile(ctx, tx, tenant, id) })
		if err != nil {
			return err
		}
		if err := limits.checkJobs(ctx, tx, tenant); err != nil {
			return err
		}
		if created.ID, err = newJobID(ctx, tx); err != nil {
			return err
		}
		created.Tenant, created.CreatedAt = tenant, now.Unix()
		created.complete()
		created.become(mistral.JobQueued, now)
		if err := refuseTwin(ctx, tx, &created); err != nil {
			return err
		}
		return insertJob(ctx, tx, &created)
	})
	return created, err
}

// refuseTwin keeps a tenant from training the same model twice at a time: mostly,
// that is a script that tries again because it did not see the first answer.
func refuseTwin(ctx context.Context, tx *sql.Tx, created *Job) error {
	twin, err := findTwin(ctx, tx, created)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return &TwinError{twin.ID, twin.Status}
}

func insertJob(ctx context.Context, tx *sql.Tx, j *Job) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO jobs (`+jobColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`, j.fields()...)
	if err != nil {
		return err
	}
	return insertEvents(ctx, tx, j)
}

// findTwin finds an unfinished job that would make the same model: of the same
// base model, files, hyperparameters, targets and suffix. How a job starts and
// where it reports to makes no other model.
func findTwin(ctx context.Context, tx *sql.Tx, j *Job) (Job, error) {
	return one(ctx, tx, scanJob, `
		SELECT `+jobColumns+` FROM jobs
		WHERE tenant = ? AND status IN ('QUEUED', 'VALIDATING', 'VALIDATED', 'RUNNING')
		  AND model = ? AND suffix IS ? AND inputs = ? AND requested = ? LIMIT 1`,
		j.Tenant, j.Model, j.Suffix, asJSON(&j.Inputs), asJSON(&j.Requested))
}

// updateJob changes a job, of any tenant, within a transaction.
func updateJob(ctx context.Context, tx *sql.Tx, id string, change func(*Job) error) error {
	j, err := one(ctx, tx, scanJob, `SELECT `+jobColumns+` FROM jobs WHERE id = ?`, id)
	if err != nil {
		return err
	}
	if err := change(&j); err != nil {
		return err
	}
	return saveJob(ctx, tx, &j)
}

// UpdateJob changes a job in a transaction of its own.
func (s *Store) UpdateJob(ctx context.Context, id string, change func(*Job) error) error {
	return s.write(ctx, func(tx *sql.Tx) error { return updateJob(ctx, tx, id, change) })
}

// saveJob writes what can change about a job.
func saveJob(ctx context.Context, tx *sql.Tx, j *Job) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE jobs SET status = ?, started = ?, attempts = ?, hyperparameters = ?, targets = ?, input_type = ?,
		                metadata = ?, trained_tokens = ?, fine_tuned_model = ?, modified_at = ?
		WHERE id = ?`,
		j.Status, j.Started, j.attempts, asJSON(&j.Hyperparameters), asJSON(&j.Targets), j.InputType,
		asJSON(&j.Metadata), j.TrainedTokens, j.FineTunedModel, j.ModifiedAt, j.ID)
	if err != nil {
		return err
	}
	return insertEvents(ctx, tx, j)
}

func insertEvents(ctx context.Context, tx *sql.Tx, j *Job) error {
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

// Turn is a tenant's, who has one in validation and one in training: who has many
// jobs must not hold up who has few.
type Turn struct {
	Tenant  string `json:"tenant"`
	Started bool   `json:"started"`
}

// ClaimJob gives the next queued job to a worker, or ErrNotFound. Validation
// comes before training: it is short, and somebody waits for its answer. In both, the
// tenant is next whose last turn, if any, was taken first.
func (s *Store) ClaimJob(ctx context.Context, turns []Turn, now time.Time) (Job, error) {
	var claimed Job
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

// ResumeJobs queues the jobs whose worker died with the last process.
func (s *Store) ResumeJobs(ctx context.Context, now time.Time) error {
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

// Job reads a tenant's job.
func (s *Store) Job(ctx context.Context, tenant, id string) (Job, error) {
	return one(ctx, s.reader, scanJob, `SELECT `+jobColumns+` FROM jobs WHERE `+ofTenant+` AND id = ?`, tenant, id)
}

// DetailedJob reads a job with its events, oldest first, its checkpoints, newest
// first, and its evaluation.
func (s *Store) DetailedJob(ctx context.Context, tenant, id string) (mistral.DetailedJob, error) {
	j, err := s.Job(ctx, tenant, id)
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
	if errors.Is(err, ErrNotFound) {
		err = nil // most jobs have none
	}
	return mistral.DetailedJob{Job: j.Job, ClassifierTargets: j.Targets, Events: events, Checkpoints: checkpoints, Evaluation: evaluation}, err
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

// scanCheckpoint gives a step that was not evaluated the zeros of the hosted service:
// its notebooks draw the losses that are not 0.
func scanCheckpoint(r row) (checkpoint mistral.Checkpoint, err error) {
	metrics := &checkpoint.Metrics
	err = r.Scan(&checkpoint.StepNumber, &metrics.TrainLoss, &metrics.ValidLoss, &checkpoint.CreatedAt)
	if metrics.ValidLoss == nil {
		metrics.ValidLoss, metrics.ValidMeanTokenAccuracy = new(0.0), new(0.0)
		return checkpoint, err
	}
	metrics.ValidMeanTokenAccuracy = new(math.Exp2(*metrics.ValidLoss))
	return checkpoint, err
}

// AddCheckpoints records how far a running job is.
func (s *Store) AddCheckpoints(ctx context.Context, id string, checkpoints []mistral.Checkpoint) error {
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

// JobFilter selects jobs of a list. Zero values select all.
type JobFilter struct {
	Page
	Tenant        string
	Model         string
	Status        string
	Suffix        string
	WandbProject  string
	WandbName     string
	CreatedAfter  time.Time
	CreatedBefore time.Time
}

// Jobs lists a page of a tenant's jobs, newest first, and counts all pages.
func (s *Store) Jobs(ctx context.Context, filter JobFilter) ([]mistral.Job, int64, error) {
	var where conditions
	where.addTenant("jobs", filter.Tenant)
	where.addUnlessEmpty("model = ?", filter.Model)
	where.addUnlessEmpty("status = ?", filter.Status)
	where.addUnlessEmpty("suffix = ?", filter.Suffix)
	where.addUnlessEmpty("EXISTS (SELECT 1 FROM json_each(integrations) AS i WHERE i.value ->> 'project' = ?)", filter.WandbProject)
	where.addUnlessEmpty("EXISTS (SELECT 1 FROM json_each(integrations) AS i WHERE i.value ->> 'name' = ?)", filter.WandbName)
	// Creation is kept in whole seconds, so that the second itself belongs to both.
	if !filter.CreatedAfter.IsZero() {
		where.add("created_at >= ?", filter.CreatedAfter.Unix())
	}
	if !filter.CreatedBefore.IsZero() {
		where.add("created_at <= ?", filter.CreatedBefore.Unix())
	}

	var total int64
	if err := s.reader.QueryRowContext(ctx, `SELECT count(*) FROM jobs WHERE `+where.sql(), where.arguments...).Scan(&total); err != nil {
		return nil, 0, err
	}
	arguments := append(where.arguments, filter.Size, filter.offset())
	found, err := collect(ctx, s.reader, scanJob, `SELECT `+jobColumns+` FROM jobs WHERE `+where.sql()+` ORDER BY sequence DESC LIMIT ? OFFSET ?`, arguments...)
	listed := make([]mistral.Job, len(found))
	for i := range found {
		listed[i] = found[i].Job
	}
	return listed, total, err
}

// CountJobs counts every tenant's jobs by state.
func (s *Store) CountJobs(ctx context.Context) (map[string]int64, error) {
	counts := map[string]int64{}
	_, err := collect(ctx, s.reader, func(r row) (status string, err error) {
		var jobs int64
		err = r.Scan(&status, &jobs)
		counts[status] = jobs
		return status, err
	}, `SELECT status, count(*) FROM jobs GROUP BY status`)
	return counts, err
}

// ReleaseInputs removes the bytes of files that were deleted while a job that is
// finished now needed them.
func (s *Store) ReleaseInputs(ctx context.Context, j *Job) error {
	digests := make([]string, len(j.Inputs))
	for i, input := range j.Inputs {
		digests[i] = input.Digest
	}
	return s.ReleaseBlobs(ctx, digests...)
}
