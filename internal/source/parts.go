package source

import "io"

// part is one part of a source, opened when its turn has come.
type part struct {
	name string // that a person finds it by; empty: the source has but one
	open func() (io.ReadCloser, error)
}

// parts hands out one part after the other.
type parts struct {
	left []part
	open io.Closer
}

func openParts(all []part) Content { return &parts{left: all} }

func (p *parts) Next() (name string, content io.Reader, err error) {
	if err := p.Close(); err != nil {
		return "", nil, err
	}
	if len(p.left) == 0 {
		return "", nil, io.EOF
	}
	next := p.left[0]
	opened, err := next.open()
	if err != nil {
		return next.name, nil, err
	}
	p.left, p.open = p.left[1:], opened
	return next.name, opened, nil
}

// Close closes the part that is open.
func (p *parts) Close() error {
	if p.open == nil {
		return nil
	}
	open := p.open
	p.open = nil
	return open.Close()
}
