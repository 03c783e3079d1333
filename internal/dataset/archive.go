package dataset

import (
	"fmt"
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
// programs write beside data is not: macOS and Windows what they show of a folder, Hadoop
// and Spark checksums, marks and what is not written to its end. A _ begins data where it
// begins the name of a column, as in the folder _c0=1.
func memberIsRead(name string) bool {
	switch base := path.Base(name); {
	case strings.HasSuffix(base, ".crc"), strings.HasSuffix(base, "._COPYING_"), base == "Thumbs.db", base == "desktop.ini":
		return false
	}
	for segment := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(segment, "_") && !strings.Contains(segment, "=") ||
			strings.HasPrefix(segment, ".") && segment != "." && segment != ".." {
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

func corruptArchive(detail string) error {
	return &InvalidDatasetError{Reason: CorruptArchive, Detail: detail + ". Pack or copy the archive again"}
}

func unsupportedArchive(format string, args ...any) error {
	return &InvalidDatasetError{Reason: UnsupportedArchive, Detail: fmt.Sprintf(format, args...)}
}

func tooManyMembers() error {
	return unsupportedArchive("the archive has more than %d members", maxMembers)
}

var errEmptyArchive = &InvalidDatasetError{Reason: EmptyArchive,
	Detail: "the archive has no file to read; folders, links, empty files and names that start with . or _ are passed over"}
