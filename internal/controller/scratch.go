package controller

import (
	"os"

	"github.com/classifier-factory/classifier-factory/internal/dataset"
)

// scratch makes temporary files in a directory.
type scratch string

// Create makes a file that only this process can read and that has no name: it
// is gone when it is closed, or when the process ends in whatever way.
func (directory scratch) Create() (dataset.ScratchFile, error) {
	file, err := os.CreateTemp(string(directory), "dataset-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}
