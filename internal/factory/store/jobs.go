package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const jobColumns = `id, tenant, model, suffix, status, auto_start, started, attempts, hyperparameters, integrations,
	input_type, metadata, trained_tokens, fine_tuned_model, created_at, modified_at, lease`

// fields are where jobColumns are read from and written to.
func (j *Job) fields() []any {
	return []any{&j.ID, &j.Tenant, &j.Model, &j.Suffix, &j.Status, &j.AutoStart, &j.Started, &j.attempts, asJSON(&j.Hyperparameters), asJSON(&j.Integrations),
		&j.InputType, asJSON(&j.Metadata), &j.TrainedTokens, &j.FineTunedModel, &j.CreatedAt, &j.ModifiedAt, &j.lease}
}

// findJob reads a job with its details and inputs.
func findJob(ctx context.Context, q querier, where string, arguments ...any) (Job, error) {
	j, err := one(ctx, q, func(r row) (j Job, err error) {
		err = r.Scan(append(j.fields(), asJSON(&j.Requested), asJSON(&j.Targets))...)
		return j, err
	}, `SELECT `+jobColumns+`, requested, targets FROM jobs JOIN job_details ON job_id = id WHERE `+where, arguments...)
	if err != nil {
		return Job{}, err
	}
	if j.Inputs, err = readInputs(ctx, q, j.ID); err != nil {
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

// newJobID returns an ID that no other job begins as, nor one whose model is left, so
// that their models do not take each other's.
func newJobID(ctx context.Context, tx *sql.Tx) (string, error) {
	for {
		id := uuid.NewString()
		var taken bool
		err := tx.QueryRowContext(ctx, `
			SELECT EXISTS (SELECT 1 FROM jobs WHERE id BETWEEN $1 AND $2)
			    OR EXISTS (SELECT 1 FROM models WHERE job_id BETWEEN $1 AND $2)`, id[:idInModelID], id[:idInModelID]+"~").Scan(&taken)
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

// errFileGone says that a file was deleted before its job referred to it.
var errFileGone = errors.New("a file is gone")

// CreateJob queues the job that request makes of a tenant's files, which it finds with
// what it is given. Many take their time, in which others may write: when one was deleted
// meanwhile, it begins anew.
func (s *Store) CreateJob(ctx context.Context, tenant string, limits Limits, now time.Time, request func(find func(id string) (File, error)) (Job, error)) (Job, error) {
	for {
		found := []string{}
		requested, err := request(func(id string) (File, error) {
			file, err := s.File(ctx, tenant, id)
			found = append(found, id)
			return file, err
		})
		if err != nil {
			return Job{}, err
		}
		created, err := s.addJob(ctx, tenant, limits, now, requested, found)
		if !errors.Is(err, errFileGone) {
			return created, err
		}
	}
}

// addJob queues a job unless one of the files that it was made of is gone.
func (s *Store) addJob(ctx context.Context, tenant string, limits Limits, now time.Time, created Job, files []string) (Job, error) {
	err := s.write(ctx, func(tx *sql.Tx) (err error) {
		var gone bool
		if err := tx.QueryRowContext(ctx, `
			SELECT EXISTS (SELECT 1 FROM `+s.dialect.strings("$1")+` AS file WHERE NOT EXISTS (SELECT 1 FROM files WHERE id = file.value))`,
			asJSON(&files)).Scan(&gone); err != nil {
			return err
		}
		if gone {
			return errFileGone
		}
		if err := errors.Join(limits.CheckInputs(created.Inputs), limits.checkJobs(ctx, tx, tenant)); err != nil {
			return err
		}
		if created.ID, err = newJobID(ctx, tx); err != nil {
			return err
		}
		if created.Named != nil {
			created.Named(created.ID)
		}
		created.Tenant, created.CreatedAt = tenant, now.Unix()
		created.complete()
		created.become(mistral.JobQueued, now)
		if err := insertJob(ctx, tx, s.dialect, &created); err != nil {
			return err
		}
		return limits.checkRecords(ctx, tx, tenant)
	})
	return created, err
}

func insertJob(ctx context.Context, tx *sql.Tx, d dialect, j *Job) error {
	fingerprint, err := j.fingerprint()
	if err != nil {
		return err
	}
	if err := refuseTwin(ctx, tx, j.Tenant, fingerprint); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO jobs (`+jobColumns+`, fingerprint) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18)`, append(j.fields(), fingerprint)...)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO job_details (job_id, requested, targets) VALUES ($1, $2, $3)`, j.ID, asJSON(&j.Requested), asJSON(&j.Targets))
	if err != nil {
		return err
	}
	if err := insertInputs(ctx, tx, d, j); err != nil {
		return err
	}
	if err := insertEvents(ctx, tx, j); err != nil {
		return err
	}
	if err := addTurns(ctx, tx, j.Tenant); err != nil {
		return err
	}
	return weighJob(ctx, tx, j.ID)
}

// addTurns has a tenant take turns in both stages.
func addTurns(ctx context.Context, tx *sql.Tx, tenant string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO turns VALUES ($1, $3, 0), ($2, $3, 0) ON CONFLICT DO NOTHING`, Validating, Training, tenant)
	return err
}

// refuseTwin keeps a tenant from training the same model twice at a time: mostly,
// that is a script that tries again because it did not see the first answer.
func refuseTwin(ctx context.Context, tx *sql.Tx, tenant, fingerprint string) error {
	twin, err := one(ctx, tx, func(r row) (*TwinError, error) {
		var twin TwinError
		err := r.Scan(&twin.ID, &twin.Status)
		return &twin, err
	}, `SELECT id, status FROM jobs WHERE tenant = $1 AND fingerprint = $2 AND status IN ('QUEUED', 'VALIDATING', 'VALIDATED', 'RUNNING') LIMIT 1`, tenant, fingerprint)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	return twin
}

// weighJob records what a job's rows take, about: its tenant has a quota of that. What
// does not grow with the request is 2000 bytes.
func weighJob(ctx context.Context, tx *sql.Tx, id string) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE jobs SET bytes = 2000 + octet_length(integrations)
			+ (SELECT octet_length(requested) + octet_length(targets) FROM job_details WHERE job_id = jobs.id)
			+ (SELECT coalesce(sum(200 + octet_length(filename)), 0) FROM inputs WHERE job_id = jobs.id)
			+ (SELECT coalesce(sum(octet_length(evaluation)), 0) FROM evaluations WHERE job_id = jobs.id)
		WHERE id = $1`, id)
	return err
}

// updateJob changes a job, of any tenant, within a transaction.
func (s *Store) updateJob(ctx context.Context, tx *sql.Tx, id string, change func(*Job) error) error {
	if err := s.lockJob(ctx, tx, id); err != nil {
		return err
	}
	j, err := findJob(ctx, tx, `id = $1`, id)
	if err != nil {
		return err
	}
	unfinished, held := !j.Status.Finished(), j.isHeld()
	if err := change(&j); err != nil {
		return err
	}
	if err := saveJob(ctx, tx, &j); err != nil {
		return err
	}
	if held && !j.isHeld() {
		if _, err := tx.ExecContext(ctx, `DELETE FROM leases WHERE job_id = $1`, id); err != nil {
			return err
		}
	}
	if unfinished && j.Status.Finished() {
		return endNeed(ctx, tx, id)
	}
	return nil
}

// UpdateJob changes a job in a transaction of its own.
func (s *Store) UpdateJob(ctx context.Context, id string, change func(*Job) error) error {
	return s.write(ctx, func(tx *sql.Tx) error { return s.updateJob(ctx, tx, id, change) })
}

// saveJob writes what can change about a job.
func saveJob(ctx context.Context, tx *sql.Tx, j *Job) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE jobs SET status = $1, started = $2, attempts = $3, hyperparameters = $4, integrations = $5, input_type = $6,
		                metadata = $7, trained_tokens = $8, fine_tuned_model = $9, modified_at = $10, lease = $11
		WHERE id = $12`,
		j.Status, j.Started, j.attempts, asJSON(&j.Hyperparameters), asJSON(&j.Integrations), j.InputType,
		asJSON(&j.Metadata), j.TrainedTokens, j.FineTunedModel, j.ModifiedAt, j.lease, j.ID)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE job_details SET targets = $1 WHERE job_id = $2`, asJSON(&j.Targets), j.ID); err != nil {
		return err
	}
	if err := insertEvents(ctx, tx, j); err != nil {
		return err
	}
	return weighJob(ctx, tx, j.ID)
}

func insertEvents(ctx context.Context, tx *sql.Tx, j *Job) error {
	for _, event := range j.newEvents {
		_, err := tx.ExecContext(ctx, `INSERT INTO events (job_id, name, data, created_at) VALUES ($1, $2, $3, $4)`,
			j.ID, event.Name, string(event.Data), event.CreatedAt)
		if err != nil {
			return err
		}
	}
	j.newEvents = nil
	return nil
}

// Stage is what a worker does with a job.
type Stage string

// The stages of a job.
const (
	Validating Stage = "validating"
	Training   Stage = "training"
)

// Job reads a tenant's job.
func (s *Store) Job(ctx context.Context, tenant, id string) (Job, error) {
	return findJob(ctx, s.reader, ofTenant+` AND id = $2`, tenant, id)
}

// DetailedJob reads a job with its events, oldest first, its checkpoints, newest
// first, and its evaluation.
func (s *Store) DetailedJob(ctx context.Context, tenant, id string) (mistral.DetailedJob, error) {
	// All of one moment: PostgreSQL else shows in each query what was done since the one before.
	tx, err := s.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
	if err != nil {
		return mistral.DetailedJob{}, err
	}
	defer func() { _ = tx.Rollback() }() // there is nothing to commit
	j, err := findJob(ctx, tx, ofTenant+` AND id = $2`, tenant, id)
	if err != nil {
		return mistral.DetailedJob{}, err
	}
	events, err := collect(ctx, tx, scanEvent, `
		SELECT name, data, created_at FROM events WHERE job_id = $1 ORDER BY sequence`, id)
	if err != nil {
		return mistral.DetailedJob{}, err
	}
	checkpoints, err := collect(ctx, tx, scanCheckpoint, `
		SELECT step, train_loss, valid_loss, created_at FROM checkpoints WHERE job_id = $1 ORDER BY step DESC`, id)
	if err != nil {
		return mistral.DetailedJob{}, err
	}
	evaluation, err := one(ctx, tx, scanEvaluation, `SELECT evaluation FROM evaluations WHERE job_id = $1`, id)
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
	if _, err := tx.ExecContext(ctx, `INSERT INTO evaluations (job_id, evaluation) VALUES ($1, $2)`, id, asJSON(evaluation)); err != nil {
		return err
	}
	return weighJob(ctx, tx, id)
}

func scanEvent(r row) (event mistral.Event, err error) {
	var data string
	err = r.Scan(&event.Name, &data, &event.CreatedAt)
	event.Data = json.RawMessage(data)
	return event, err
}

// TrainingsToGoOn has the IDs of the jobs that wait for training or are trained.
func (s *Store) TrainingsToGoOn(ctx context.Context) ([]string, error) {
	return collect(ctx, s.reader, scanString, `SELECT id FROM jobs WHERE started AND status IN ('QUEUED', 'RUNNING', 'CANCELLATION_REQUESTED')`)
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
func (s *Store) Jobs(ctx context.Context, filter JobFilter) (iter.Seq2[mistral.Job, error], int64, error) {
	where := conditions{dialect: s.dialect}
	where.addTenant("jobs", filter.Tenant)
	where.addUnlessEmpty("model = $%d", filter.Model)
	where.addUnlessEmpty("status || '' = $%d", filter.Status) // and nothing: not by the index of all tenants' jobs
	where.addUnlessEmpty("suffix = $%d", filter.Suffix)
	integrations := s.dialect.objects("nullif(integrations, 'null')")
	where.addUnlessEmpty("EXISTS (SELECT 1 FROM "+integrations+" AS i WHERE i.value ->> 'project' = $%d)", filter.WandbProject)
	where.addUnlessEmpty("EXISTS (SELECT 1 FROM "+integrations+" AS i WHERE i.value ->> 'name' = $%d)", filter.WandbName)
	// Creation is kept in whole seconds, so that the second itself belongs to both.
	if !filter.CreatedAfter.IsZero() {
		where.add("created_at >= $%d", filter.CreatedAfter.Unix())
	}
	if !filter.CreatedBefore.IsZero() {
		where.add("created_at <= $%d", filter.CreatedBefore.Unix())
	}

	var total int64
	if err := s.reader.QueryRowContext(ctx, `SELECT count(*) FROM jobs WHERE `+where.sql(), where.arguments...).Scan(&total); err != nil {
		return nil, 0, err
	}
	page, err := collect(ctx, s.reader, scanSequence, `SELECT sequence FROM jobs WHERE `+where.page(filter.Page), where.arguments...)
	return oneByOne(page, func(sequence int64) (mistral.Job, error) { return s.listedJob(ctx, sequence) }), total, err
}

// listedJob reads what a list shows of a job.
func (s *Store) listedJob(ctx context.Context, sequence int64) (mistral.Job, error) {
	j, err := one(ctx, s.reader, func(r row) (j Job, err error) {
		err = r.Scan(j.fields()...)
		return j, err
	}, `SELECT `+jobColumns+` FROM jobs WHERE sequence = $1`, sequence)
	if err != nil {
		return mistral.Job{}, err
	}
	if j.Inputs, err = readInputs(ctx, s.reader, j.ID); err != nil {
		return mistral.Job{}, err
	}
	j.complete()
	return j.Job, nil
}

// JobStatuses are those that a stored job can have.
var JobStatuses = []mistral.JobStatus{
	mistral.JobQueued, mistral.JobValidating, mistral.JobValidated, mistral.JobRunning, mistral.JobSuccess,
	mistral.JobFailedValidation, mistral.JobFailed, mistral.JobCancellationRequested, mistral.JobCancelled,
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

// WaitingSince tells since when the first of all tenants' jobs waits for each stage, if one does.
func (s *Store) WaitingSince(ctx context.Context) (map[Stage]time.Time, error) {
	since := map[Stage]time.Time{}
	_, err := collect(ctx, s.reader, func(r row) (stage Stage, err error) {
		var started bool
		var seconds int64
		err = r.Scan(&started, &seconds)
		stage = Validating
		if started {
			stage = Training
		}
		since[stage] = time.Unix(seconds, 0)
		return stage, err
	}, `SELECT started, min(modified_at) FROM jobs WHERE status = 'QUEUED' GROUP BY started`)
	return since, err
}
