// Package parts is content that comes in parts, each with a name and opened when its turn
// has come.
package parts

import "io"

// Part is one part.
type Part struct {
	Name string // that a person finds it by; empty: there is but one
	Open func() (io.ReadCloser, error)
}

// List hands out one part after the other.
type List struct {
	left []Part
	open io.Closer
}

// Of makes a List of the parts.
func Of(all []Part) *List { return &List{left: all} }

// Next closes the part before and opens the next, with its name. io.EOF: there is none.
func (l *List) Next() (name string, content io.Reader, err error) {
	if err := l.Close(); err != nil {
		return "", nil, err
	}
	if len(l.left) == 0 {
		return "", nil, io.EOF
	}
	next := l.left[0]
	opened, err := next.Open()
	if err != nil {
		return next.Name, nil, err
	}
	l.left, l.open = l.left[1:], opened
	return next.Name, opened, nil
}

// Close closes the part that is open.
func (l *List) Close() error {
	if l.open == nil {
		return nil
	}
	open := l.open
	l.open = nil
	return open.Close()
}
