package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
)

// Moved is what was brought from one location to another.
type Moved struct {
	To     string // for people
	Tables []MovedTable
	Needed Bytes
	Before bool // it was all there
}

// MovedTable counts rows.
type MovedTable struct {
	Name string
	Rows int64
}

// WriteTo writes the report for people.
func (m *Moved) WriteTo(w io.Writer) (int64, error) {
	var text strings.Builder
	if m.Before {
		fmt.Fprintf(&text, "everything was moved to %s before\n", m.To)
	} else {
		for _, table := range m.Tables {
			fmt.Fprintf(&text, "%-12s %d rows\n", table.Name+":", table.Rows)
		}
		fmt.Fprintf(&text, "needed:      %d blobs, %d bytes\n", m.Needed.Blobs, m.Needed.Bytes)
		fmt.Fprintf(&text, "all of it was compared, and is at %s\n", m.To)
	}
	n, err := io.WriteString(w, text.String())
	return int64(n), err
}

// MoveTo copies everything of a location with SQLite to one with PostgreSQL, both of which are this
// process's alone. That must be empty, or one where the same was cut off. Until everything is
// there, and the same, no factory is admitted to it; from then on none is to the old one, of which
// nothing else changes. tell hears how far it is.
func (l Location) MoveTo(ctx context.Context, to Location, tell func(what string, done, of int)) (*Moved, error) {
	m := &mover{from: l, to: to, tell: tell}
	defer m.close()
	if err := m.openOrigin(ctx); err != nil {
		return nil, err
	}
	moved := &Moved{}
	var err error
	if moved.Before, err = m.openTarget(ctx); err != nil {
		return nil, err
	}
	moved.To = m.place()
	if moved.Before {
		return moved, nil
	}
	if err := m.checkStorable(ctx); err != nil {
		return nil, err
	}
	if err := m.begin(ctx); err != nil {
		return nil, err
	}
	if moved.Needed, err = m.moveBytes(ctx); err != nil {
		return nil, err
	}
	if moved.Tables, err = m.moveFacts(ctx); err != nil {
		return nil, err
	}
	return moved, m.end()
}

// mover moves one location to another.
type mover struct {
	from, to           Location
	engine             postgresDatabase // of the target
	found              *inspection      // of the origin
	source             *sql.DB
	origin             *sql.Tx // none changes anything in SQLite meanwhile
	generation         generation
	target             *sql.DB // no factory uses it
	fromBlobs, toBlobs blob.Store
	tell               func(what string, done, of int)
}

// place is where everything comes to, for people.
func (m *mover) place() string { return m.engine.name() + " and " + m.to.Blobs().String() }

// bytesStay says that they are in the bucket already.
func (m *mover) bytesStay() bool { return m.from.BlobURL != "" && m.from.BlobURL == m.to.BlobURL }

// moved is how many changes the target's database has seen: one more, by which the old one is told
// beside the same bucket.
func (m *mover) moved() generation { return generation{m.generation.id, m.generation.number + 1} }

// openOrigin takes a database, of which nobody else changes anything from now on.
func (m *mover) openOrigin(ctx context.Context) (err error) {
	if m.found, err = m.from.examine(ctx); err != nil {
		return err
	}
	if err := m.found.isPresent(sqliteDialect); err != nil {
		return err
	}
	m.source, err = sqliteFile(filepath.Join(m.from.Directory, DatabaseName)).openBeside()
	if err != nil {
		return err
	}
	if m.origin, err = m.source.BeginTx(ctx, nil); err != nil {
		return fmt.Errorf("keep others from changing %s: %w", m.found.name, err)
	}
	if m.generation, err = storedGeneration(ctx, m.origin); err != nil {
		return err
	}
	m.fromBlobs, err = m.from.Blobs().Look(ctx)
	return err
}

// openTarget reports whether everything is there already, and refuses whatever has something else.
func (m *mover) openTarget(ctx context.Context) (before bool, err error) {
	if m.engine, err = parsePostgres(m.to.DatabaseURL); err != nil {
		return false, err
	}
	if m.to.Directory != m.from.Directory {
		if err := cmp.Or(m.to.refuseOtherEngine(), m.to.refuseOtherBytes()); err != nil {
			return false, err
		}
	}
	if m.toBlobs, err = m.to.Blobs().Look(ctx); err != nil {
		return false, err
	}
	found, err := m.engine.inspect(ctx)
	if err != nil {
		return false, err
	}
	found.name = m.engine.name()
	found.known, found.unknown = notedGeneration(m.toBlobs, m.to.Blobs())
	if found.known.id == m.generation.id && found.generation.id == m.generation.id {
		return true, nil
	}
	begun := found.move()
	goesOn := begun != nil && begun.state == comes && begun.id == m.generation.id
	if err := cmp.Or(m.checkOrigin(goesOn), m.checkFacts(found, goesOn), m.checkBytes(found, goesOn)); err != nil {
		return false, err
	}
	if m.target, err = m.engine.openAlone(); err != nil {
		return false, err
	}
	return false, m.target.PingContext(ctx)
}

// checkOrigin refuses a database that is not the one of its bytes. One that has left may only
// complete its way.
func (m *mover) checkOrigin(goesOn bool) error {
	if goesOn && m.found.move() != nil && m.found.move().id == m.generation.id {
		return nil
	}
	return m.found.compare(m.from.Blobs())
}

// checkFacts refuses a database with something else.
func (m *mover) checkFacts(found *inspection, goesOn bool) error {
	if found.version == 0 && found.tables > 0 {
		return fmt.Errorf("%s has tables of another program: name an empty database", found.name)
	}
	if found.generation.number > 0 && !(goesOn && found.generation.id == m.generation.id) {
		return fmt.Errorf("%s has the facts of a factory already: name an empty database", found.name)
	}
	return found.checkUsable(postgresDialect)
}

// checkBytes refuses a directory or a bucket with something else.
func (m *mover) checkBytes(found *inspection, goesOn bool) error {
	if goesOn || m.bytesStay() {
		return nil
	}
	if begun := found.move(); begun != nil {
		return begun
	}
	used, err := found.besides(m.toBlobs)
	if err == nil && used {
		err = fmt.Errorf("%s has the bytes of a factory already: name an empty directory, or an empty folder of a bucket", m.to.Blobs())
	}
	return err
}

// begin leaves a note by which nobody else takes the target for whole.
func (m *mover) begin(ctx context.Context) error {
	blobs, err := m.to.Blobs().Open(ctx, true)
	if err != nil {
		return err
	}
	_ = m.toBlobs.Close() // it was only read
	m.toBlobs = blobs
	begun := move{id: m.generation.id, state: comes, other: m.from.Directory}
	return m.toBlobs.WriteNote(generationName, begun.line())
}

// bringers is how many blobs are under way at a time: a bucket takes its time for each.
const bringers = 4

// moveBytes brings what is missing. It is safe to do it again.
func (m *mover) moveBytes(ctx context.Context) (Bytes, error) {
	digests, err := collect(ctx, m.origin, scanString, referredDigests)
	if err != nil {
		return Bytes{}, err
	}
	m.tell("bytes", 0, len(digests))
	var done, bytes atomic.Int64
	group, bringing := errgroup.WithContext(ctx)
	group.SetLimit(bringers)
	for _, digest := range digests {
		group.Go(func() error {
			if err := bringing.Err(); err != nil {
				return err
			}
			size, err := blob.Bring(m.toBlobs, m.fromBlobs, digest)
			if errors.As(err, new(*blob.DamagedError)) {
				return fmt.Errorf("%w; factory verify --data-dir %s says what needs them, and what to do", err, m.from.Directory)
			}
			bytes.Add(size)
			m.tell("bytes", int(done.Add(1)), len(digests))
			return err
		})
	}
	err = group.Wait()
	return Bytes{Blobs: int64(len(digests)), Bytes: bytes.Load()}, err
}

// end closes the old place before it opens the new one.
func (m *mover) end() error {
	if !m.bytesStay() {
		gone := move{id: m.generation.id, state: left, other: m.place()}
		if err := m.fromBlobs.WriteNote(generationName, gone.line()); err != nil {
			return err
		}
	}
	return writeGeneration(m.toBlobs, m.moved())
}

// close lets go of both, of which nothing is to be kept that was not committed.
func (m *mover) close() {
	if m.origin != nil {
		_ = m.origin.Rollback()
	}
	for _, database := range []*sql.DB{m.source, m.target} {
		if database != nil {
			_ = database.Close()
		}
	}
	for _, blobs := range []blob.Store{m.fromBlobs, m.toBlobs} {
		if blobs != nil {
			_ = blobs.Close()
		}
	}
}
