package training

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// A job's folder is where its training puts aside what does not fit memory, and its state. It is
// named after the lease that the training is under. Who has the next one gives it another name:
// what a process still does that has lost its lease, but does not know it, finds no folder.

func (q *Queue) folder(lease store.Lease) string {
	return filepath.Join(q.scratch, fmt.Sprintf("%s.%d", lease.JobID, lease.Number))
}

// foldersOf has those that are left of a job, of which there is one at most unless a process was
// killed at the wrong moment.
func (q *Queue) foldersOf(jobID string) ([]string, error) {
	return filepath.Glob(filepath.Join(q.scratch, jobID+".*"))
}

// takeFolder goes on with the folder of the lease before, be it of another process on this
// directory, or makes one.
func (q *Queue) takeFolder(lease store.Lease) (string, error) {
	folder := q.folder(lease)
	left, err := q.foldersOf(lease.JobID)
	if err != nil {
		return "", err
	}
	for _, before := range left {
		if err := os.Rename(before, folder); err == nil || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := os.RemoveAll(before); err != nil { // there is one already
			return "", err
		}
	}
	return folder, os.MkdirAll(folder, 0o700)
}

// removeFolders is for a job that is not trained any longer.
func (q *Queue) removeFolders(ctx context.Context, jobID string) {
	left, err := q.foldersOf(jobID)
	for _, folder := range left {
		err = errors.Join(err, os.RemoveAll(folder))
	}
	if err != nil {
		q.logger.WarnContext(ctx, "what a training put aside is not removed", slog.String("job", jobID), slog.Any("error", err))
	}
}

// RemoveFolders removes what trainings put aside that will not go on, in this process or another.
func (q *Queue) RemoveFolders(ctx context.Context) error {
	entries, err := os.ReadDir(q.scratch) // before the jobs: a folder that comes later is not in it
	if err != nil {
		return err
	}
	wanted, err := q.store.TrainingsToGoOn(ctx)
	if err != nil {
		return err
	}
	var problems []error
	for _, entry := range entries {
		jobID, _, _ := strings.Cut(entry.Name(), ".")
		if !slices.Contains(wanted, jobID) {
			problems = append(problems, os.RemoveAll(filepath.Join(q.scratch, entry.Name())))
		}
	}
	return errors.Join(problems...)
}
