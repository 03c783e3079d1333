package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Limits keep one tenant from using up what all share. Zero is no limit.
type Limits struct {
	FileBytes      int64 // of all files together
	JobFileBytes   int64 // of the files of one job
	UnfinishedJobs int
	Models         int   // those that unfinished jobs are going to make included
	RecordBytes    int64 // of all that is kept of jobs and models in the database
}

// QuotaError says which limit a tenant would exceed.
type QuotaError struct{ message string }

func (e *QuotaError) Error() string { return e.message }

func newQuotaError(format string, arguments ...any) error {
	return &QuotaError{fmt.Sprintf(format, arguments...)}
}

// CheckInputs is called before a job is added.
func (l Limits) CheckInputs(inputs []Input) error {
	var size int64
	for _, input := range inputs {
		size += input.Bytes
	}
	if l.JobFileBytes > 0 && size > l.JobFileBytes {
		return newQuotaError("The files of the job have %d bytes together; a job can have %d. Leave some out.", size, l.JobFileBytes)
	}
	return nil
}

// usage is what a tenant has.
type usage struct {
	fileBytes, unfinishedJobs, models, recordBytes int64
}

func readUsage(ctx context.Context, tx *sql.Tx, tenant string) (usage, error) {
	used, err := one(ctx, tx, func(r row) (u usage, err error) {
		err = r.Scan(&u.fileBytes, &u.unfinishedJobs, &u.models, &u.recordBytes)
		return u, err
	}, `SELECT file_bytes, unfinished_jobs, models, record_bytes FROM usage WHERE tenant = $1`, tenant)
	if errors.Is(err, ErrNotFound) {
		err = nil // nothing yet
	}
	return used, err
}

// checkFileBytes is called after a file was added, in the same transaction.
func (l Limits) checkFileBytes(ctx context.Context, tx *sql.Tx, tenant string) error {
	used, err := readUsage(ctx, tx, tenant)
	switch {
	case err != nil:
		return err
	case l.FileBytes > 0 && used.fileBytes > l.FileBytes:
		return newQuotaError("With this file, all files together would have more than %d bytes. Delete some first.", l.FileBytes)
	}
	return nil
}

// checkJobs is called before a job is added, in the same transaction.
func (l Limits) checkJobs(ctx context.Context, tx *sql.Tx, tenant string) error {
	used, err := readUsage(ctx, tx, tenant)
	switch {
	case err != nil:
		return err
	case l.UnfinishedJobs > 0 && used.unfinishedJobs >= int64(l.UnfinishedJobs):
		return newQuotaError("%d jobs are not finished, which is the limit. Wait for one or cancel one first.", used.unfinishedJobs)
	case l.Models > 0 && used.unfinishedJobs+used.models >= int64(l.Models):
		return newQuotaError("There are %d models and %d unfinished jobs; at most %d models are allowed. Delete some first.", used.models, used.unfinishedJobs, l.Models)
	}
	return nil
}

// checkRecords is called after a job was added, in the same transaction.
func (l Limits) checkRecords(ctx context.Context, tx *sql.Tx, tenant string) error {
	used, err := readUsage(ctx, tx, tenant)
	switch {
	case err != nil:
		return err
	case l.RecordBytes > 0 && used.recordBytes > l.RecordBytes:
		return newQuotaError("With this job, the records of all jobs and models would have %d bytes; at most %d are allowed. "+
			"Labels and lists of files are most of them. Name fewer, delete models, or wait until jobs that are finished expire.", used.recordBytes, l.RecordBytes)
	}
	return nil
}
