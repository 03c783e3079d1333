package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
)

// generationName is that of the note that says which database belongs to the bytes beside it.
const generationName = "generation"

// generation is a point in the history of a database. Every change is one more. It is
// committed with the change, and then written beside the bytes: after a crash the
// note is behind, never ahead. Where it is ahead, the database is an older one.
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

// notedGeneration is that of the note, or the zero value if there is none. Of one that
// cannot be understood it returns an error, and of one that tells of a move that *move.
func notedGeneration(blobs blob.Store, at blob.Location) (generation, error) {
	content, err := blobs.ReadNote(generationName)
	if errors.Is(err, fs.ErrNotExist) {
		return generation{}, nil
	}
	if err != nil {
		return generation{}, err
	}
	if m := parseMove(string(content)); m != nil {
		m.at = at
		return generation{}, m
	}
	var g generation
	if _, err := fmt.Sscanf(string(content), "%32s %d\n", &g.id, &g.number); err != nil || string(g.line()) != string(content) {
		return generation{}, fmt.Errorf("%s is damaged", nameOfNote(at))
	}
	return g, nil
}

func nameOfNote(at blob.Location) string {
	return strings.TrimSuffix(at.String(), "/") + "/" + generationName
}

func writeGeneration(blobs blob.Store, g generation) error {
	return blobs.WriteNote(generationName, g.line())
}

// openGeneration brings the note up to a database that may be used. In a directory it keeps it
// open, and replaces none of the same database, which other processes may have open, too.
func (s *Store) openGeneration(ctx context.Context, at blob.Location) error {
	if at.Shared() {
		return s.noteGeneration(ctx)
	}
	present, err := storedGeneration(ctx, s.writer)
	if err != nil {
		return err
	}
	if known, unknown := notedGeneration(s.blobs, at); unknown != nil || known.id != present.id {
		if err := writeGeneration(s.blobs, present); err != nil {
			return err
		}
	}
	s.generation, err = os.OpenFile(filepath.Join(at.Directory, generationName), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err := s.generation.Chmod(0o600); !errors.Is(err, fs.ErrPermission) { // what another user owns is as he wants it
		return err
	}
	return nil
}

func (s *Store) noteGeneration(ctx context.Context) error {
	present, err := storedGeneration(ctx, s.writer)
	if err != nil {
		return err
	}
	return writeGeneration(s.blobs, present)
}

// advance begins every change. On PostgreSQL a change waits here, for the row, until the one
// before it has ended, in whatever process: what it reads stays so until it is committed, as in
// SQLite, which has one writer at a time.
func advance(ctx context.Context, q querier) (generation, error) {
	return one(ctx, q, scanGeneration, `UPDATE generation SET number = number + 1 RETURNING id, number`)
}

// note writes down a change that was committed. A note that is behind does no harm, which
// is why it is not synced and may fail, as on a disk that is full. That in a bucket is an
// hour behind: each change would be one more request.
func (s *Store) note(g generation) {
	if s.generation != nil {
		_, _ = s.generation.WriteAt(g.line(), 0)
	}
}
