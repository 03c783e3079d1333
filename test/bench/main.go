// The benchmark measures the product beside what does the same, in one run: with
// the argument datasets, reading and uploading them; with engine, training and
// predicting; with fewshot, training with few rows; with durations, what a factory says of
// how long it will train; with load, a factory that serves; with report, what the data
// report finds of errors that were put into data.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"text/tabwriter"
)

const (
	datasetsCommand = "datasets"
	notInstalled    = "not installed"
)

func main() {
	factory := flag.String("factory", "bin/factory", "the factory that a file is uploaded to")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch flag.Arg(0) {
	case uploadCommand:
		err = upload(ctx, flag.Arg(1), flag.Arg(2))
	case loadCommand:
		err = load(ctx, *factory)
	case enginesCommand:
		err = compareEngines(ctx, flag.Args()[1:])
	case fewShotCommand:
		err = measureFewShot(ctx)
	case durationsCommand:
		err = measureDurations(ctx, *factory)
	case reportCommand:
		err = measureReport(ctx)
	case datasetsCommand:
		err = measureDatasets(ctx, *factory)
	default:
		err = errors.New("the argument is datasets, durations, engine, fewshot, load or report")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// measureDatasets prints one table, once all of it is measured.
func measureDatasets(ctx context.Context, factory string) error {
	parsers := newParsers(ctx)
	if err := measureParsers(parsers); err != nil {
		return err
	}
	tables := newTableReaders()
	if err := measureTables(tables); err != nil {
		return err
	}
	uploaders, err := measureUploads(ctx, factory)
	if err != nil {
		return err
	}
	return printTable(parsers, tables, uploaders)
}

func printTable(parsers []*parser, tables []*tableReader, uploaders []*uploader) error {
	var cells bytes.Buffer
	fmt.Fprintf(&cells, "read %d MB of rows on one core\ttext, MB/s\tratio\tchat, MB/s\tratio\tchecks and counts\n", turns*turnBytes/1_000_000)
	for _, p := range parsers {
		fmt.Fprintf(&cells, "%s\t%s%s%s\n", p.name, p.speed(0, parsers[baseline]), p.speed(1, parsers[baseline]), p.checks)
	}
	fmt.Fprintf(&cells, "\t\t\t\t\t\nread %d MB of such rows in Parquet on one core\ttext, MB/s\tratio\t\t\tchecks and counts\n", turns*turnBytes/1_000_000)
	for _, r := range tables {
		fmt.Fprintf(&cells, "%s\t%s\t\t%s\n", r.name, r.speed(tables[arrowReader]), r.checks)
	}
	fmt.Fprintf(&cells, "\t\t\t\t\t\nupload %d MB on loopback\tseconds\tratio\tpeak MB\tratio\t\n", uploadBytes/1_000_000)
	for _, u := range uploaders {
		fmt.Fprintf(&cells, "%s\t%s\n", u.name, u.cost(uploaders[curl]))
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, err := table.Write(cells.Bytes())
	return errors.Join(err, table.Flush())
}
