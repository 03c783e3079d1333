package training

import (
	"errors"
	"syscall"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// failure is an error on its way from the child, with all that its job's end depends on.
type failure struct {
	Message  string
	Invalid  *store.InvalidDataError `json:",omitempty"`
	Damaged  *blob.DamagedError      `json:",omitempty"`
	DiskFull bool                    `json:",omitempty"`
	Bucket   *blob.UnavailableError  `json:",omitempty"`
	Base     *store.BaseModelError   `json:",omitempty"`
}

func newFailure(err error) *failure {
	f := &failure{Message: err.Error(), DiskFull: store.IsDiskFull(err)}
	f.Invalid, _ = errors.AsType[*store.InvalidDataError](err)
	f.Base, _ = errors.AsType[*store.BaseModelError](err)
	f.Bucket, _ = errors.AsType[*blob.UnavailableError](err)
	f.Damaged, _ = errors.AsType[*blob.DamagedError](err)
	return f
}

func (f *failure) Error() string { return f.Message }

// Unwrap is what the error was in the child, as far as it matters.
func (f *failure) Unwrap() error {
	switch {
	case f.Invalid != nil:
		return f.Invalid
	case f.Damaged != nil:
		return f.Damaged
	case f.Base != nil:
		return f.Base
	case f.Bucket != nil:
		return f.Bucket
	case f.DiskFull:
		return syscall.ENOSPC
	}
	return nil
}
