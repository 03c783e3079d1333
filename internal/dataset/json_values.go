package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxBrackets bounds what is remembered of open objects and arrays. Far fewer make a
// value invalid, whose end is looked for nevertheless.
const maxBrackets = 1 << 16

// jsonValues finds the values of JSON: the elements of arrays, and the objects that
// stand in none. It looks at brackets and strings alone. What is in a value is for a
// decoder to judge, but where a value ends must be beyond doubt: what leaves doubt is an
// *InvalidDatasetError, because rows could be lost in it.
type jsonValues struct {
	source   *cappedReader
	input    *bufio.Reader // of source
	maxBytes int
	place    int // where in the input: the line, from 1

	inArray bool // the values are elements of an array
	element int  // how many elements of the array were read

	value    []byte // without white space between its tokens; valid until the next
	line     int    // on which it starts
	start    int64  // the offset at which it does
	brackets []byte // that are open in it
	tooLong  bool
	err      error // what ended reading
}

func newJSONValues(r io.Reader, limits Limits) jsonValues {
	capped := &cappedReader{input: r, maxBytes: limits.DecompressedBytes}
	return jsonValues{source: capped, input: bufio.NewReaderSize(capped, bufferBytes), maxBytes: limits.LineBytes, place: 1}
}

func (v *jsonValues) offset() int64 { return v.source.size - int64(v.input.Buffered()) }

// bytes is what the value took.
func (v *jsonValues) bytes() int64 { return v.offset() - v.start }

func (v *jsonValues) invalid(reason Reason, detail string) error {
	return &InvalidSampleError{Line: v.line, Reason: reason, Detail: detail, Bytes: v.bytes()}
}

// fault is about the line that was read last.
func (v *jsonValues) fault(reason Reason, format string, args ...any) error {
	return &InvalidDatasetError{Line: v.place, Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// next reads the next value. After an *InvalidSampleError, which is of one that is too
// long, it goes on.
func (v *jsonValues) next() error {
	if v.err != nil {
		return v.err
	}
	if err := v.begin(); err != nil {
		v.err = err
		return err
	}
	if err := v.read(); err != nil {
		if isEnd(err) {
			err = v.cutOff("a value")
		}
		v.err = err
		return err
	}
	v.element++
	if v.tooLong {
		return v.invalid(LineTooLong, fmt.Sprintf("the row has more than %d bytes", v.maxBytes))
	}
	return nil
}

// cutOff says that something which begins on the value's line does not end.
func (v *jsonValues) cutOff(what string) error {
	return &InvalidDatasetError{Line: v.line, Reason: TruncatedJSON,
		Detail: fmt.Sprintf("the data ends inside of %s that starts here: it is cut off", what)}
}

// begin goes to the first byte of the next value.
func (v *jsonValues) begin() error {
	for {
		c, err := v.token()
		if err != nil {
			return err
		}
		if v.inArray {
			if c, err = v.afterElement(c); err != nil {
				return err
			}
		}
		v.line, v.start = v.place, v.offset()-1
		switch {
		case v.inArray && c == ']':
			v.inArray = false
			continue
		case !v.inArray && c == '[':
			v.inArray, v.element = true, 0
			continue
		case !v.inArray && c == ',':
			return v.fault(InvalidJSON, "a comma follows an object that is in no array. Put all of them between [ and ], or leave the commas out")
		case !v.inArray && c != '{':
			return v.fault(InvalidJSON, "something that is neither an object nor an array of objects stands here")
		}
		return v.input.UnreadByte() // which cannot fail: the byte was just read
	}
}

// token skips white space, and in front of objects and arrays the byte order marks of
// files that were joined, and reads the byte that follows.
func (v *jsonValues) token() (byte, error) {
	for {
		c, err := v.input.ReadByte()
		if isEnd(err) && v.inArray {
			return 0, v.cutOff("the array, or the value,")
		}
		if err != nil {
			return 0, err
		}
		switch c {
		case '\n':
			v.place++
		case ' ', '\t', '\r':
		case byteOrderMark[0]:
			if v.inArray || !v.passMark() {
				return c, nil
			}
		default:
			return c, nil
		}
	}
}

// passMark reports whether what follows is the rest of a byte order mark, and passes it.
func (v *jsonValues) passMark() bool {
	rest, _ := v.input.Peek(2)
	if !bytes.Equal(rest, byteOrderMark[1:]) {
		return false
	}
	_, err := v.input.Discard(len(rest))
	return err == nil
}

// afterElement is the first byte of the next element, or the array's end, where a token
// was read that may be the comma before it.
func (v *jsonValues) afterElement(c byte) (byte, error) {
	comma := c == ','
	switch {
	case comma && v.element == 0:
		return 0, v.fault(InvalidJSON, "a comma stands before an array's first element")
	case !comma && v.element > 0 && c != ']':
		return 0, v.fault(InvalidJSON, "neither a comma nor the array's end follows an element")
	case !comma:
		return c, nil
	}
	c, err := v.token()
	if err == nil && (c == ',' || c == ']') {
		return 0, v.fault(InvalidJSON, "no element follows a comma. Remove the comma")
	}
	return c, err
}

// read reads the value.
func (v *jsonValues) read() error {
	v.value, v.brackets, v.tooLong = v.value[:0], v.brackets[:0], false
	spaced := false // white space precedes
	for {
		c, err := v.input.ReadByte()
		if err != nil {
			return err
		}
		switch c {
		case '\n', ' ', '\t', '\r':
			if len(v.brackets) == 0 {
				return v.input.UnreadByte()
			}
			if c == '\n' {
				v.place++
			}
			spaced = true
			continue
		case ',', ']', '}':
			if len(v.brackets) == 0 {
				return v.input.UnreadByte()
			}
		case '/', '#':
			return v.fault(InvalidJSON, "something that looks like a comment stands here. JSON has none")
		}
		if spaced && !v.parts(c) {
			v.keep(' ') // which keeps two tokens from becoming one
		}
		spaced = false
		v.keep(c)
		done, err := v.pass(c)
		if done || err != nil {
			return err
		}
	}
}

// parts reports whether c, or what was kept last, parts tokens without white space.
func (v *jsonValues) parts(c byte) bool {
	const parting = "{}[]:,"
	last := v.value[max(0, len(v.value)-1):]
	return strings.IndexByte(parting, c) >= 0 || bytes.ContainsAny(last, parting)
}

func (v *jsonValues) keep(c ...byte) {
	if v.tooLong = v.tooLong || len(v.value)+len(c) > v.maxBytes; !v.tooLong {
		v.value = append(v.value, c...)
	}
}

// pass notes what opens or closes with c, and reports whether the value does.
func (v *jsonValues) pass(c byte) (done bool, err error) {
	switch c {
	case '"':
		err = v.passString()
		return len(v.brackets) == 0, err
	case '{', '[':
		if len(v.brackets) == maxBrackets {
			return false, v.fault(NestingTooDeep, "objects and arrays are nested more than %d deep", maxBrackets)
		}
		v.brackets = append(v.brackets, c)
	case '}', ']':
		last := len(v.brackets) - 1
		if v.brackets[last] != c-2 { // as ASCII has them
			return false, v.fault(InvalidJSON, "a %c closes what a %c opened, in the value that starts on line %d", c, v.brackets[last], v.line)
		}
		v.brackets = v.brackets[:last]
		return last == 0, nil
	}
	return false, nil
}

// passString reads a string after its first quote. One that goes on in the next line is
// none: it is most likely not closed, and rows would be in it.
func (v *jsonValues) passString() error {
	for escaped := false; ; {
		part, err := v.input.ReadSlice('"')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		if bytes.IndexByte(part, '\n') >= 0 {
			return v.fault(InvalidJSON, "a string is not closed on its line")
		}
		v.keep(part...)
		closed := false
		for _, c := range part {
			closed = c == '"' && !escaped
			escaped = c == '\\' && !escaped
		}
		if closed {
			return nil
		}
	}
}
