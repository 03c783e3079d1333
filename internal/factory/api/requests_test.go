package api

import (
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadPieces(t *testing.T) {
	for _, test := range []struct {
		reason string
		size   int
		length int64
	}{
		{"nothing", 0, 0},
		{"short", 100, 100},
		{"the last one that is read at once", 4<<10 - 1, 4<<10 - 1},
		{"one more", 4 << 10, 4 << 10},
		{"several pieces", 1 << 20, 1 << 20},
		{"of unknown length", 100_000, -1},
		{"longer than it says", 100_000, 10},
		{"shorter than it says", 10, 1 << 40},
	} {
		body := strings.Repeat("b", test.size)
		read, err := readPieces(iotest.HalfReader(strings.NewReader(body)), test.length)
		if err != nil || string(read) != body {
			t.Errorf("%s: %d bytes of %d, %v", test.reason, len(read), test.size, err)
		}
		if test.size == 100 && cap(read) > 200 {
			t.Errorf("%s: it takes %d bytes of memory", test.reason, cap(read))
		}
	}
}
