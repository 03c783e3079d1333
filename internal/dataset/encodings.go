package dataset

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// The marks that name an encoding.
const (
	markUTF16LE = "\xFF\xFE"
	markUTF16BE = "\xFE\xFF"
	markUTF32LE = "\xFF\xFE\x00\x00"
	markUTF32BE = "\x00\x00\xFE\xFF"
)

// utf16Order is the order of the bytes that the mark of UTF-16 tells; nil: it is not that.
func utf16Order(head []byte) binary.ByteOrder {
	switch {
	case bytes.HasPrefix(head, []byte(markUTF32LE)):
		return nil
	case bytes.HasPrefix(head, []byte(markUTF16LE)):
		return binary.LittleEndian
	case bytes.HasPrefix(head, []byte(markUTF16BE)):
		return binary.BigEndian
	}
	return nil
}

// inEncoding is text that is in another encoding than UTF-8.
func inEncoding(what, from, remark string) *foreign {
	return &foreign{UnsupportedEncoding, what, fmt.Sprintf("convert it with iconv -f %s -t UTF-8 FILE%s", from, remark)}
}

// encoded is what the head is if it is in an encoding that is not read; nil: it is in
// UTF-8, or single rows are not.
func encoded(head []byte) *foreign {
	if bytes.HasPrefix(head, []byte(markUTF32LE)) || bytes.HasPrefix(head, []byte(markUTF32BE)) {
		return inEncoding("in UTF-32", "UTF-32", "")
	}
	if utf16Order(head) != nil {
		return inEncoding("in UTF-16", "UTF-16", "") // which was to be decoded before
	}
	if bytes.IndexByte(head, 0) < 0 {
		if isInOneByte(head) {
			return inEncoding("not in UTF-8, but in an encoding with a byte a character", "WINDOWS-1252",
				", if it comes from Windows or Excel in the west of Europe; otherwise name the encoding that the program wrote which made it")
		}
		return nil
	}
	even, odd := zeros(head)
	pairs := len(head) / 2
	switch {
	case even+odd == len(head):
		return new(notTheData("bytes of 0 alone", "it was never written, or is damaged: upload it again"))
	case pairs < 4:
	case isUTF32(head, 0):
		return inEncoding("in UTF-32 without a byte order mark", "UTF-32LE", "")
	case isUTF32(head, 3):
		return inEncoding("in UTF-32 without a byte order mark", "UTF-32BE", "")
	case odd*2 > pairs && even*8 < pairs, isUTF16(head, binary.LittleEndian):
		return inEncoding("in UTF-16 without a byte order mark", "UTF-16LE", "")
	case even*2 > pairs && odd*8 < pairs, isUTF16(head, binary.BigEndian):
		return inEncoding("in UTF-16 without a byte order mark", "UTF-16BE", "")
	}
	return nil
}

// isUTF32 reports whether of each of the first two units the byte at the place is of ASCII,
// and the others are 0.
func isUTF32(head []byte, place int) bool {
	for i, c := range head[:8] {
		if isASCII := ' ' <= c && c < 0x7F; i%4 == place && !isASCII || i%4 != place && c != 0 {
			return false
		}
	}
	return true
}

// isUTF16 reports whether the head starts with text, and a line break, in UTF-16. In Chinese or
// Russian, unlike in English, no other zeros tell.
func isUTF16(head []byte, order binary.ByteOrder) bool {
	var units []uint16
	for start := head[:min(len(head)&^1, 512)]; len(start) > 0; start = start[2:] {
		units = append(units, order.Uint16(start))
	}
	lines := false
	characters := utf16.Decode(units)
	for i, c := range characters {
		lines = lines || c == '\n'
		isHalf := c == unicode.ReplacementChar && i < len(characters)-1 // the last one may be cut
		if isHalf || !unicode.IsGraphic(c) && !unicode.IsSpace(c) {
			return false
		}
	}
	return lines
}

// zeros counts the bytes of 0 at even and odd places.
func zeros(head []byte) (even, odd int) {
	for i, c := range head {
		switch {
		case c != 0:
		case i%2 == 0:
			even++
		default:
			odd++
		}
	}
	return even, odd
}

// isInOneByte reports whether several lines have bytes beyond ASCII, and none of them is
// in UTF-8. A single line may be damaged: that is for its row to say.
func isInOneByte(head []byte) bool {
	if utf8.Valid(head) {
		return false // as nearly always
	}
	lines := 0
	for line := range bytes.Lines(head) {
		valid, ascii := utf8.Valid(line), !bytes.ContainsFunc(line, func(r rune) bool { return r >= utf8.RuneSelf })
		switch {
		case !valid:
			lines++
		case !ascii && len(withoutMarks(bytes.TrimSpace(line))) > 0:
			return false
		}
	}
	return lines > 1
}
