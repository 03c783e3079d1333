package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// ErrLeaseLost says that a job was taken from its worker, who was silent for too long: what he
// still has to say of it is refused.
var ErrLeaseLost = errors.New("the lease of the job is lost")

// Holder is a process that works on jobs.
type Holder struct {
	ID     string        // no other process's, not even that of one before it
	Lease  time.Duration // how long it may be silent before its jobs are given to others
	Models []string      // base models of the jobs that it takes; nil: any
}

// Lease is a job in the hands of a holder.
type Lease struct {
	JobID  string
	Number int64 // of the job's newest lease, or what comes with it is refused
}

// Lease is what a worker proves by that he has the job.
func (j *Job) Lease() Lease { return Lease{j.ID, j.lease} }

// isHeld says that a worker has the job.
func (j *Job) isHeld() bool {
	switch j.Status {
	case mistral.JobValidating, mistral.JobRunning, mistral.JobCancellationRequested:
		return true
	}
	return false
}

// UpdateHeldJob changes a job in the name of its worker.
func (s *Store) UpdateHeldJob(ctx context.Context, lease Lease, change func(*Job) error) error {
	return s.write(ctx, func(tx *sql.Tx) error { return s.updateHeldJob(ctx, tx, lease, change) })
}

func (s *Store) updateHeldJob(ctx context.Context, tx *sql.Tx, lease Lease, change func(*Job) error) error {
	return s.updateJob(ctx, tx, lease.JobID, func(j *Job) error {
		if j.lease != lease.Number {
			return ErrLeaseLost
		}
		return change(j)
	})
}

// writeHeld changes what belongs to a job in the name of its worker.
func (s *Store) writeHeld(ctx context.Context, lease Lease, change func(*sql.Tx) error) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if err := s.lockJob(ctx, tx, lease.JobID); err != nil {
			return err
		}
		newest, err := one(ctx, tx, scanSequence, `SELECT lease FROM jobs WHERE id = $1`, lease.JobID)
		if err != nil {
			return err
		}
		if newest != lease.Number {
			return ErrLeaseLost
		}
		return change(tx)
	})
}

// lockJob waits until nobody else changes the job: claims are made beside other changes.
func (s *Store) lockJob(ctx context.Context, tx *sql.Tx, id string) error {
	if s.dialect.lockJob == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, s.dialect.lockJob, id)
	return err
}

// errTurnOver says that a tenant's last job was taken while he was chosen.
var errTurnOver = errors.New("the tenant has no job left")

// ClaimJob gives a holder the next job of a stage, or ErrNotFound. It is that of the tenant whose
// last turn in the stage, if any, was taken first. Of one tenant no two jobs are validated at
// a time, so that a worker is left for others.
func (s *Store) ClaimJob(ctx context.Context, stage Stage, by Holder, now time.Time) (Job, error) {
	for _, lock := range s.dialect.turnLocks {
		claimed, err := s.claimJob(ctx, stage, by, now, lock)
		for errors.Is(err, errTurnOver) {
			claimed, err = s.claimJob(ctx, stage, by, now, lock)
		}
		if !errors.Is(err, ErrNotFound) {
			return claimed, err
		}
	}
	return Job{}, ErrNotFound
}

// claimJob is no change that others wait for. On PostgreSQL several claim at a time: each locks
// the turn of another tenant or, when those that are left are all locked, waits for one.
func (s *Store) claimJob(ctx context.Context, stage Stage, by Holder, now time.Time, lock string) (claimed Job, err error) {
	err = s.transact(ctx, func(tx *sql.Tx) error {
		tenant, err := one(ctx, tx, scanString, s.nextTenant(lock), stage == Training, stage, asJSON(&by.Models))
		if err != nil {
			return err
		}
		// Those before may have changed what the tenant was chosen by.
		id, err := one(ctx, tx, scanString, `
			SELECT id FROM jobs WHERE status = 'QUEUED' AND started = $1 AND tenant = $2 AND `+s.takes("$3")+`
			  AND (started OR tenant NOT IN (SELECT tenant FROM jobs WHERE status = 'VALIDATING'))
			ORDER BY modified_at, sequence LIMIT 1`+s.dialect.skipLocked, stage == Training, tenant, asJSON(&by.Models))
		if errors.Is(err, ErrNotFound) {
			return errTurnOver
		}
		if err != nil {
			return err
		}
		claimed, err = s.giveJob(ctx, tx, id, by, now)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE turns SET taken = $1 WHERE stage = $2 AND tenant = $3`, claimed.lease, stage, tenant)
		return err
	})
	return claimed, err
}

// takes is the condition of jobs that a holder takes.
func (s *Store) takes(models string) string {
	return `(` + models + ` = 'null' OR model IN (SELECT value FROM ` + s.dialect.strings(models) + `))`
}

// nextTenant goes from one tenant who waits to the next by the index, and so takes no longer
// when each has thousands of jobs.
func (s *Store) nextTenant(lock string) string {
	waits := `status = 'QUEUED' AND started = $1 AND ` + s.takes("$3")
	return `
		WITH RECURSIVE waiting (name) AS (
			SELECT min(tenant) FROM jobs WHERE ` + waits + `
			UNION ALL
			SELECT (SELECT min(tenant) FROM jobs WHERE ` + waits + ` AND tenant > name) FROM waiting WHERE name IS NOT NULL
		)
		SELECT turns.tenant FROM turns JOIN waiting ON waiting.name = turns.tenant
		WHERE turns.stage = $2 AND ($1 OR turns.tenant NOT IN (SELECT tenant FROM jobs WHERE status = 'VALIDATING'))
		ORDER BY turns.taken, (
			SELECT sequence FROM jobs WHERE ` + waits + ` AND jobs.tenant = turns.tenant ORDER BY modified_at, sequence LIMIT 1)
		LIMIT 1` + lock
}

// giveJob begins a lease.
func (s *Store) giveJob(ctx context.Context, tx *sql.Tx, id string, to Holder, now time.Time) (Job, error) {
	j, err := findJob(ctx, tx, `id = $1`, id)
	if err != nil {
		return Job{}, err
	}
	number, err := one(ctx, tx, scanSequence, `
		INSERT INTO leases (job_id, holder, expires_at) VALUES ($1, $2, `+s.dialect.now+` + $3) RETURNING sequence`,
		id, to.ID, to.Lease.Milliseconds())
	if err != nil {
		return Job{}, err
	}
	j.claim(number, now)
	return j, saveJob(ctx, tx, &j)
}

// RenewLeases says that a holder lives. It returns the numbers of the leases that he has, with
// the states of their jobs.
func (s *Store) RenewLeases(ctx context.Context, of Holder) (map[int64]mistral.JobStatus, error) {
	renewed := map[int64]mistral.JobStatus{}
	err := s.transact(ctx, func(tx *sql.Tx) error {
		_, err := collect(ctx, tx, func(r row) (number int64, err error) {
			var status mistral.JobStatus
			err = r.Scan(&number, &status)
			renewed[number] = status
			return number, err
		}, `UPDATE leases SET expires_at = `+s.dialect.now+` + $1 WHERE holder = $2
			RETURNING sequence, (SELECT status FROM jobs WHERE id = job_id)`, of.Lease.Milliseconds(), of.ID)
		return err
	})
	return renewed, err
}

// ExpireLeases queues the jobs whose holders are silent for too long. With SQLite, the one who
// could say so is the holder.
func (s *Store) ExpireLeases(ctx context.Context, now time.Time) error {
	if s.dialect.isAlone {
		return nil
	}
	return s.takeBackJobs(ctx, `expires_at <= `+s.dialect.now+` AND $1 = ''`, "", now)
}

// TakeBackJobs queues the jobs of holders that are known to be gone: whose IDs begin with gone. It
// is called before this process claims any: with SQLite, all holders are gone then.
func (s *Store) TakeBackJobs(ctx context.Context, gone string, now time.Time) error {
	if s.dialect.isAlone {
		return s.takeBackJobs(ctx, `$1 = $1`, "", now)
	}
	return s.takeBackJobs(ctx, `$1 <> '' AND holder LIKE $1 || '%'`, gone, now)
}

// takeBackJobs takes the condition of leases that are at their end, and its argument. A job that
// nobody has a lease of is taken back, too: it is from before there were leases.
func (s *Store) takeBackJobs(ctx context.Context, dead, argument string, now time.Time) error {
	abandoned, err := collect(ctx, s.reader, scanString, `
		SELECT id FROM jobs LEFT JOIN leases ON job_id = id
		WHERE status IN ('VALIDATING', 'RUNNING', 'CANCELLATION_REQUESTED') AND (job_id IS NULL OR `+dead+`)`, argument)
	if err != nil {
		return err
	}
	for _, id := range abandoned {
		if err := s.takeBackJob(ctx, id, dead, argument, now); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) takeBackJob(ctx context.Context, id, dead, argument string, now time.Time) error {
	var ended *Job
	err := s.write(ctx, func(tx *sql.Tx) error {
		if err := s.lockJob(ctx, tx, id); err != nil {
			return err
		}
		// It may have changed hands, or its holder have spoken, since it was found.
		//nolint:gosec // none of it comes from a request
		if _, err := tx.ExecContext(ctx, `DELETE FROM leases WHERE job_id = $2 AND `+dead, argument, id); err != nil {
			return err
		}
		var held bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM leases WHERE job_id = $1)`, id).Scan(&held); err != nil || held {
			return err
		}
		return s.updateJob(ctx, tx, id, func(j *Job) error {
			if !j.isHeld() {
				return nil
			}
			j.resume(now)
			if j.Status.Finished() {
				ended = j
			}
			return nil
		})
	})
	if err != nil || ended == nil {
		return err
	}
	return s.ReleaseInputs(ctx, ended)
}
