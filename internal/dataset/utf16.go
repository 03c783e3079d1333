package dataset

import (
	"bufio"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// utf16Reader reads UTF-16 as UTF-8. Half a surrogate pair, which is no character,
// becomes a byte that is not UTF-8, so that its row is invalid and nothing is replaced.
type utf16Reader struct {
	input  *bufio.Reader
	order  binary.ByteOrder
	output []byte // decoded, and not read yet
	buffer [4096]byte
	err    error
}

// newUTF16Reader returns a reader of the input, of which the mark has told the order.
func newUTF16Reader(input *bufio.Reader, order binary.ByteOrder) *utf16Reader {
	return &utf16Reader{input: input, order: order}
}

func (r *utf16Reader) Read(p []byte) (int, error) {
	if len(r.output) == 0 && r.err == nil {
		r.output = r.buffer[:0]
		for r.err == nil && len(r.output)+utf8.UTFMax <= len(r.buffer) {
			r.err = r.decode()
		}
	}
	n := copy(p, r.output)
	if r.output = r.output[n:]; len(r.output) > 0 || n > 0 {
		return n, nil
	}
	return 0, r.err
}

// decode decodes the next character. It leaves what follows half a pair for the next.
func (r *utf16Reader) decode() error {
	unit, err := r.peek(0)
	if err != nil {
		return err
	}
	character, units := rune(unit), 1
	if utf16.IsSurrogate(character) {
		low, err := r.peek(1)
		if err != nil && !isEnd(err) {
			return err
		}
		if character = utf16.DecodeRune(character, rune(low)); character != utf8.RuneError {
			units = 2
		}
	}
	if units == 1 && utf16.IsSurrogate(rune(unit)) {
		r.output = append(r.output, 0xFF)
	} else {
		r.output = utf8.AppendRune(r.output, character)
	}
	_, err = r.input.Discard(2 * units)
	return err
}

// peek is a unit that follows.
func (r *utf16Reader) peek(i int) (uint16, error) {
	head, err := r.input.Peek(2*i + 2)
	switch left := len(head) - 2*i; {
	case left == 1 && isEnd(err):
		return 0, &InvalidDatasetError{Reason: UnsupportedEncoding, Detail: "the UTF-16 ends within a character: the data is cut off"}
	case left < 2:
		return 0, err
	}
	return r.order.Uint16(head[2*i:]), nil
}
