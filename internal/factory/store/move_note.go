package store

import (
	"fmt"
	"strings"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
)

// What the note beside bytes says instead of a generation when everything is moved elsewhere.
const (
	comes = "comes" // and is not all here yet
	left  = "left"
)

// move is what such a note says. As an error it refuses the place that it is in.
type move struct {
	id    string // of the history that is moved
	state string
	other string // whence it comes, or where it is now

	at blob.Location
}

func (m *move) line() []byte {
	return fmt.Appendf(nil, "%s %s %s\n", m.id, m.state, oneLine(m.other))
}

// parseMove returns nil of a note that says something else.
func parseMove(content string) *move {
	parts := strings.SplitN(strings.TrimSuffix(content, "\n"), " ", 3)
	if len(parts) != 3 || parts[1] != comes && parts[1] != left {
		return nil
	}
	return &move{id: parts[0], state: parts[1], other: parts[2]}
}

func (m *move) Error() string {
	if m.state == comes {
		return fmt.Sprintf("%s has only a part of what factory migrate brings from %s; run it again, with the same flags, to its end; or, to give it up, empty the database and what is here", m.at, m.other)
	}
	return fmt.Sprintf("%s was moved to %s by factory migrate: start the factory with the --database-url and --blob-url of there; to go back to what it has, and do without what has changed there since, run factory verify --accept", m.at, m.other)
}

// move is what the note beside the bytes says of one, if it does.
func (f *inspection) move() *move {
	m, _ := f.unknown.(*move) //nolint:errorlint // it is never wrapped
	return m
}
