package soak

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/classifier-factory/classifier-factory/test/processes"
	_ "modernc.org/sqlite" // reads the factory's database
)

// measure is something that must not grow.
type measure struct {
	of, name string
	// slack is by how much the last third may be above the second beside a fifth of it: what
	// a moment's work takes.
	slack float64
	// byPace: it is of the jobs of the last minutes, and may be more when more are made.
	byPace bool
	read   func(t *testing.T, s *site) float64
}

var measures = []measure{
	{"operator", "MiB", 16, false, func(t *testing.T, s *site) float64 { return mebibytes(s.operator.Memory(t)) }},
	{"operator", "goroutines", 50, false, func(t *testing.T, s *site) float64 { return goroutines(t, s.operator) }},
	{"operator", "files", 16, false, func(t *testing.T, s *site) float64 { return float64(s.operator.OpenFiles(t)) }},
	{"factory", "MiB", 16, false, func(t *testing.T, s *site) float64 { return mebibytes(s.factory.Memory(t)) }},
	{"factory", "goroutines", 50, false, func(t *testing.T, s *site) float64 { return goroutines(t, s.factory) }},
	{"factory", "files", 16, false, func(t *testing.T, s *site) float64 { return float64(s.factory.OpenFiles(t)) }},
	{"factory", "rows", 100, true, func(t *testing.T, s *site) float64 { return rows(t, filepath.Join(s.data, "factory.db")) }},
	{"factory", "WAL KiB", 1024, false, func(t *testing.T, s *site) float64 { return size(t, filepath.Join(s.data, "factory.db-wal")) / 1024 }},
	{"factory", "blobs KiB", 1024, false, func(t *testing.T, s *site) float64 { return size(t, filepath.Join(s.data, "blobs")) / 1024 }},
	{"both", "scratch KiB", 1024, false, func(t *testing.T, s *site) float64 {
		return (size(t, s.operator.scratch) + size(t, s.factory.scratch) + size(t, filepath.Join(s.data, "scratch")) + size(t, filepath.Join(s.data, "incoming"))) / 1024
	}},
}

// sample is all measures at a time.
type sample struct {
	at     time.Duration
	jobs   int64
	values []float64
}

// watch is what was measured.
type watch struct {
	site      *site
	everybody *people
	samples   []sample
}

func newWatch(s *site, everybody *people) *watch { return &watch{site: s, everybody: everybody} }

func (w *watch) sample(t *testing.T, at time.Duration) {
	t.Helper()
	taken := sample{at: at, jobs: w.everybody.jobs.Load()}
	for _, one := range measures {
		taken.values = append(taken.values, one.read(t, w.site))
	}
	w.samples = append(w.samples, taken)
}

func (w *watch) print(to io.Writer) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(cells ...string) { _, _ = fmt.Fprintln(table, strings.Join(cells, "\t")+"\t") }
	of, names := []string{"", ""}, []string{"at", "jobs"}
	for i, one := range measures {
		names = append(names, one.name)
		if i > 0 && measures[i-1].of == one.of {
			one.of = ""
		}
		of = append(of, one.of)
	}
	row(of...)
	row(names...)
	for _, taken := range w.samples {
		cells := []string{taken.at.Round(time.Second).String(), strconv.FormatInt(taken.jobs, 10)}
		for _, value := range taken.values {
			cells = append(cells, strconv.FormatFloat(value, 'f', 0, 64))
		}
		row(cells...)
	}
	second, last, verdict := []string{"median of the second third", ""}, []string{"median of the last third", ""}, []string{"verdict", ""}
	for _, judged := range w.verdicts() {
		second = append(second, strconv.FormatFloat(judged.second, 'f', 0, 64))
		last = append(last, strconv.FormatFloat(judged.last, 'f', 0, 64))
		verdict = append(verdict, map[bool]string{true: "flat", false: "GROWS"}[judged.flat])
	}
	row(second...)
	row(last...)
	row(verdict...)
	return table.Flush()
}

// verdict is whether a measure is flat.
type verdict struct {
	name                string
	second, last, bound float64
	flat                bool
}

func (w *watch) verdicts() (all []verdict) {
	for i, one := range measures {
		values, pace := []float64{}, 1.0
		for _, taken := range w.samples {
			values = append(values, taken.values[i])
		}
		if one.byPace {
			pace = w.pace()
		}
		all = append(all, judge(one.of+"'s "+one.name, one.slack, pace, values))
	}
	return all
}

// pace is how many times more jobs were made in the last third than in the second; 1 if
// they were fewer.
func (w *watch) pace() float64 {
	third, end := len(w.samples)/3, len(w.samples)-1
	if third == 0 {
		return 1
	}
	made := func(from, to int) float64 { return float64(w.samples[to].jobs - w.samples[from].jobs) }
	return max(made(end-third, end)/max(made(end-2*third, end-third), 1), 1)
}

// judge compares the last third of the values with the second.
func judge(name string, slack, pace float64, values []float64) verdict {
	third := len(values) / 3
	if third == 0 {
		return verdict{name: name}
	}
	second, last := median(values[len(values)-2*third:len(values)-third]), median(values[len(values)-third:])
	bound := 1.2*second*pace + slack
	return verdict{name: name, second: second, last: last, bound: bound, flat: last <= bound}
}

func median(values []float64) float64 {
	sorted := slices.SortedFunc(slices.Values(values), cmp.Compare[float64])
	return sorted[len(sorted)/2]
}

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

func goroutines(t *testing.T, running *program) float64 {
	t.Helper()
	families := processes.Metrics(t, running.metrics)
	return families["go_goroutines"].GetMetric()[0].GetGauge().GetValue()
}

// rows are those of all tables of a database, which is open elsewhere.
func rows(t *testing.T, path string) (all float64) {
	t.Helper()
	database, err := sql.Open("sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = database.Close() }() // it was only read
	var count string
	err = database.QueryRow(`SELECT 'SELECT ' || group_concat('(SELECT count(*) FROM "' || name || '")', ' + ') FROM sqlite_master WHERE type = 'table'`).Scan(&count)
	if err == nil {
		err = database.QueryRow(count).Scan(&all)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// size is how many bytes a file has, or all files of a folder. What is not there has none.
func size(t *testing.T, path string) (bytes float64) {
	t.Helper()
	err := filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it went meanwhile
		}
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err == nil {
			bytes += float64(info.Size())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return bytes
}
