//go:build unix

package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// BenchmarkRead reads, checks and counts rows, and beside it lets general parsers
// do the same as far as they go.
func BenchmarkRead(b *testing.B) {
	inputs := []struct {
		name string
		data []byte
	}{
		{"short-text", benchmarkRows(4, benchmarkTextRow(12))},
		{"text", benchmarkRows(4, benchmarkTextRow(60))},
		{"chat", benchmarkRows(4, benchmarkChatRow)},
	}
	parsers := []struct {
		name string
		read func([]byte) error
	}{
		{"dataset", readAndCount},
		{"jsontext-syntax-only", readValues},
		{"encoding-json", unmarshalAndCount},
		{"encoding-json-distinct-keys", func(data []byte) error { return errors.Join(distinctKeys(data), unmarshalAndCount(data)) }},
	}
	for _, input := range inputs {
		for _, parser := range parsers {
			b.Run(input.name+"/"+parser.name, func(b *testing.B) {
				benchmark(b, len(input.data), func() error { return parser.read(input.data) })
			})
		}
	}
}

func readAndCount(data []byte) error {
	reader, counted := NewReader(bytes.NewReader(data), DefaultLimits()), NewCensus(DefaultLimits())
	var sample Sample
	for {
		err := reader.Read(&sample)
		if err == io.EOF {
			return counted.Check()
		}
		if err != nil {
			return err
		}
		if err := counted.Add(&sample); err != nil {
			return err
		}
	}
}

func readValues(data []byte) error {
	decoder := jsontext.NewDecoder(bytes.NewReader(data))
	for {
		if _, err := decoder.ReadValue(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// BenchmarkValidate shows what each stage adds to reading.
func BenchmarkValidate(b *testing.B) {
	data := benchmarkRows(4, benchmarkTextRow(60))
	compressed := []byte(gzipped(b, string(data)))
	stages := []struct {
		name string
		run  func() error
	}{
		{"read", func() error { return readOnly(NewReader(bytes.NewReader(data), DefaultLimits())) }},
		{"read-census", func() error { return readAndCount(data) }},
		{"read-census-digest", func() error { return validate(bytes.NewReader(data)) }},
		{"gzip-read-census-digest", func() error {
			decompressed, err := Decompress(bytes.NewReader(compressed), DefaultLimits())
			if err != nil {
				return err
			}
			return validate(decompressed)
		}},
	}
	for _, stage := range stages {
		b.Run(stage.name, func(b *testing.B) { benchmark(b, len(data), stage.run) })
	}
}

// benchmark also reports the speed by CPU time, which other work on the machine
// slows less.
func benchmark(b *testing.B, size int, run func() error) {
	b.SetBytes(int64(size))
	b.ReportAllocs()
	start := cpuTime()
	for b.Loop() {
		if err := run(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(size)*float64(b.N)/1e6/(cpuTime()-start).Seconds(), "cpu-MB/s")
}

// cpuTime is user and system time, the garbage collector's included.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // only a wrong argument makes it fail
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func validate(r io.Reader) error {
	report, err := Validate(context.Background(), r, DefaultLimits())
	if err == nil && !report.Valid() {
		err = fmt.Errorf("invalid: %v", report.InvalidSamples)
	}
	return err
}

// BenchmarkReadCSV reads records whose rows are those of JSON Lines.
func BenchmarkReadCSV(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	data := []byte("text,intent,tags\n")
	for len(data) < 4<<20 {
		data = fmt.Appendf(data, "\"%s\",intent_number_%d,a|b\n", strings.ReplaceAll(benchmarkText(random, 60), `"`, `""`), random.IntN(77))
	}
	benchmark(b, len(data), func() error { return readOnly(NewCSVReader(bytes.NewReader(data), utterances, DefaultLimits())) })
}

// BenchmarkReadMapped reads records that a mapping makes rows of.
func BenchmarkReadMapped(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	var records, csv bytes.Buffer
	csv.WriteString("id,text,label,annotator\n")
	for i := 0; records.Len() < 4<<20; i++ {
		text := benchmarkText(random, 60)
		label := fmt.Sprintf("intent_number_%d", random.IntN(77))
		fmt.Fprintf(&records, `{"id": %d, "text": "%s", "label": ["%s"], "annotator": 1}`+"\n", i, text, label)
		fmt.Fprintf(&csv, "%d,\"%s\",%s,1\n", i, strings.ReplaceAll(text, `"`, `""`), label)
	}
	mapping := &Mapping{Text: "text", Labels: []LabelMapping{{Target: "intent", Field: "label", Type: SingleLabel}}}
	for name, data := range map[string]string{"json": records.String(), "csv": csv.String()} {
		b.Run(name, func(b *testing.B) {
			benchmark(b, len(data), func() error {
				return readOnly(NewPartsReader(&namedParts{[]namedPart{{name, data}}}, Options{Mapping: mapping}, &memoryScratch{}, DefaultLimits()))
			})
		})
	}
}

// BenchmarkPrepare has everything in memory but the temporary files, which are on disk.
func BenchmarkPrepare(b *testing.B) {
	data := benchmarkRows(64, benchmarkTextRow(20)) // more than a sorter holds
	preparations := []struct {
		name        string
		preparation Preparation
	}{
		{"pass-through", Preparation{}},
		{"split", Preparation{ValidationPercent: 10, TestPercent: 10}},
		{"stratified-split", Preparation{ValidationPercent: 10, TestPercent: 10, Stratified: true}},
		{"everything", Preparation{DropDuplicates: true, MinSamplesPerLabel: 200, MaxSamplesPerLabel: 60000, ValidationPercent: 10, TestPercent: 10}},
	}
	for _, test := range preparations {
		b.Run(test.name, func(b *testing.B) {
			benchmark(b, len(data), func() error {
				prepared, err := Prepare(context.Background(), NewReader(bytes.NewReader(data), DefaultLimits()), test.preparation, diskScratch(b.TempDir()), DefaultLimits())
				if err != nil {
					return err
				}
				return prepared.Close()
			})
		})
	}
}

// BenchmarkFindings says how many times as long it takes to prepare samples, because they
// are looked at besides.
func BenchmarkFindings(b *testing.B) {
	data := []byte(intents(b))
	preparations := []struct {
		name        string
		preparation Preparation
	}{
		{"pass-through", Preparation{}},
		{"split", Preparation{ValidationPercent: 10, TestPercent: 10}},
	}
	for _, test := range preparations {
		b.Run(test.name, func(b *testing.B) {
			prepare := func(most uint64) time.Duration {
				start := cpuTime()
				preparer := newPreparer(context.Background(), test.preparation, diskScratch(b.TempDir()), DefaultLimits())
				preparer.inspector.examined.most = most
				prepared, err := preparer.prepare(NewReader(bytes.NewReader(data), DefaultLimits()))
				if err != nil {
					b.Fatal(err)
				}
				_ = prepared.Close()
				return cpuTime() - start
			}
			var with, without time.Duration
			for b.Loop() {
				without += prepare(0)
				with += prepare(math.MaxUint64)
			}
			b.ReportMetric(float64(without.Microseconds())/1e3/float64(b.N), "cpu-ms-without")
			b.ReportMetric(float64(with.Microseconds())/1e3/float64(b.N), "cpu-ms-with")
			b.ReportMetric(float64(with)/float64(without), "ratio")
		})
	}
}
