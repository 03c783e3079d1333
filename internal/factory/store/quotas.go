package store

import (
	"context"
	"database/sql"
	"fmt"
)

// Limits keep one tenant from using up what all share. Zero is no limit.
type Limits struct {
	FileBytes      int64 // of all files together
	UnfinishedJobs int
	Models         int // those that unfinished jobs are going to make included
}

// QuotaError says which limit a tenant would exceed.
type QuotaError struct{ message string }

func (e *QuotaError) Error() string { return e.message }

func newQuotaError(format string, arguments ...any) error {
	return &QuotaError{fmt.Sprintf(format, arguments...)}
}

// checkFileBytes is called after a file was added, in the same transaction.
func (l Limits) checkFileBytes(ctx context.Context, tx *sql.Tx, tenant string) error {
	if l.FileBytes == 0 {
		return nil
	}
	var used int64
	if err := tx.QueryRowContext(ctx, `SELECT sum(bytes) FROM files WHERE tenant = ?`, tenant).Scan(&used); err != nil {
		return err
	}
	if used > l.FileBytes {
		return newQuotaError("With this file, all files together would have more than %d bytes. Delete some first.", l.FileBytes)
	}
	return nil
}

// checkJobs is called before a job is added, in the same transaction.
func (l Limits) checkJobs(ctx context.Context, tx *sql.Tx, tenant string) error {
	var unfinished, models int
	err := tx.QueryRowContext(ctx, `
		SELECT (SELECT count(*) FROM jobs WHERE tenant = ?1 AND status IN (`+unfinishedStatuses+`)),
		       (SELECT count(*) FROM models WHERE tenant = ?1)`, tenant).Scan(&unfinished, &models)
	switch {
	case err != nil:
		return err
	case l.UnfinishedJobs > 0 && unfinished >= l.UnfinishedJobs:
		return newQuotaError("%d jobs are not finished, which is the limit. Wait for one or cancel one first.", unfinished)
	case l.Models > 0 && unfinished+models >= l.Models:
		return newQuotaError("There are %d models and %d unfinished jobs; at most %d models are allowed. Delete some first.", models, unfinished, l.Models)
	}
	return nil
}
