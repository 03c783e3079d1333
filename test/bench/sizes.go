package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
)

const sizesCommand = "sizes"

// size is a training on made-up texts, of which one thing differs from another's.
type size struct {
	rows, labels, words int // words of a text, on average
}

var sizes = []size{
	{1_000, 10, 12}, {10_000, 10, 12}, {100_000, 10, 12},
	{10_000, 2, 12}, {10_000, 100, 12}, {10_000, 1000, 12},
	{10_000, 10, 120}, {1_000, 10, 1200},
}

// measureSizes trains one after the other with a factory of its own, and prints what each took
// of a processor and of memory.
func measureSizes(ctx context.Context, factory string) error {
	return withTimer(ctx, factory, func(t *timer) error {
		out := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', tabwriter.Debug)
		_, _ = fmt.Fprintf(out, "%d CPUs: rows\tlabels\tbytes a text\tfile, MB\tprocessor, s\tclock, s\tpeak, MiB\n", runtime.GOMAXPROCS(0))
		for _, size := range sizes {
			random := rand.New(rand.NewPCG(uint64(size.rows), uint64(size.labels)))
			j := &timed{timedJob: timedJob{name: fmt.Sprintf("%d rows, %d labels", size.rows, size.labels), rows: func(*sources) []timedRow { return size.texts(random) }}}
			if err := t.upload(ctx, j); err != nil {
				return err
			}
			if err := t.train(ctx, j); err != nil {
				return err
			}
			_, _ = fmt.Fprintf(out, "%d\t%d\t%d\t%.1f\t%.1f\t%.1f\t%d\n", size.rows, size.labels, size.words*bytesOfWord,
				float64(j.bytes)/1e6, j.cpu, j.wall, j.peak>>20)
		}
		return out.Flush()
	})
}

const (
	bytesOfWord = 6     // with the space behind it
	manyWords   = 20000 // of all texts; a few words are most of what is said, as in a language
	ownWords    = 30    // of each label
)

// texts have a third of their words from their label and the rest from what all say.
func (s size) texts(random *rand.Rand) []timedRow {
	common := rand.NewZipf(random, 1.1, 4, manyWords-1)
	rows := make([]timedRow, s.rows)
	for i := range rows {
		label := i % s.labels
		var text strings.Builder
		for range s.words/2 + random.IntN(s.words) {
			word := common.Uint64()
			if random.IntN(3) == 0 {
				word = uint64(label*7919+random.IntN(ownWords)*13) % manyWords
			}
			text.WriteString(madeUpWord(word) + " ")
		}
		rows[i] = timedRow{Text: text.String(), Labels: map[string]any{"intent": fmt.Sprintf("intent_%d", label)}}
	}
	return rows
}

// madeUpWord is pronounceable, so that words have pieces in common.
func madeUpWord(number uint64) string {
	const consonants, vowels = "bdfgklmnprstvz", "aeiou"
	word := make([]byte, 0, bytesOfWord)
	for len(word) < bytesOfWord-1 {
		word = append(word, consonants[number%14], vowels[number/14%5])
		number /= 11
	}
	return string(word[:bytesOfWord-1])
}
