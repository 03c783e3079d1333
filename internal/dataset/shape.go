package dataset

// shape is how the keys of an object were written the last time. A file is written
// by one program, and its objects mostly differ in their values alone: a key that
// is written as it was is known without being read, and so is that it differs from
// those before it.
type shape struct {
	keys  [8]expectedKey
	count int
}

// expectedKey is a key with all that stands between the value before it, or the
// object's start, and its own value, such as `, "labels": `.
type expectedKey struct {
	written            [48]byte
	size               uint8 // of what was written
	nameStart, nameEnd uint8 // in it
	position           int   // of what is written in the row
}

// begins reports whether the data starts with the key as it is expected.
func (k *expectedKey) begins(data []byte) bool {
	return len(data) >= int(k.size) && string(data[:k.size]) == string(k.written[:k.size])
}

// name is the key in a row that has it as expected.
func (k *expectedKey) name(row []byte) string {
	return stringOf(row[k.position+int(k.nameStart) : k.position+int(k.nameEnd)])
}

// learn expects the key after so many others, and none after it.
func (s *shape) learn(before int, written []byte, nameStart int, name string) {
	if before > s.count || before == len(s.keys) {
		return
	}
	s.count = before
	key, nameEnd := &s.keys[before], nameStart+len(name)
	if len(written) > len(key.written) || nameEnd > len(written) || string(written[nameStart:nameEnd]) != name {
		return // it is too long, or has an escape sequence
	}
	key.size = uint8(copy(key.written[:], written))               //nolint:gosec // as said above
	key.nameStart, key.nameEnd = uint8(nameStart), uint8(nameEnd) //nolint:gosec // within size
	s.count++
}
