package dataset

import "errors"

// ErrFiltered is what reading says of a record that the options leave out.
var ErrFiltered = errors.New("a filter leaves the record out")

// filter is a RecordFilter with the field's index, and the keys of its values.
type filter struct {
	field int
	keys  map[string]bool
}

func (m *mapper) newFilter(spec *RecordFilter) filter {
	keys := map[string]bool{}
	for _, value := range spec.Values {
		keys[string(appendValueKey(nil, value))] = true
	}
	return filter{m.record.index(spec.Field), keys}
}

// passes reports whether all filters let the record through.
func (m *mapper) passes() bool {
	for i := range m.filters {
		if value := m.value(m.filters[i].field); value == nil || !m.isOneOf(value, m.filters[i].keys) {
			return false
		}
	}
	return true
}

// isOneOf reports whether the value, or an element of it, is one of those with the keys.
func (m *mapper) isOneOf(value []byte, keys map[string]bool) bool {
	s := &m.values
	s.reset(value)
	if s.token() != '[' {
		return m.isKnown(s, keys)
	}
	found := false
	var list array
	for s.nextElement(&list) {
		found = m.isKnown(s, keys) || found
	}
	return found
}

func (m *mapper) isKnown(s *scanner, keys map[string]bool) bool {
	value, ok := s.scalar()
	if !ok {
		s.skip()
		return false
	}
	m.key = appendValueKey(m.key[:0], value)
	return keys[string(m.key)]
}

// scalar reads a string, a number, true or false. It reports false, and reads nothing,
// if the next value is another kind.
func (s *scanner) scalar() (value string, ok bool) {
	switch s.token() {
	case '"':
		return s.string(), true
	case '{', '[', 'n', 0:
		return "", false
	}
	start := s.position
	s.skip()
	return stringOf(s.data[start:s.position]), true
}
