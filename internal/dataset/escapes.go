package dataset

import (
	"slices"
	"unicode/utf8"
)

// unquote reads a string that has escape sequences, or does not end. The bytes from
// start to end stand for themselves.
func (s *scanner) unquote(start, end int, ascii bool) string {
	// No escape sequence is shorter than what it decodes to.
	s.unquoted = slices.Grow(s.unquoted, len(s.data)-start+blockBytes)
	text := s.unquoted[len(s.unquoted):cap(s.unquoted)]
	size := 0
	for {
		if end >= len(s.data) {
			s.position = len(s.data)
			s.fail(InvalidJSON, "a string is not closed")
			return ""
		}
		copyBlocks(text[size:], s.ahead[start:], end-start)
		size += end - start
		s.position = end
		switch s.data[end] {
		case '"':
			s.position++
			s.unquoted = s.unquoted[:len(s.unquoted)+size]
			if ascii {
				return stringOf(text[:size])
			}
			return s.checked(text[:size])
		case '\\':
			// Behind a line that ends here stands anything, and no quote closes the string.
			if c := unescaped[s.ahead[end+1]]; c != 0 {
				text[size] = c
				size++
				start = end + 2
			} else {
				size += s.unicodeEscape(text[size:])
				start = s.position
			}
		default:
			s.fail(InvalidJSON, "a string has a control character that is not escaped")
		}
		if s.failed {
			return ""
		}
		var plain bool
		end, plain = plainEnd(s.ahead, start)
		ascii = ascii && plain // what escapes decode to is valid, ASCII or not
	}
}

// copyBlocks copies some bytes, and whatever follows in their last block: from goes on
// for a block behind the line, and to has room for one more than the line decodes to.
// For the few that mostly stand between escape sequences it is faster than copy.
func copyBlocks(to, from []byte, size int) {
	for i := 0; i < size; i += blockBytes {
		*(*[blockBytes]byte)(to[i:]) = *(*[blockBytes]byte)(from[i:])
	}
}

// unescaped are what the characters after a backslash stand for. 0 is none, or u.
var unescaped = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unicodeEscape decodes the u and the four hexadecimal digits that follow the
// backslash here, or both halves of a surrogate pair. Half a pair is no character.
// It returns how many bytes of text that takes.
func (s *scanner) unicodeEscape(text []byte) int {
	s.position++
	if s.peek() != 'u' {
		s.fail(InvalidJSON, "an escape sequence is unknown")
		return 0
	}
	s.position++
	r := s.hex4()
	if 0xD800 <= r && r < 0xE000 {
		var low rune
		if r < 0xDC00 && s.position+1 < len(s.data) && s.data[s.position] == '\\' && s.data[s.position+1] == 'u' {
			s.position += 2
			low = s.hex4()
		}
		if low < 0xDC00 || low >= 0xE000 {
			s.fail(InvalidJSON, "an escape sequence is half a surrogate pair")
			return 0
		}
		r = 0x10000 + (r-0xD800)<<10 + (low - 0xDC00)
	}
	return utf8.EncodeRune(text, r)
}

func (s *scanner) hex4() rune {
	if len(s.data)-s.position < 4 {
		s.fail(InvalidJSON, "an escape sequence is cut off")
		return 0
	}
	digits := s.data[s.position : s.position+4]
	a, b, c, d := hexValues[digits[0]], hexValues[digits[1]], hexValues[digits[2]], hexValues[digits[3]]
	if a|b|c|d > 0xF {
		s.fail(InvalidJSON, "an escape sequence has not four hexadecimal digits")
		return 0
	}
	s.position += 4
	return rune(a)<<12 | rune(b)<<8 | rune(c)<<4 | rune(d)
}

// hexValues are those of hexadecimal digits, and more than 15 for other bytes.
var hexValues = func() (values [256]byte) {
	for c := range values {
		switch {
		case '0' <= c && c <= '9':
			values[c] = byte(c - '0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			values[c] = byte(c | 0x20 - 'a' + 10)
		default:
			values[c] = 0xFF
		}
	}
	return values
}()
