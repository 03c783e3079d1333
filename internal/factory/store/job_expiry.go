package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// ExpireJobs cancels every tenant's jobs that were validated a lifetime ago and that
// nobody has started, and removes those that were finished as long ago.
func (s *Store) ExpireJobs(ctx context.Context, lifetime time.Duration, now time.Time) error {
	before := now.Add(-lifetime).Unix()
	return errors.Join(
		s.eachExpired(ctx, `status = 'VALIDATED'`, before, func(id string) error { return s.cancelUnstarted(ctx, id, before, lifetime, now) }),
		s.eachExpired(ctx, `status IN ('SUCCESS', 'FAILED', 'FAILED_VALIDATION', 'CANCELLED')`, before, func(id string) error { return s.removeJob(ctx, id) }),
	)
}

// eachExpired passes the jobs one by one, so that others write meanwhile.
func (s *Store) eachExpired(ctx context.Context, condition string, before int64, expire func(id string) error) error {
	for {
		expired, err := collect(ctx, s.reader, scanString, `SELECT id FROM jobs WHERE `+condition+` AND modified_at <= $1 LIMIT $2`, before, expiredAtOnce)
		if err != nil || len(expired) == 0 {
			return err
		}
		for _, id := range expired {
			if err := expire(id); err != nil {
				return err
			}
		}
	}
}

func (s *Store) cancelUnstarted(ctx context.Context, id string, before int64, lifetime time.Duration, now time.Time) error {
	var cancelled *Job
	err := s.UpdateJob(ctx, id, func(j *Job) error {
		if j.Status == mistral.JobValidated && j.ModifiedAt <= before { // still
			j.update(mistral.StatusUpdate{Status: mistral.JobCancelled, Code: codeNotStarted,
				Error: fmt.Sprintf("Nobody has started the job within %v of its validation. Create it again.", lifetime)}, now)
			cancelled = j
		}
		return nil
	})
	if err != nil || cancelled == nil {
		return err
	}
	return s.ReleaseInputs(ctx, cancelled)
}

// removeJob forgets a finished job, which never changes again. Its model stays.
func (s *Store) removeJob(ctx context.Context, id string) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		for _, statement := range []string{
			`DELETE FROM events WHERE job_id = $1`,
			`DELETE FROM checkpoints WHERE job_id = $1`,
			`DELETE FROM evaluations WHERE job_id = $1`,
			`DELETE FROM inputs WHERE job_id = $1`,
			`DELETE FROM job_details WHERE job_id = $1`,
			`DELETE FROM jobs WHERE id = $1`,
		} {
			if _, err := tx.ExecContext(ctx, statement, id); err != nil {
				return err
			}
		}
		return nil
	})
}
