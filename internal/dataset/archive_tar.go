package dataset

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"strconv"
)

const (
	tarChecksumAt = 148
	tarTypeAt     = 156
	tarMagicAt    = 257
	tarHeadBytes  = tarMagicAt + len("ustar  \x00")
	tarBlock      = 512
)

// isTar recognises a tar by its first header, which is of POSIX or of GNU. No text has
// the zero behind either's name. Older ones have a checksum alone.
func isTar(head []byte) bool {
	if len(head) < tarHeadBytes {
		return false
	}
	magic := head[tarMagicAt:]
	return bytes.HasPrefix(magic, []byte("ustar\x00")) || bytes.HasPrefix(magic, []byte("ustar  \x00")) || isOldTar(head)
}

// isOldTar holds the first header against its checksum.
func isOldTar(head []byte) bool {
	if len(head) < tarBlock || head[0] == 0 {
		return false
	}
	want, err := strconv.ParseInt(string(bytes.Trim(head[tarChecksumAt:tarTypeAt], " \x00")), 8, 32)
	sum := int64(' ') * (tarTypeAt - tarChecksumAt) // which it counts for itself
	for i, c := range head[:tarBlock] {
		if i < tarChecksumAt || i >= tarTypeAt {
			sum += int64(c)
		}
	}
	return err == nil && sum == want
}

// tarArchive is a tar that is read as it comes.
type tarArchive struct {
	part    string
	input   *zerosReader
	reader  *tar.Reader
	members int
	read    int
}

func openTar(part string, content io.Reader, limits Limits) *tarArchive {
	input := &zerosReader{input: &cappedReader{input: content, maxBytes: limits.DecompressedBytes}}
	return &tarArchive{part: part, input: input, reader: tar.NewReader(input)}
}

// Next goes on to the next member.
func (a *tarArchive) Next() (name string, content io.Reader, err error) {
	for {
		header, err := a.reader.Next()
		if isEnd(err) {
			return a.part, nil, a.end()
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) { // nothing is written where a name says
			return a.part, nil, a.explain(err)
		}
		if a.members++; a.members > maxMembers {
			return a.part, nil, tooManyMembers()
		}
		if header.Typeflag != tar.TypeReg || header.Size == 0 || !memberIsRead(header.Name) {
			continue
		}
		a.read++
		return memberName(a.part, header.Name), tarMember{a}, nil
	}
}

// end reads what follows, of which a compression has its checksum. A tar ends with
// blocks of zeros: one without was cut off where a member ends.
func (a *tarArchive) end() error {
	if a.input.zeros < tarBlock {
		return corruptArchive("the tar archive is cut off")
	}
	if _, err := io.Copy(io.Discard, a.input); err != nil {
		return err
	}
	if a.read == 0 {
		return errEmptyArchive
	}
	return io.EOF
}

// explain tells a damaged archive from a source that fails.
func (a *tarArchive) explain(err error) error {
	if a.input.input.err != nil {
		return a.input.input.err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return corruptArchive("the tar archive is cut off")
	}
	return corruptArchive("the tar archive is damaged")
}

func (*tarArchive) close() error { return nil }

type tarMember struct{ archive *tarArchive }

func (m tarMember) Read(p []byte) (int, error) {
	n, err := m.archive.reader.Read(p)
	if err != nil && !isEnd(err) {
		err = m.archive.explain(err)
	}
	return n, err
}

// zerosReader counts the zeros at the end of what it has read.
type zerosReader struct {
	input *cappedReader
	zeros int
}

func (r *zerosReader) Read(p []byte) (int, error) {
	n, err := r.input.Read(p)
	data := bytes.TrimRight(p[:n], "\x00")
	if len(data) > 0 {
		r.zeros = 0
	}
	r.zeros += n - len(data)
	return n, err
}
