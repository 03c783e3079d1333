package factory

import (
	"context"
	"errors"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// Report is what is in a directory, and what is wrong with it.
type Report = store.Report

// Verify reads everything in a factory's directory and compares it with what it should
// be. The factory may be running: nothing is changed, and what comes and goes meanwhile
// is no problem.
func Verify(ctx context.Context, directory string) (*Report, error) {
	report, err := store.Verify(ctx, directory)
	return report, explainVolume(directory, err)
}

// Accept makes the directory, which no factory may use meanwhile, go on with the
// database that it has, although that is older than the bytes or of another directory.
func Accept(ctx context.Context, directory string) error {
	lock, err := lockDirectory(directory)
	if err != nil {
		return explainVolume(directory, err)
	}
	return errors.Join(explainVolume(directory, store.Accept(ctx, directory)), lock.release())
}
