package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/classifier-factory/classifier-factory/internal/dataset"
)

const (
	reportCommand  = "report"
	reportSet      = "banking77"
	changedPercent = 10 // of labels
	copiedPercent  = 3  // of rows, to validation
)

// reportRow is a row of one target.
type reportRow struct {
	Text   string            `json:"text"`
	Labels map[string]string `json:"labels"`
}

// measureReport spoils a data set in ways that are known, and prints how much of it the data
// report finds, and how much of what it finds was spoiled.
func measureReport(ctx context.Context) error {
	folder := os.Getenv(dataVariable)
	if folder == "" {
		_, err := fmt.Println("the data report is not measured: " + dataVariable + " names no folder of data sets")
		return err
	}
	train, err := readReportRows(filepath.Join(folder, reportSet, "train.jsonl"))
	if err != nil {
		return err
	}
	validation, err := readReportRows(filepath.Join(folder, reportSet, "valid.jsonl"))
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(out, "findings on %s\tspoiled\tfound\tright\tprecision\trecall\n", reportSet)
	distinct, err := withoutRepeats(ctx, train)
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(1, 2))
	err = errors.Join(
		measureSuspects(ctx, out, train, random),
		measureRepeats(ctx, out, distinct, random),
		measureOverlap(ctx, out, train, validation, random),
	)
	return errors.Join(err, out.Flush())
}

// measureSuspects changes labels.
func measureSuspects(ctx context.Context, out io.Writer, rows []reportRow, random *rand.Rand) error {
	noisy, changed := withChangedLabels(rows, random)
	findings, err := findingsOf(ctx, noisy)
	if err != nil {
		return err
	}
	found := map[int]bool{}
	for _, suspect := range findings.Suspects {
		found[suspect.Sample.Line] = true
	}
	printFinding(out, fmt.Sprintf("label noise: %d %% of labels changed", changedPercent), changed, found)
	return nil
}

func withChangedLabels(rows []reportRow, random *rand.Rand) (noisy []reportRow, changed map[int]bool) {
	changed = map[int]bool{}
	for i, row := range rows {
		if other := rows[random.IntN(len(rows))].Labels["intent"]; random.IntN(100) < changedPercent && other != row.Labels["intent"] {
			row.Labels, changed[i+1] = map[string]string{"intent": other}, true
		}
		noisy = append(noisy, row)
	}
	return noisy, changed
}

// measureRepeats puts copies that were edited lightly behind the rows, once as all that is
// trained on, once with a split, whose Validation such copies get into.
func measureRepeats(ctx context.Context, out io.Writer, rows []reportRow, random *rand.Rand) error {
	for _, edit := range edits {
		spoiled, copied := append([]reportRow(nil), rows...), map[int]bool{}
		sources := map[string]string{} // of copies, by text
		for _, at := range random.Perm(len(rows))[:len(rows)*copiedPercent/100] {
			row := rows[at]
			row.Text = edit.of(row.Text, random)
			spoiled = append(spoiled, row)
			copied[len(spoiled)], sources[row.Text] = true, rows[at].Text
		}
		findings, err := findingsOf(ctx, spoiled)
		if err != nil {
			return err
		}
		printFinding(out, "near-duplicates: copies, "+edit.name, copied, repeatedLines(findings, dataset.Train))
		leaked, found, err := leaks(ctx, spoiled, sources)
		if err != nil {
			return err
		}
		printFinding(out, "overlap of Validation with Train: copies, "+edit.name, leaked, found)
	}
	return nil
}

// leaks are the lines of samples of Validation that copy one of Train or are copied there, and
// of those that the report names.
func leaks(ctx context.Context, rows []reportRow, sources map[string]string) (leaked, found map[int]bool, err error) {
	prepared, err := prepareRows(ctx, rows, dataset.Preparation{ValidationPercent: 20})
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, prepared.Close()) }()
	trained := map[string]bool{}
	texts, err := decodeRows(prepared.Files[0].Content())
	if err != nil {
		return nil, nil, err
	}
	for _, row := range texts {
		trained[row.Text] = true
		trained["copied: "+sources[row.Text]] = true
	}
	leaked = map[int]bool{}
	for i, row := range rows {
		if !trained[row.Text] && (trained[sources[row.Text]] || trained["copied: "+row.Text]) {
			leaked[i+1] = true
		}
	}
	return leaked, repeatedLines(&prepared.Findings, dataset.Validation), nil
}

// withoutRepeats leaves out the rows that repeat each other as they are published, which are
// no error of the finding.
func withoutRepeats(ctx context.Context, rows []reportRow) ([]reportRow, error) {
	for {
		findings, err := findingsOf(ctx, rows)
		if err != nil {
			return nil, err
		}
		repeated := repeatedLines(findings, dataset.Train)
		if len(repeated) == 0 {
			return rows, nil
		}
		var left []reportRow
		for i, row := range rows {
			if !repeated[i+1] {
				left = append(left, row)
			}
		}
		rows = left
	}
}

func repeatedLines(findings *dataset.Findings, split dataset.Split) map[int]bool {
	lines := map[int]bool{}
	for _, pair := range findings.NearDuplicates.Pairs {
		if pair.Split == split {
			lines[pair.Sample.Line] = true
		}
	}
	return lines
}

// measureOverlap puts copies of rows to train on into another dataset to validate on, of
// which the two sketches tell.
func measureOverlap(ctx context.Context, out io.Writer, train, validation []reportRow, random *rand.Rand) error {
	own, err := sketchOf(ctx, train)
	if err != nil {
		return err
	}
	for _, edit := range edits {
		spoiled := append([]reportRow(nil), validation...)
		copies := len(train) * copiedPercent / 100
		for _, at := range random.Perm(len(train))[:copies] {
			row := train[at]
			row.Text = edit.of(row.Text, random)
			spoiled = append(spoiled, row)
		}
		sketch, err := sketchOf(ctx, spoiled)
		if err != nil {
			return err
		}
		overlap := sketch.OverlapWith(own)
		_, _ = fmt.Fprintf(out, "overlap of two datasets: copies, %s\t%.1f %%\t%.1f ± %.1f %%\t\t\t\n", edit.name,
			100*float64(copies)/float64(len(spoiled)), 100*overlap.Share(), 100*overlap.Margin())
	}
	return nil
}

// edits are how a copy differs. The last is more than the report calls nearly the same of
// inputs of less than 20 words.
var edits = []struct {
	name string
	of   func(text string, random *rand.Rand) string
}{
	{"as they are", func(text string, _ *rand.Rand) string { return text }},
	{"in capitals, without punctuation", func(text string, _ *rand.Rand) string {
		return strings.ToUpper(strings.Map(func(r rune) rune {
			if strings.ContainsRune("?!.,", r) {
				return -1
			}
			return r
		}, text))
	}},
	{"with a word more", func(text string, _ *rand.Rand) string { return "please " + text }},
	{"with a word less", func(text string, random *rand.Rand) string { return withWord(text, "", random) }},
	{"with another word", func(text string, random *rand.Rand) string { return withWord(text, "something", random) }},
	{"with two other words", func(text string, random *rand.Rand) string {
		return withWord(withWord(text, "something", random), "else", random)
	}},
}

// withWord puts the word in the place of one of the text.
func withWord(text, word string, random *rand.Rand) string {
	words := strings.Fields(text)
	words[random.IntN(len(words))] = word
	return strings.Join(words, " ")
}

func printFinding(out io.Writer, name string, spoiled, found map[int]bool) {
	if len(spoiled)+len(found) == 0 { // the split never parts what is the same
		_, _ = fmt.Fprintf(out, "%s\tnone\tnone\t\t\t\n", name)
		return
	}
	right := 0
	for line := range found {
		if spoiled[line] {
			right++
		}
	}
	_, _ = fmt.Fprintf(out, "%s\t%d\t%d\t%d\t%.3f\t%.3f\n", name, len(spoiled), len(found), right,
		float64(right)/float64(len(found)), float64(right)/float64(len(spoiled)))
}

func findingsOf(ctx context.Context, rows []reportRow) (*dataset.Findings, error) {
	prepared, err := prepareRows(ctx, rows, dataset.Preparation{})
	if err != nil {
		return nil, err
	}
	return &prepared.Findings, prepared.Close()
}

func sketchOf(ctx context.Context, rows []reportRow) (dataset.Sketch, error) {
	prepared, err := prepareRows(ctx, rows, dataset.Preparation{})
	if err != nil {
		return nil, err
	}
	sketch := prepared.Files[0].Sketch // which goes with the files
	return sketch, prepared.Close()
}

func prepareRows(ctx context.Context, rows []reportRow, preparation dataset.Preparation) (*dataset.Prepared, error) {
	var data bytes.Buffer
	encoder := json.NewEncoder(&data)
	for i := range rows {
		if err := encoder.Encode(&rows[i]); err != nil {
			return nil, err
		}
	}
	prepared, err := dataset.Prepare(ctx, dataset.NewReader(&data, dataset.DefaultLimits()), preparation, temporary{}, dataset.DefaultLimits())
	if err == nil && prepared.Report.Problem != nil {
		err = prepared.Report.Problem
	}
	return prepared, err
}

// temporary is scratch in the system's folder.
type temporary struct{}

func (temporary) Create() (dataset.ScratchFile, error) {
	file, err := os.CreateTemp("", "bench")
	if err != nil {
		return nil, err
	}
	return removedFile{file}, nil
}

type removedFile struct{ *os.File }

func (f removedFile) Close() error { return errors.Join(f.File.Close(), os.Remove(f.Name())) }

func readReportRows(path string) (rows []reportRow, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return decodeRows(file)
}

func decodeRows(content io.Reader) (rows []reportRow, err error) {
	for decoder := json.NewDecoder(content); ; {
		var row reportRow
		if err := decoder.Decode(&row); errors.Is(err, io.EOF) {
			return rows, nil
		} else if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
}
