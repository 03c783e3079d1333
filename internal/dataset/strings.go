package dataset

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
	"unsafe"
)

// string reads a string. It is valid until the next reset.
func (s *scanner) string() string {
	start := s.position + 1
	end, ascii := plainEnd(s.data, start)
	if end == len(s.data) || s.data[end] != '"' {
		return s.stringFrom(start, end, ascii)
	}
	s.position = end + 1
	return s.checked(s.data[start:end], ascii)
}

// stringFrom reads a string whose plain beginning is data[start:end].
func (s *scanner) stringFrom(start, end int, ascii bool) string {
	first := len(s.unquoted)
	for {
		s.unquoted = append(s.unquoted, s.data[start:end]...)
		s.position = end
		switch s.peek() {
		case '"':
			s.position++
			return s.checked(s.unquoted[first:], ascii)
		case '\\':
			s.escape()
		default:
			s.fail(InvalidJSON, "a string is not closed, or has a control character that is not escaped")
		}
		if s.failed {
			return ""
		}
		var plain bool
		start = s.position
		end, plain = plainEnd(s.data, start)
		ascii = ascii && plain // what escapes decode to is valid, ASCII or not
	}
}

// checked returns the bytes as the string that they are, without a copy. They
// are UTF-8 when ascii is true, else it has to look.
func (s *scanner) checked(text []byte, ascii bool) string {
	if !ascii && !utf8.Valid(text) {
		s.fail(InvalidUTF8, "a string is not UTF-8")
		return ""
	}
	return unsafe.String(unsafe.SliceData(text), len(text))
}

// plainEnd returns where the bytes that stand for themselves end: at a quote, a
// backslash, a control character or the end of data. When ascii is true they
// all are ASCII.
//
// It looks at eight bytes at once. Subtracting n from a byte below it, or 1
// from a byte that is zero, borrows into its high bit; a borrow can spoil the
// bytes above only, and the lowest is the one that is asked for.
func plainEnd(data []byte, start int) (end int, ascii bool) {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	var seen uint64
	i := start
	for ; i+8 <= len(data); i += 8 {
		word := binary.LittleEndian.Uint64(data[i:])
		special := (word - ' '*ones) | ((word ^ '"'*ones) - ones) | ((word ^ '\\'*ones) - ones)
		if special &= highs &^ word; special != 0 {
			return i + bits.TrailingZeros64(special)/8, (seen|word)&highs == 0
		}
		seen |= word
	}
	for ; i < len(data); i++ {
		c := data[i]
		if c < ' ' || c == '"' || c == '\\' {
			break
		}
		seen |= uint64(c)
	}
	return i, seen&highs == 0
}

// escape decodes the escape sequence that starts here.
func (s *scanner) escape() {
	s.position++
	c := s.peek()
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		s.position++
		s.unicodeEscape()
		return
	default:
		s.fail(InvalidJSON, "an escape sequence is unknown")
		return
	}
	s.position++
	s.unquoted = append(s.unquoted, c)
}

// unicodeEscape decodes four hexadecimal digits, or the two times four of a
// surrogate pair. Half a pair is no character.
func (s *scanner) unicodeEscape() {
	r := s.hex4()
	if 0xD800 <= r && r < 0xE000 {
		var low rune
		if r < 0xDC00 && s.position+1 < len(s.data) && s.data[s.position] == '\\' && s.data[s.position+1] == 'u' {
			s.position += 2
			low = s.hex4()
		}
		if low < 0xDC00 || low >= 0xE000 {
			s.fail(InvalidJSON, "an escape sequence is half a surrogate pair")
			return
		}
		r = 0x10000 + (r-0xD800)<<10 + (low - 0xDC00)
	}
	s.unquoted = utf8.AppendRune(s.unquoted, r)
}

func (s *scanner) hex4() rune {
	if len(s.data)-s.position < 4 {
		s.fail(InvalidJSON, "an escape sequence is cut off")
		return 0
	}
	var r rune
	for _, c := range s.data[s.position : s.position+4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			s.fail(InvalidJSON, "an escape sequence has not four hexadecimal digits")
			return 0
		}
		r = r<<4 | rune(c)
	}
	s.position += 4
	return r
}
