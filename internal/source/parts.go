package source

import (
	"io"
	"slices"
)

// part opens one part of a source.
type part func() (io.ReadCloser, error)

// parts reads one part after the other, each opened when its turn has come. The
// first row of a part never continues the last one of the part before.
type parts struct {
	left   []part
	decode Decode

	open    io.Closer
	current io.Reader
	ended   bool // the last byte that was read is a line break, or none was

	offset int64   // of what is read next
	starts []int64 // of the parts that were opened
	err    error   // what ended reading
}

func openParts(all []part, decode Decode) Content {
	return &parts{left: all, decode: decode, ended: true}
}

// Read goes on failing once it failed: a reader that peeks forgets the error, and
// would go on with the next part.
func (p *parts) Read(buffer []byte) (n int, err error) {
	if p.err == nil {
		n, p.err = p.read(buffer)
		p.offset += int64(n)
	}
	return n, p.err
}

func (p *parts) read(buffer []byte) (int, error) {
	for len(buffer) > 0 {
		if p.current == nil {
			if err := p.next(); err != nil {
				return 0, err
			}
		}
		n, err := p.current.Read(buffer)
		if n > 0 {
			p.ended = buffer[n-1] == '\n'
		}
		if err != io.EOF {
			return n, err
		}
		if err := p.Close(); err != nil {
			return n, err
		}
		if n == 0 && !p.ended {
			buffer[0], p.ended = '\n', true
			return 1, nil
		}
		if n > 0 {
			// The line break that may be missing comes with the next read.
			p.current = eof{}
			return n, nil
		}
	}
	return 0, nil
}

// next opens the next part; io.EOF if there is none.
func (p *parts) next() error {
	if len(p.left) == 0 {
		return io.EOF
	}
	content, err := p.left[0]()
	if err != nil {
		return err
	}
	p.left, p.open = p.left[1:], content
	p.starts = append(p.starts, p.offset)
	p.current, err = p.decode(content)
	return err
}

// BeginsPart is asked for a row's start. A part that is empty has none.
func (p *parts) BeginsPart(offset int64) bool {
	_, begins := slices.BinarySearch(p.starts, offset)
	return begins
}

// Close closes the part that is open.
func (p *parts) Close() error {
	p.current = nil
	if p.open == nil {
		return nil
	}
	open := p.open
	p.open = nil
	return open.Close()
}

// eof is a reader at its end.
type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }
