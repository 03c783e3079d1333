package source

import "bytes"

// What separates the last row of one part of a source from the first of the next.
// A compressed part is followed by a compressed line end: gzip and zstd both define
// compressed streams that follow one another as one stream.
var (
	lineEnd     = []byte("\n")
	gzipMagic   = []byte("\x1F\x8B")
	gzipLineEnd = []byte("\x1F\x8B\x08\x00\x00\x00\x00\x00\x00\xFF" + // header: deflate, no time, no name
		"\x01\x01\x00\xFE\xFF\n" + // one stored block of one byte
		"\x93\x06\xD7\x32\x01\x00\x00\x00") // its CRC-32 and length
	zstdMagic   = []byte("\x28\xB5\x2F\xFD")
	zstdLineEnd = []byte("\x28\xB5\x2F\xFD\x20\x01" + // header: one segment of one byte
		"\x09\x00\x00\n") // the last block, raw, of one byte
)

// edges are how a part begins and ends.
type edges struct {
	first []byte
	last  byte
}

func (e *edges) saw(content []byte) {
	if len(content) == 0 {
		return
	}
	e.first = append(e.first, content[:min(len(content), len(zstdMagic)-len(e.first))]...)
	e.last = content[len(content)-1]
}

// separator is what must follow the part if another does.
func (e *edges) separator() []byte {
	switch {
	case bytes.HasPrefix(e.first, gzipMagic):
		return gzipLineEnd
	case bytes.HasPrefix(e.first, zstdMagic):
		return zstdLineEnd
	case len(e.first) == 0, e.last == '\n':
		return nil
	}
	return lineEnd
}
