package controller

import (
	"fmt"
	"os"

	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/turns"
)

// room is what a pass has of the staging. It makes temporary files.
type room struct {
	staging  *staging
	who      turns.Who
	reserved int64
	used     int64
	most     int64 // ever used
}

// roomError says that a pass needs more room than it can have now.
type roomError struct{ needed int64 }

func (e *roomError) Error() string { return fmt.Sprintf("no room for %d bytes", e.needed) }

// Create makes a file that only this process can read and that has no name: it
// is gone when it is closed, or when the process ends in whatever way.
func (r *room) Create() (dataset.ScratchFile, error) {
	file, err := os.CreateTemp(r.staging.directory, "dataset-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		_ = file.Close()
		return nil, err
	}
	return &scratchFile{File: file, room: r}, nil
}

// take asks for bytes that are about to be written.
func (r *room) take(bytes int64) error {
	needed := r.used + bytes
	if more := needed - r.reserved; more > 0 && !r.grow(max(more, roomStep)) && !r.grow(more) {
		return &roomError{needed}
	}
	r.used, r.most = needed, max(r.most, needed)
	return nil
}

func (r *room) grow(more int64) bool {
	if !r.staging.line.Grow(r.who, more) {
		return false
	}
	r.reserved += more
	return true
}

type scratchFile struct {
	*os.File
	room *room
	size int64
}

func (f *scratchFile) Write(p []byte) (int, error) {
	if err := f.room.take(int64(len(p))); err != nil {
		return 0, err
	}
	f.size += int64(len(p))
	return f.File.Write(p)
}

// Close lets the pass use the file's bytes for another one.
func (f *scratchFile) Close() error {
	f.room.used -= f.size
	f.size = 0
	return f.File.Close()
}
