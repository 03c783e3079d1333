package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
)

// generationName is that of the file that says which database belongs to a directory.
const generationName = "generation"

// generation is a point in the history of a database. Every change is one more. It is
// committed with the change, and then written beside the database: after a crash the
// file is behind, never ahead. Where it is ahead, the database is an older one.
type generation struct {
	id     string // of the history
	number int64
}

// line always has the same length, so that it is replaced in place.
func (g generation) line() []byte { return fmt.Appendf(nil, "%s %020d\n", g.id, g.number) }

func scanGeneration(r row) (generation, error) {
	var g generation
	err := r.Scan(&g.id, &g.number)
	return g, err
}

// storedGeneration is that of a database.
func storedGeneration(ctx context.Context, q querier) (generation, error) {
	return one(ctx, q, scanGeneration, `SELECT id, number FROM generation`)
}

// fileGeneration is that of the file, or the zero value if there is no file. Of one that
// cannot be understood it returns an error.
func fileGeneration(directory string) (generation, error) {
	path := filepath.Join(directory, generationName)
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return generation{}, nil
	}
	if err != nil {
		return generation{}, err
	}
	var g generation
	if _, err := fmt.Sscanf(string(content), "%32s %d\n", &g.id, &g.number); err != nil || string(g.line()) != string(content) {
		return generation{}, fmt.Errorf("%s is damaged", path)
	}
	return g, nil
}

// writeGeneration makes the file last before anything is built on it.
func writeGeneration(directory string, g generation) error {
	path := filepath.Join(directory, generationName)
	file, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(g.line())
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return blob.SyncDirectory(directory)
}

// openGeneration brings the file up to a database that may be used, and keeps it open. One of the
// same database may be open in other processes, and is not replaced.
func (s *Store) openGeneration(ctx context.Context, directory string) error {
	present, err := storedGeneration(ctx, s.writer)
	if err != nil {
		return err
	}
	if known, unknown := fileGeneration(directory); unknown != nil || known.id != present.id {
		if err := writeGeneration(directory, present); err != nil {
			return err
		}
	}
	s.generation, err = os.OpenFile(filepath.Join(directory, generationName), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err := s.generation.Chmod(0o600); !errors.Is(err, fs.ErrPermission) { // what another user owns is as he wants it
		return err
	}
	return nil
}

// advance begins every change. On PostgreSQL a change waits here, for the row, until the one
// before it has ended, in whatever process: what it reads stays so until it is committed, as in
// SQLite, which has one writer at a time.
func advance(ctx context.Context, q querier) (generation, error) {
	return one(ctx, q, scanGeneration, `UPDATE generation SET number = number + 1 RETURNING id, number`)
}

// note writes down a change that was committed. A file that is behind does no harm, which
// is why it is not synced and may fail, as on a disk that is full.
func (s *Store) note(g generation) { _, _ = s.generation.WriteAt(g.line(), 0) }
