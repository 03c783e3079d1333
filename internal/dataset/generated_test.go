package dataset

import (
	"io"
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
