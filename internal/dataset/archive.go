package dataset

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode"
)

const (
	// maxMembers may be in an archive, those that are passed over included.
	maxMembers = 10_000
	// maxDirectoryBytes is what so many members of a zip take to be listed.
	maxDirectoryBytes = 4 << 20
	maxMemberName     = 256
)

// archive is a part that has parts of its own.
type archive interface {
	Parts
	close() error
}

// memberIsRead reports whether a file with the name is data. Hidden files and what
// programs write beside data is not: macOS its attributes, Hadoop and Spark checksums and
// marks.
func memberIsRead(name string) bool {
	if strings.HasSuffix(name, ".crc") {
		return false
	}
	for segment := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(segment, "_") || strings.HasPrefix(segment, ".") && segment != "." && segment != ".." {
			return false
		}
	}
	return true
}

// memberName is what messages call a member: a name is as foreign as the data is.
func memberName(part, name string) string {
	printable := strings.Map(func(c rune) rune {
		if c == unicode.ReplacementChar || unicode.IsPrint(c) {
			return c
		}
		return unicode.ReplacementChar
	}, path.Clean(strings.ToValidUTF8(name, string(unicode.ReplacementChar))))
	if len(printable) > maxMemberName {
		printable = "…" + strings.ToValidUTF8(printable[len(printable)-maxMemberName:], "")
	}
	if part == "" {
		return printable
	}
	return part + "/" + printable
}

func corruptArchive(format string, args ...any) error {
	return &InvalidDatasetError{Reason: CorruptArchive,
		Detail: fmt.Sprintf("%s. Pack or copy the archive again", fmt.Sprintf(format, args...))}
}

func unsupportedArchive(format string, args ...any) error {
	return &InvalidDatasetError{Reason: UnsupportedArchive, Detail: fmt.Sprintf(format, args...)}
}

func errTooManyMembers() error {
	return unsupportedArchive("the archive has more than %d members", maxMembers)
}

// isZip recognises a zip by its first member.
func isZip(head []byte) bool { return bytes.HasPrefix(head, []byte("PK\x03\x04")) }

// zipArchive is a zip on disk.
type zipArchive struct {
	part   string
	source *spooled
	files  []*zip.File // that are left
	size   cappedSize  // of all members
	read   int
}

// openZip closes the source with the archive, or at once if it cannot be read.
func openZip(part string, source *spooled, limits Limits) (*zipArchive, error) {
	directory := &boundedReaderAt{source: source, left: maxDirectoryBytes}
	reader, err := zip.NewReader(directory, source.size)
	if errors.Is(err, zip.ErrInsecurePath) {
		err = nil // nothing is written where a name says
	}
	a := &zipArchive{part: part, source: source, size: cappedSize{limits: limits, stored: source.size}}
	switch {
	case err != nil && source.err != nil:
		err = source.err
	case err != nil && directory.left < 0, err == nil && len(reader.File) > maxMembers:
		err = errTooManyMembers()
	case err != nil:
		err = corruptArchive("the zip archive is damaged or cut off: it ends without a directory that can be read")
	}
	if err != nil {
		return nil, errors.Join(err, source.close())
	}
	directory.opened = true
	a.files = reader.File
	return a, nil
}

// archiveMembers are the names of a zip's members.
func archiveMembers(a *zipArchive) []string {
	names := make([]string, len(a.files))
	for i, file := range a.files {
		names[i] = file.Name
	}
	return names
}

// Next opens the next member.
func (a *zipArchive) Next() (name string, content io.Reader, err error) {
	for len(a.files) > 0 {
		file := a.files[0]
		a.files = a.files[1:]
		path := strings.ReplaceAll(file.Name, `\`, "/") // as old programs for Windows write them
		if !file.Mode().IsRegular() || strings.HasSuffix(path, "/") || file.UncompressedSize64 == 0 || !memberIsRead(path) {
			continue
		}
		a.read++
		name = memberName(a.part, path)
		content, err = a.open(file)
		return name, content, err
	}
	if a.read == 0 {
		return a.part, nil, errEmptyArchive
	}
	return "", nil, io.EOF
}

var errEmptyArchive = &InvalidDatasetError{Reason: EmptyArchive,
	Detail: "the archive has no file to read; folders, links, empty files and names that start with . or _ are passed over"}

func (a *zipArchive) open(file *zip.File) (io.Reader, error) {
	if file.Flags&1 != 0 {
		return nil, unsupportedArchive("the member is encrypted; pack it without a password")
	}
	content, err := file.Open()
	if errors.Is(err, zip.ErrAlgorithm) {
		return nil, unsupportedArchive("the member is compressed by method %d of zip; pack it with deflate, which all programs know", file.Method)
	}
	if err != nil {
		return nil, a.explain(err)
	}
	return &zipMember{content, a}, nil
}

func (a *zipArchive) explain(err error) error {
	if a.source.err != nil {
		return a.source.err
	}
	return corruptArchive("the member is damaged or cut off")
}

func (a *zipArchive) close() error { return a.source.close() }

type zipMember struct {
	io.Reader
	archive *zipArchive
}

func (m *zipMember) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if err != nil && !isEnd(err) {
		return n, m.archive.explain(err)
	}
	if tooMuch := m.archive.size.add(n); tooMuch != nil {
		return n, tooMuch
	}
	return n, err
}

// boundedReaderAt ends reading the directory of a zip, of which all is held in memory.
type boundedReaderAt struct {
	source io.ReaderAt
	left   int64
	opened bool
}

func (r *boundedReaderAt) ReadAt(p []byte, offset int64) (int, error) {
	if !r.opened {
		if r.left -= int64(len(p)); r.left < 0 {
			return 0, errTooManyMembers()
		}
	}
	return r.source.ReadAt(p, offset)
}

// tarMagicAt is where a tar says what it is.
const (
	tarMagicAt   = 257
	tarBlock     = 512
	tarHeadBytes = tarMagicAt + len("ustar")
)

func isTar(head []byte) bool {
	return len(head) >= tarHeadBytes && string(head[tarMagicAt:tarHeadBytes]) == "ustar"
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
			return a.part, nil, errTooManyMembers()
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
