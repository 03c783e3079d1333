package dataset

import "fmt"

// scanner reads the JSON of one line in one pass and checks all of RFC 8259 on
// its way, and beyond it that strings are UTF-8 and keys distinct.
//
// A method starts at the first byte of what it reads and ends after the last.
// The first failure sticks: from then on the loops over objects and arrays end,
// so that only what has a side effect needs to ask whether there was one.
type scanner struct {
	data     []byte
	ahead    []byte // data and the block that follows it in memory, whatever that holds
	copied   []byte // a line that ends with its memory, and a block
	position int
	depth    int
	maxDepth int
	unquoted []byte // the strings that are not in data as they read
	names    distinctNames
	failed   bool
	problem  InvalidSampleError
}

// reset starts a line. Strings read from the one before are no longer valid. Behind a
// line there mostly is the next one, and else a copy has room: thus blocks can be read
// that the line's end may lie in.
func (s *scanner) reset(line []byte) {
	s.data, s.position, s.depth, s.failed = line, 0, 0, false
	if cap(line)-len(line) < blockBytes {
		s.copied = append(append(s.copied[:0], line...), make([]byte, blockBytes)...)
		s.data = s.copied[:len(line)]
	}
	s.ahead = s.data[:len(line)+blockBytes]
	s.unquoted = s.unquoted[:0]
	s.names.reset()
}

func (s *scanner) fail(reason Reason, detail string) {
	s.failAt(s.position+1, reason, detail)
}

func (s *scanner) failAt(column int, reason Reason, detail string) {
	if !s.failed {
		s.failed = true
		s.problem = InvalidSampleError{Column: column, Reason: reason, Detail: detail}
	}
}

// token skips white space and returns the byte that the next token starts with,
// or 0, which starts none, at the end of the line.
func (s *scanner) token() byte {
	if s.position < len(s.data) && s.data[s.position] > ' ' {
		return s.data[s.position]
	}
	return s.skipSpace()
}

func (s *scanner) skipSpace() byte {
	for s.position < len(s.data) {
		c := s.data[s.position]
		if c > ' ' {
			return c
		}
		if c != ' ' && c != '\t' && c != '\r' {
			return 0
		}
		s.position++
	}
	return 0
}

// expect reports whether the next token starts with c. It fails for the reason
// when another kind of value does.
func (s *scanner) expect(c byte, reason Reason, detail string) bool {
	if s.position < len(s.data) && s.data[s.position] == c { // mostly no white space precedes it
		return true
	}
	return s.expectToken(c, reason, detail)
}

func (s *scanner) expectToken(c byte, reason Reason, detail string) bool {
	switch s.token() {
	case c:
		return true
	case '{', '[', '"', 't', 'f', 'n', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		s.fail(reason, detail)
	default:
		if isBlank(s.data[:s.position]) {
			s.fail(InvalidJSON, "it does not start with { as a row does, nor as anything of JSON")
			return false
		}
		s.fail(InvalidJSON, "a value is missing, or is not JSON")
	}
	return false
}

// end expects nothing but white space up to the end of the line.
func (s *scanner) end() {
	if s.token(); s.position < len(s.data) {
		s.fail(InvalidJSON, "something follows the row's object, such as a comma or another row")
	}
}

// object is a loop over an object's keys. It is declared before the loop: a
// variable of the loop itself is copied at every turn, which costs a tenth.
type object struct {
	key   string
	count int       // of keys
	shape *shape    // of objects like this one; nil: of none
	names nameGroup // of the keys; zero while all were as expected
}

// beginObject starts an object whose keys may be written as the shape says. None
// within it may be of the same shape.
func (s *scanner) beginObject(shape *shape) object {
	s.descend()
	return object{shape: shape}
}

// nextKey goes to the value of the object's next key. It returns false after
// the last one or a failure.
func (s *scanner) nextKey(o *object) bool {
	if s.failed {
		return false
	}
	if o.shape == nil || o.names.number > 0 || o.count == o.shape.count {
		return s.readKey(o)
	}
	expected := &o.shape.keys[o.count]
	if !expected.begins(s.data[s.position:]) {
		return s.readKey(o)
	}
	expected.position = s.position
	o.key = expected.name(s.data)
	o.count++
	s.position += int(expected.size)
	return true
}

// readKey is nextKey for a key that is not written as expected.
func (s *scanner) readKey(o *object) bool {
	start := s.position
	token := s.token()
	if token == '}' {
		s.ascend()
		s.names.close(o.names)
		return false
	}
	if o.count > 0 {
		if token != ',' {
			s.fail(InvalidJSON, "neither a comma nor the object's end follows a value")
			return false
		}
		s.position++
		token = s.token()
	}
	if token != '"' {
		s.fail(InvalidJSON, "an object's key is not a string")
		return false
	}
	name := s.position + 1
	o.key = s.string()
	if s.failed {
		return false
	}
	if !s.addName(o) {
		s.fail(DuplicateKey, "an object has a key twice")
		return false
	}
	if s.token() != ':' {
		s.fail(InvalidJSON, "no colon follows a key")
		return false
	}
	s.position++
	s.token()
	if o.shape != nil {
		o.shape.learn(o.count, s.data[start:s.position], name-start, o.key)
	}
	o.count++
	return true
}

// addName reports whether the key is another than those before, of which those that
// were expected are known to differ from each other.
func (s *scanner) addName(o *object) bool {
	if o.names.number == 0 {
		o.names = s.names.open()
		for i := range o.count {
			s.names.add(o.names, o.shape.keys[i].name(s.data))
		}
	}
	return s.names.add(o.names, o.key)
}

// array is a loop over an array's elements, as object is over keys.
type array struct{ begun bool }

// nextElement goes to the array's next element. It returns false after the last
// one or a failure.
func (s *scanner) nextElement(a *array) bool {
	if s.failed {
		return false
	}
	begun := a.begun
	if !begun {
		a.begun = true
		s.descend()
	}
	switch token := s.token(); {
	case token == ']':
		s.ascend()
		return false
	case begun && token != ',':
		s.fail(InvalidJSON, "neither a comma nor the array's end follows an element")
		return false
	case begun:
		s.position++
	}
	return !s.failed
}

func (s *scanner) descend() {
	s.position++
	if s.depth++; s.depth > s.maxDepth {
		s.failTooDeep()
	}
}

func (s *scanner) failTooDeep() {
	s.failAt(s.position, NestingTooDeep, fmt.Sprintf("objects and arrays are nested more than %d deep", s.maxDepth))
}

func (s *scanner) ascend() {
	s.depth--
	s.position++
}

// skip reads a value of any kind.
func (s *scanner) skip() {
	switch c := s.token(); c {
	case '{':
		o := s.beginObject(nil)
		for s.nextKey(&o) {
			s.skip()
		}
	case '[':
		var a array
		for s.nextElement(&a) {
			s.skip()
		}
	case '"':
		s.string()
	case 't':
		s.literal("true")
	case 'f':
		s.literal("false")
	case 'n':
		s.literal("null")
	default:
		s.number()
	}
}

func (s *scanner) literal(word string) {
	end := s.position + len(word)
	if end > len(s.data) || string(s.data[s.position:end]) != word {
		s.fail(InvalidJSON, "a value is missing, or is not JSON")
		return
	}
	s.position = end
}

func (s *scanner) number() {
	if s.peek() == '-' {
		s.position++
	}
	valid := true
	if s.peek() == '0' {
		s.position++
	} else {
		valid = s.digits()
	}
	if s.peek() == '.' {
		s.position++
		valid = s.digits() && valid
	}
	if s.peek()|0x20 == 'e' {
		s.position++
		if c := s.peek(); c == '+' || c == '-' {
			s.position++
		}
		valid = s.digits() && valid
	}
	if !valid {
		s.fail(InvalidJSON, "a value is missing, or is not JSON")
	}
}

// digits reports whether there was at least one.
func (s *scanner) digits() bool {
	start := s.position
	for c := s.peek(); '0' <= c && c <= '9'; c = s.peek() {
		s.position++
	}
	return s.position > start
}

func (s *scanner) peek() byte {
	if s.position < len(s.data) {
		return s.data[s.position]
	}
	return 0
}
