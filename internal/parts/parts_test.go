package parts

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// TestPartThatFailsIsNotSkipped asks again after a failure, as a reader may.
func TestPartThatFailsIsNotSkipped(t *testing.T) {
	broken := errors.New("broken")
	content := Of([]Part{
		{"bad", func() (io.ReadCloser, error) { return nil, broken }},
		{"good", func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("good")), nil }},
	})
	for range 2 {
		if name, _, err := content.Next(); !errors.Is(err, broken) || name != "bad" {
			t.Errorf("got %q, %v", name, err)
		}
	}
}

// TestEachPartIsClosed holds what keeps a source of many objects from holding as many connections.
func TestEachPartIsClosed(t *testing.T) {
	closed := 0
	counted := Part{"counted", func() (io.ReadCloser, error) { return closeCounter{&closed}, nil }}
	content := Of([]Part{counted, counted, counted})
	for want := range 2 {
		if _, _, err := content.Next(); err != nil || closed != want {
			t.Errorf("%d are closed, want %d; %v", closed, want, err)
		}
	}
	for range 2 {
		if err := content.Close(); err != nil || closed != 2 {
			t.Errorf("%d are closed, want 2; %v", closed, err)
		}
	}
}

type closeCounter struct{ closed *int }

func (closeCounter) Read([]byte) (int, error) { return 0, io.EOF }

func (c closeCounter) Close() error {
	*c.closed++
	return nil
}
