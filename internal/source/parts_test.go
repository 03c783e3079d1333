package source

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestPartsAreJoinedByLineBreaks(t *testing.T) {
	for _, test := range []struct {
		parts  []string
		want   string
		starts []int64
		reason string
	}{
		{nil, "", nil, "no part is no content"},
		{[]string{"a\n", "b\n"}, "a\nb\n", []int64{0, 2}, "what ends in a line break is left as it is"},
		{[]string{"a", "b"}, "a\nb\n", []int64{0, 2}, "a row does not continue the part before"},
		{[]string{"", "a", "", "b\n"}, "a\nb\n", []int64{0, 2}, "an empty part adds no line"},
		{[]string{"a\n\n", "b", "c\n"}, "a\n\nb\nc\n", []int64{0, 3, 5}, "a blank line is the part's own"},
	} {
		for _, slow := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.DataErrReader} {
			var all []part
			for _, text := range test.parts {
				all = append(all, func() (io.ReadCloser, error) { return io.NopCloser(slow(strings.NewReader(text))), nil })
			}
			content := openParts(all, asItIs)
			got, err := io.ReadAll(content)
			if err != nil || string(got) != test.want {
				t.Errorf("%q: got %q, %v, because %s", test.parts, got, err, test.reason)
			}
			var starts []int64
			for offset := range int64(len(got)) {
				if content.BeginsPart(offset) {
					starts = append(starts, offset)
				}
			}
			if !slices.Equal(starts, test.starts) {
				t.Errorf("%q: parts begin at %v, want %v", test.parts, starts, test.starts)
			}
		}
	}
}

// TestEachPartIsDecodedByItself holds what lets compressed parts be joined.
func TestEachPartIsDecodedByItself(t *testing.T) {
	source := inline("a")
	broken := errors.New("broken")
	for _, test := range []struct {
		decode Decode
		want   string
		err    error
	}{
		{func(io.Reader) (io.Reader, error) { return strings.NewReader("decoded"), nil }, "decoded\n", nil},
		{func(io.Reader) (io.Reader, error) { return nil, broken }, "", broken},
	} {
		reader := source.Open(context.Background(), test.decode)
		got, err := io.ReadAll(reader)
		if string(got) != test.want || !errors.Is(err, test.err) {
			t.Errorf("got %q, %v", got, err)
		}
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestPartThatFailsIsNotSkipped reads on after a failure, as who peeks first does.
func TestPartThatFailsIsNotSkipped(t *testing.T) {
	broken := errors.New("broken")
	holding := func(content io.Reader) part {
		return func() (io.ReadCloser, error) { return io.NopCloser(content), nil }
	}
	calls := 0
	firstFails := func(content io.Reader) (io.Reader, error) {
		if calls++; calls == 1 {
			return nil, broken
		}
		return content, nil
	}
	good := holding(strings.NewReader("good\n"))
	for _, test := range []struct {
		reason string
		first  part
		decode Decode
	}{
		{"it cannot be opened", func() (io.ReadCloser, error) { return nil, broken }, asItIs},
		{"it cannot be decoded", holding(strings.NewReader("bad")), firstFails},
		{"it breaks off", holding(iotest.ErrReader(broken)), asItIs},
	} {
		content := openParts([]part{test.first, good}, test.decode)
		for range 2 {
			if got, err := io.ReadAll(content); !errors.Is(err, broken) || len(got) > 0 {
				t.Errorf("got %q, %v when %s", got, err, test.reason)
			}
		}
	}
}
