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
	end, ascii := plainEnd(s.ahead, start)
	if end >= len(s.data) || s.data[end] != '"' {
		return s.unquote(start, end, ascii)
	}
	s.position = end + 1
	if ascii {
		return stringOf(s.data[start:end])
	}
	return s.checked(s.data[start:end])
}

// unquote reads a string whose plain beginning is data[start:end], or perhaps
// reaches beyond data.
func (s *scanner) unquote(start, end int, ascii bool) string {
	first := len(s.unquoted)
	for {
		end = min(end, len(s.data))
		s.unquoted = append(s.unquoted, s.data[start:end]...)
		s.position = end
		switch s.peek() {
		case '"':
			s.position++
			if ascii {
				return stringOf(s.unquoted[first:])
			}
			return s.checked(s.unquoted[first:])
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
		end, plain = plainEnd(s.ahead, start)
		ascii = ascii && plain // what escapes decode to is valid, ASCII or not
	}
}

// checked returns the bytes as a string if they are UTF-8.
func (s *scanner) checked(text []byte) string {
	if !isUTF8(text) {
		s.fail(InvalidUTF8, "a string is not UTF-8")
		return ""
	}
	return stringOf(text)
}

// stringOf returns the bytes as the string that they are, without a copy.
func stringOf(text []byte) string {
	return unsafe.String(unsafe.SliceData(text), len(text))
}

// blockBytes are looked at together by plainEnd.
const blockBytes = 32

// plainEnd returns where the bytes that stand for themselves end: at a quote, a
// backslash, a control character or the end of data. When ascii is true they
// all are ASCII.
//
// Where they end is computed and not found by branches, which a processor cannot
// foresee here.
func plainEnd(data []byte, start int) (end int, ascii bool) {
	var seen uint64
	i := start
	for ; i+blockBytes <= len(data); i += blockBytes {
		block := data[i : i+blockBytes : i+blockBytes]
		a, b := binary.LittleEndian.Uint64(block), binary.LittleEndian.Uint64(block[8:])
		c, d := binary.LittleEndian.Uint64(block[16:]), binary.LittleEndian.Uint64(block[24:])
		seen |= a | b | c | d
		specialA, specialB, specialC, specialD := specials(a), specials(b), specials(c), specials(d)
		if specialA|specialB|specialC|specialD != 0 {
			first := bits.TrailingZeros64(gather(specialA) | gather(specialB)<<8 | gather(specialC)<<16 | gather(specialD)<<24)
			return i + first, seen&highs == 0
		}
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

const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// specials has the high bit of the first byte of the word that does not stand for
// itself, and perhaps of bytes after it.
//
// Subtracting n from a byte below it borrows into its high bit; a borrow can spoil
// the bytes above only, and the lowest is the one that is asked for. The quote is
// 0x22: with a bit changed it is the one after the control characters.
func specials(word uint64) uint64 {
	special := ((word ^ 0x02*ones) - 0x21*ones) | ((word ^ '\\'*ones) - 0x01*ones)
	return special & highs &^ word
}

// gather moves the high bits of a word's bytes into its lowest byte.
func gather(word uint64) uint64 {
	return word >> 7 * 0x0102040810204080 >> 56
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
