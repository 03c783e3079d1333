package factory

import (
	"context"
	"errors"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// Report is what is in a directory, and what is wrong with it.
type Report = store.Report

// Verify reads everything in a factory's location and compares it with what it should
// be. The factory may be running: nothing is changed, and what comes and goes meanwhile
// is no problem.
func Verify(ctx context.Context, at Location) (*Report, error) {
	report, err := at.Verify(ctx)
	return report, explainVolume(at.Directory, err)
}

// Accept makes the location, which no factory may use meanwhile, go on with the
// database that it has, although that is older than the bytes or of another directory.
func Accept(ctx context.Context, at Location) error {
	lock, err := lockDirectory(at.Directory)
	if err != nil {
		return explainVolume(at.Directory, err)
	}
	return errors.Join(explainVolume(at.Directory, at.Accept(ctx)), lock.release())
}
