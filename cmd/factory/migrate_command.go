package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory"
)

// runMigrate is the command migrate.
func runMigrate(ctx context.Context, arguments []string, output io.Writer) error {
	flags := flag.NewFlagSet("factory migrate", flag.ContinueOnError)
	from := flags.String("from", "", "data directory of a factory with SQLite, which must not be running (required)")
	database := flags.String("to", "", "`address` of an empty PostgreSQL, or of an empty schema in one, as --database-url takes it (required)")
	blobs := flags.String("blob-url", "", "`address` of an empty bucket or folder, to bring the bytes there, as factory takes it (default: to the new data directory)")
	directory := flags.String("data-dir", "", "the new data directory, which gets the bytes (required without --blob-url)")
	if err := parseAll(flags, arguments, "from", "to"); err != nil {
		return err
	}
	told := progress{output: os.Stderr}
	moved, err := factory.Migrate(ctx, factory.Location{Directory: *from},
		factory.Location{Directory: *directory, DatabaseURL: *database, BlobURL: *blobs}, told.tell)
	if err != nil {
		return err
	}
	_, err = moved.WriteTo(output)
	return err
}

// progressInterval is how often somebody who waits is told how far it is.
const progressInterval = 10 * time.Second

// progress tells the beginning and the end of each part, and now and then what is between.
type progress struct {
	output io.Writer
	mutex  sync.Mutex
	last   time.Time
}

func (p *progress) tell(what string, done, of int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if now := time.Now(); done == 0 || done == of || now.Sub(p.last) >= progressInterval {
		p.last = now
		_, _ = fmt.Fprintf(p.output, "%s: %d of %d\n", what, done, of)
	}
}
