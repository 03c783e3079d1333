package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
)

// references are what needs bytes.
const references = `
	SELECT digest, 'file', id, tenant FROM files
	UNION ALL SELECT digest, 'model', id, tenant FROM models
	UNION ALL SELECT inputs.digest, 'unfinished job', jobs.id, jobs.tenant
	FROM inputs JOIN jobs ON jobs.id = inputs.job_id
	WHERE jobs.status IN ('QUEUED', 'VALIDATING', 'VALIDATED', 'RUNNING', 'CANCELLATION_REQUESTED')`

// reference is something that needs bytes.
type reference struct{ digest, kind, id, tenant string }

func scanReference(r row) (reference, error) {
	var f reference
	err := r.Scan(&f.digest, &f.kind, &f.id, &f.tenant)
	return f, err
}

// Report is what is in a directory, and what is wrong with it.
type Report struct {
	Version  int64 // of the database's schema
	Changes  int64 // that the database has seen
	Needed   Bytes
	Unneeded Bytes // what nothing refers to
	Problems []string
}

// Bytes counts blobs.
type Bytes struct{ Blobs, Bytes int64 }

func (b *Bytes) add(size int64) {
	b.Blobs++
	b.Bytes += size
}

// WriteTo writes the report for people.
func (r *Report) WriteTo(w io.Writer) (int64, error) {
	var text strings.Builder
	fmt.Fprintf(&text, "database: version %d, %d changes\n", r.Version, r.Changes)
	fmt.Fprintf(&text, "needed:   %d blobs, %d bytes\n", r.Needed.Blobs, r.Needed.Bytes)
	fmt.Fprintf(&text, "unneeded: %d blobs, %d bytes; removed a day after they were found\n", r.Unneeded.Blobs, r.Unneeded.Bytes)
	for _, problem := range r.Problems {
		fmt.Fprintf(&text, "problem:  %s\n", problem)
	}
	fmt.Fprintf(&text, "problems: %d\n", len(r.Problems))
	n, err := io.WriteString(w, text.String())
	return int64(n), err
}

// Verify reads everything in a location, which may be in use, and changes nothing. An
// error says why it could not.
func (l Location) Verify(ctx context.Context) (*Report, error) {
	engine, err := l.engine()
	if err != nil {
		return nil, err
	}
	found, err := l.examine(ctx)
	if err != nil {
		return &Report{Problems: []string{err.Error()}}, nil
	}
	report := &Report{Version: found.version, Changes: found.generation.number}
	if err := found.isPresent(engine.dialect()); err != nil {
		return nil, err
	}
	if err := found.compare(l.Directory); err != nil {
		report.Problems = append(report.Problems, err.Error())
	}
	database, err := engine.openUntouched()
	if err != nil {
		return nil, err
	}
	defer func() { _ = database.Close() }() // it was only read
	damage, err := engine.check(ctx, database)
	for _, problem := range damage {
		report.Problems = append(report.Problems, "the database is damaged: "+oneLine(problem))
	}
	verification := verification{database: database, blobs: blob.In(l.Directory), report: report}
	return report, errors.Join(err, verification.checkBlobs(ctx))
}

// isPresent fails unless the database has the tables that this program reads.
func (f *inspection) isPresent(d dialect) error {
	newest, err := newestVersion(d)
	switch {
	case err != nil:
		return err
	case f.version == 0:
		return fmt.Errorf("%s %s: name the directory of a factory, and its --database-url if it has one", f.name, f.absence)
	case f.version < newest:
		return fmt.Errorf("%s was written by an older program: it has version %d, and this program reads version %d; use the program that wrote it, or start the factory on it once", f.name, f.version, newest)
	}
	return nil
}

type verification struct {
	database *sql.DB
	blobs    *blob.Directory
	report   *Report
}

func (v *verification) checkBlobs(ctx context.Context) error {
	present, err := v.blobs.Digests() // before the references: what is named later is in neither
	if err != nil {
		return err
	}
	all, err := collect(ctx, v.database, scanReference, references)
	if err != nil {
		return err
	}
	users := map[string][]reference{}
	for _, one := range all {
		users[one.digest] = append(users[one.digest], one)
	}
	for digest, needing := range users {
		if err := v.checkNeeded(ctx, digest, needing); err != nil {
			return err
		}
	}
	slices.Sort(v.report.Problems)
	for _, digest := range present {
		if users[digest] != nil {
			continue
		}
		if size, err := v.size(digest); err == nil { // or it was removed meanwhile
			v.report.Unneeded.add(size)
		}
	}
	return nil
}

// checkNeeded reads a blob whole.
func (v *verification) checkNeeded(ctx context.Context, digest string, needing []reference) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	size, err := v.read(digest)
	damaged, ok := errors.AsType[*blob.DamagedError](err)
	if !ok {
		v.report.Needed.add(size)
		return err
	}
	if damaged.Missing {
		if referred, err := isReferred(ctx, v.database, digest); err != nil || !referred {
			return err // it was deleted meanwhile
		}
	}
	for _, one := range needing {
		v.report.Problems = append(v.report.Problems, fmt.Sprintf("%s %s of %s: %v; %s", one.kind, one.id, one.tenant, damaged, one.repair()))
	}
	return nil
}

func (v *verification) read(digest string) (int64, error) {
	content, err := v.blobs.Open(digest)
	if err != nil {
		return 0, err
	}
	defer content.Close()
	return io.Copy(io.Discard, content)
}

func (v *verification) size(digest string) (int64, error) {
	content, err := v.blobs.Open(digest)
	if err != nil {
		return 0, err
	}
	defer content.Close()
	info, err := content.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// repair is what brings the bytes back.
func (r reference) repair() string {
	if r.kind == "model" {
		return "train it again, or put them back from a backup"
	}
	return "upload the same file again, or put them back from a backup"
}

// Accept makes the database of a location, which must be this process's alone, the one
// that belongs to the bytes, whatever they were used with before. What it does not know
// is removed a day after it is found.
func (l Location) Accept(ctx context.Context) error {
	engine, err := l.engine()
	if err != nil {
		return err
	}
	found, err := l.examine(ctx)
	if err != nil {
		return err
	}
	if err := found.isPresent(engine.dialect()); err != nil {
		return err
	}
	database, err := engine.openAlone()
	if err != nil {
		return err
	}
	present, err := beginHistory(ctx, database)
	if err := errors.Join(err, database.Close()); err != nil {
		return err
	}
	return writeGeneration(l.Directory, present)
}

// beginHistory tells the database from others that went on from the same point.
func beginHistory(ctx context.Context, database *sql.DB) (generation, error) {
	if _, err := database.ExecContext(ctx, `DELETE FROM unreferenced`); err != nil {
		return generation{}, err
	}
	id := strings.ReplaceAll(uuid.NewString(), "-", "")
	return one(ctx, database, scanGeneration, `UPDATE generation SET id = $1, number = number + 1 RETURNING id, number`, id)
}
