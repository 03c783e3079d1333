package training

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
)

// folder is where a job's training puts aside what does not fit memory, and its state.
func (q *Queue) folder(jobID string) string { return filepath.Join(q.scratch, jobID) }

// removeFolder is for a job that is not trained any longer.
func (q *Queue) removeFolder(ctx context.Context, jobID string) {
	if err := os.RemoveAll(q.folder(jobID)); err != nil {
		q.logger.WarnContext(ctx, "what a training put aside is not removed", slog.String("job", jobID), slog.Any("error", err))
	}
}

// RemoveFolders removes what trainings put aside that will not go on.
func (q *Queue) RemoveFolders(ctx context.Context) error {
	wanted, err := q.store.TrainingsToGoOn(ctx)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(q.scratch)
	if err != nil {
		return err
	}
	var problems []error
	for _, entry := range entries {
		if !slices.Contains(wanted, entry.Name()) {
			problems = append(problems, os.RemoveAll(q.folder(entry.Name())))
		}
	}
	return errors.Join(problems...)
}
