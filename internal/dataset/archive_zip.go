package dataset

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"strings"
)

// isZip recognises a zip by its first member, or as one that has none.
func isZip(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06"))
}

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
		err = tooManyMembers()
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
		path := strings.ReplaceAll(file.Name, `\`, "/")            // as old programs for Windows write them
		isEmpty := file.UncompressedSize64 == 0 && file.CRC32 == 0 // of others the size is damaged
		if !file.Mode().IsRegular() || strings.HasSuffix(path, "/") || isEmpty || !memberIsRead(path) {
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

func (a *zipArchive) open(file *zip.File) (io.Reader, error) {
	if file.Flags&1 != 0 {
		return nil, unsupportedArchive("the member is encrypted; pack it without a password")
	}
	content, err := file.Open()
	if errors.Is(err, zip.ErrAlgorithm) {
		return nil, unsupportedArchive("the member is compressed by method %d of zip; pack it with deflate, which all programs know", file.Method)
	}
	if err != nil {
		return nil, a.explain()
	}
	return &zipMember{content, a}, nil
}

func (a *zipArchive) explain() error {
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
		return n, m.archive.explain()
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
			return 0, tooManyMembers()
		}
	}
	return r.source.ReadAt(p, offset)
}
