package controller

import (
	"context"
	"io"
	"os"

	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/source"
)

// stagedFile is a source's content on disk, on its way to the factory.
type stagedFile struct {
	file   *os.File
	report dataset.Report
}

// stage copies a source to disk and validates it on the way.
func stage(ctx context.Context, from source.Source, directory string, limits dataset.Limits) (*stagedFile, error) {
	content, err := from.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = content.Close() }()

	// CreateTemp gives mode 0600: samples are nobody else's business.
	file, err := os.CreateTemp(directory, "dataset-*.jsonl")
	if err != nil {
		return nil, err
	}
	staged := &stagedFile{file: file}
	if staged.report, err = dataset.Validate(ctx, io.TeeReader(content, file), limits); err != nil {
		staged.remove()
		return nil, err
	}
	return staged, nil
}

// reader reads the content from its start.
func (s *stagedFile) reader() io.Reader {
	return io.NewSectionReader(s.file, 0, s.report.SizeBytes)
}

func (s *stagedFile) remove() {
	_ = s.file.Close()
	_ = os.Remove(s.file.Name())
}
