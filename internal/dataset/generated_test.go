package dataset

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
)

// generatedRows is rows that are made while they are read, each with a line end.
type generatedRows struct {
	row  func(i int) string
	rows int // 0: endless
	i    int
	rest string
}

func (g *generatedRows) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if g.rest == "" {
			if g.rows > 0 && g.i == g.rows {
				return n, io.EOF
			}
			g.rest = g.row(g.i) + "\n"
			g.i++
		}
		copied := copy(p[n:], g.rest)
		g.rest = g.rest[copied:]
		n += copied
	}
	return n, nil
}

// observedSamples tells how many samples were read.
type observedSamples struct {
	SampleReader
	read    int
	observe func(read int)
}

func (o *observedSamples) Read(sample *Sample) error {
	err := o.SampleReader.Read(sample)
	o.read++
	o.observe(o.read)
	return err
}

// benchmarkRows returns so many MB of rows. A fifth have escapes, a tenth are not ASCII.
func benchmarkRows(megabytes int, row func(random *rand.Rand) string) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	var data bytes.Buffer
	for data.Len() < megabytes<<20 {
		data.WriteString(row(random) + "\n")
	}
	return data.Bytes()
}

func benchmarkText(random *rand.Rand, words int) string {
	vocabulary := strings.Fields("where is the card I ordered last week and why does my account show a transfer")
	switch random.IntN(10) {
	case 0:
		vocabulary = strings.Fields("où est la carte que j’ai commandée là-bas déjà ça coûte très cher")
	case 1, 2:
		vocabulary = append(vocabulary, `\n`, `\"no\"`, `\u00e9`)
	}
	text := make([]string, 0, words)
	for range words/2 + random.IntN(words) {
		text = append(text, vocabulary[random.IntN(len(vocabulary))])
	}
	return strings.Join(text, " ")
}

func benchmarkTextRow(words int) func(*rand.Rand) string {
	return func(random *rand.Rand) string {
		return fmt.Sprintf(`{"text": "%s", "labels": {"intent": "intent_number_%d"}}`, benchmarkText(random, words), random.IntN(77))
	}
}

func benchmarkChatRow(random *rand.Rand) string {
	return fmt.Sprintf(`{"messages": [{"role": "system", "content": "%s"}, {"role": "user", "content": "%s"}, `+
		`{"role": "assistant", "content": "%s"}], "labels": {"intent": "intent_%d", "topics": ["topic_%d", "other"]}}`,
		benchmarkText(random, 10), benchmarkText(random, 40), benchmarkText(random, 20), random.IntN(77), random.IntN(28))
}
