package dataset

import (
	"encoding/binary"
	"math/bits"
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
