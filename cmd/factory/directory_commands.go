package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/classifier-factory/classifier-factory/internal/factory"
)

// directoryCommands look after a data directory, or make files for the server.
var directoryCommands = map[string]func(ctx context.Context, arguments []string, output io.Writer) error{
	"verify":  runVerify,
	"backup":  runBackup,
	"migrate": runMigrate,
	"base":    runBase,
}

// runDirectoryCommand returns the exit status.
func runDirectoryCommand(name string, arguments []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := directoryCommands[name](ctx, arguments, os.Stdout)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	fmt.Fprintf(os.Stderr, "factory %s: %v\n", name, err)
	return 1
}

func runVerify(ctx context.Context, arguments []string, output io.Writer) error {
	flags := flag.NewFlagSet("factory verify", flag.ContinueOnError)
	directory := flags.String("data-dir", "", "directory of a factory, which may be running, or of a backup (required)")
	database := flags.String("database-url", "", databaseUsage)
	blobs := flags.String("blob-url", "", blobUsage)
	accept := flags.Bool("accept", false, "go on with the database that is there, although it is older than the bytes or of another directory; no factory may be running")
	if err := parseAll(flags, arguments, "data-dir"); err != nil {
		return err
	}
	at := factory.Location{Directory: *directory, DatabaseURL: *database, BlobURL: *blobs}
	if *accept {
		if err := factory.Accept(ctx, at); err != nil {
			return err
		}
	}
	report, err := factory.Verify(ctx, at)
	if err != nil {
		return err
	}
	if _, err := report.WriteTo(output); err != nil {
		return err
	}
	if len(report.Problems) > 0 {
		return errors.New("the directory is not sound")
	}
	return nil
}

// runBackup is the command backup.
func runBackup(ctx context.Context, arguments []string, _ io.Writer) error {
	flags := flag.NewFlagSet("factory backup", flag.ContinueOnError)
	directory := flags.String("data-dir", "", "directory of a factory, which may be running (required)")
	blobs := flags.String("blob-url", "", blobUsage)
	to := flags.String("to", "", "directory that is made for the backup (required)")
	if err := parseAll(flags, arguments, "data-dir", "to"); err != nil {
		return err
	}
	return factory.Backup(ctx, factory.Location{Directory: *directory, BlobURL: *blobs}, *to)
}

// parseAll parses flags of which some are required, and nothing after them.
func parseAll(flags *flag.FlagSet, arguments []string, required ...string) error {
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%s takes no %q", flags.Name(), flags.Arg(0))
	}
	for _, name := range required {
		if flags.Lookup(name).Value.String() == "" {
			return fmt.Errorf("%s needs --%s", flags.Name(), name)
		}
	}
	return nil
}
