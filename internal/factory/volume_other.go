//go:build !linux

package factory

import "errors"

// volumeBytes is known on Linux alone.
func volumeBytes(string) (size, available float64, err error) { return 0, 0, errors.ErrUnsupported }
