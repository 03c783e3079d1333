package source

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func TestSeparator(t *testing.T) {
	plain := func(r io.Reader) (io.Reader, error) { return r, nil }
	gunzip := func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }
	unzstd := func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) }
	zipped := func(text string) string {
		var compressed bytes.Buffer
		writer := gzip.NewWriter(&compressed)
		_, _ = io.WriteString(writer, text)
		_ = writer.Close()
		return compressed.String()
	}
	zstandard := func(text string) string {
		encoder, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		return string(encoder.EncodeAll([]byte(text), nil))
	}
	for _, test := range []struct {
		reason        string
		first, second string
		decompress    func(io.Reader) (io.Reader, error)
		want          string
	}{
		{"a row ends with its part", "a", "b", plain, "a\nb"},
		{"no empty row where the line is ended", "a\n", "b", plain, "a\nb"},
		{"an empty part is no row", "", "b", plain, "b"},
		{"a part shorter than any magic number", "\x1F", "b", plain, "\x1F\nb"},
		{"gzip goes on as gzip", zipped("a"), zipped("b"), gunzip, "a\nb"},
		{"zstd goes on as zstd", zstandard("a"), zstandard("b"), unzstd, "a\nb"},
	} {
		var edges edges
		for i := range test.first { // the reader decides how much comes at once
			edges.saw([]byte(test.first[i : i+1]))
		}
		edges.saw(nil)
		reader, err := test.decompress(io.MultiReader(
			bytes.NewReader([]byte(test.first)), bytes.NewReader(edges.separator()), bytes.NewReader([]byte(test.second))))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(reader); err != nil || string(got) != test.want {
			t.Errorf("%s: got %q, %v, want %q", test.reason, got, err, test.want)
		}
	}
}
