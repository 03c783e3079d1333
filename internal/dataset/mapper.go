package dataset

import (
	"fmt"
	"maps"
	"slices"
)

// mapper makes rows of the protocol of records of another shape. What is wrong with
// one is said by the names of its own fields.
type mapper struct {
	mapping *Mapping
	limits  Limits
	record  recordReader
	input   int // the field with the text or the messages
	labels  []labelSource
	filters []filter

	conversation decoder // of the messages
	chat         []byte  // that conversation reads
	lastMessage  string  // which is a label
	values       scanner // of other fields
	nested       scanner // of JSON in a string
	cell         []byte  // that nested reads
	found        []string
	multi        bool // found is a list
	distinct     distinctNames
	group        nameGroup // of found
	key          []byte

	row     []byte
	rows    decoder
	problem *InvalidSampleError
}

// labelSource is where the labels of a target are, by the fields' indexes.
type labelSource struct {
	*LabelMapping
	field  int
	fields []int
	byKey  map[string]string // the names, by how values may be written
}

func newMapper(mapping *Mapping, limits Limits) *mapper {
	m := &mapper{
		mapping: mapping, limits: limits,
		record:       newRecordReader(mapping, limits),
		conversation: newDecoder(limits),
		values:       scanner{maxDepth: limits.Depth},
		nested:       scanner{maxDepth: limits.Depth},
		rows:         newDecoder(limits),
	}
	m.conversation.renames = true // as rows are written anew
	m.input = m.record.index(mapping.Text + mapping.Messages)
	for i := range mapping.Labels {
		m.labels = append(m.labels, m.newLabelSource(&mapping.Labels[i]))
	}
	for i := range mapping.Filters {
		m.filters = append(m.filters, m.newFilter(&mapping.Filters[i]))
	}
	return m
}

func (m *mapper) newLabelSource(mapping *LabelMapping) labelSource {
	source := labelSource{LabelMapping: mapping, field: m.record.index(mapping.Field), byKey: map[string]string{}}
	for _, field := range mapping.Fields {
		source.fields = append(source.fields, m.record.index(field))
	}
	for _, value := range slices.Sorted(maps.Keys(mapping.Names)) {
		source.byKey[string(appendValueKey(nil, value))] = mapping.Names[value]
	}
	return source
}

// decode makes a sample of a record, which is an object of JSON. Its Raw is a row of the
// protocol. It returns ErrFiltered or an *InvalidSampleError without a place, but for the
// byte at which a record is no JSON.
func (m *mapper) decode(record []byte, sample *Sample) error {
	if !m.record.read(record) {
		problem := m.record.problem
		return &problem
	}
	if !m.passes() {
		return ErrFiltered
	}
	m.problem = nil
	m.buildRow()
	if m.problem == nil && !m.rows.decode(m.row, sample) {
		m.failAsRow()
	}
	if m.problem != nil {
		return m.problem
	}
	return nil
}

// fail keeps the first problem.
func (m *mapper) fail(reason Reason, format string, args ...any) {
	if m.problem == nil {
		m.problem = &InvalidSampleError{Reason: reason, Detail: fmt.Sprintf(format, args...)}
	}
}

// failAsRow takes the problem of the row over: of targets, whose labels are checked
// before, or of the input.
func (m *mapper) failAsRow() {
	switch problem := &m.rows.problem; problem.Reason {
	case NameTooLong, TooManyTargets:
		m.fail(problem.Reason, "%s", problem.Detail)
	default:
		m.fail(problem.Reason, "%s: %s", m.nameOf(m.input), problem.Detail)
	}
}

// nameOf is what messages call a field.
func (m *mapper) nameOf(field int) string {
	return "the field " + quote(m.record.fields[field].path)
}

func (m *mapper) value(field int) []byte { return m.record.fields[field].value }

// buildRow makes a row of the record.
func (m *mapper) buildRow() {
	m.row = append(m.row[:0], '{')
	if m.mapping.Messages != "" {
		m.appendMessages()
	} else {
		m.appendText()
	}
	m.row = append(m.row, `,"labels":{`...)
	m.appendLabels()
	m.row = append(m.row, "}}"...)
	if len(m.row) > m.limits.LineBytes {
		m.fail(LineTooLong, "as a row of the protocol the record has more than %d bytes", m.limits.LineBytes)
	}
}

func (m *mapper) appendText() {
	value := m.value(m.input)
	switch {
	case value == nil:
		m.fail(MissingInput, "the record has no field %s, in which its text would be", quote(m.mapping.Text))
	case string(value) == "null":
		m.fail(MissingInput, "%s, in which the text would be, is null", m.nameOf(m.input))
	case value[0] != '"':
		m.fail(InvalidText, "%s, in which the text would be, is not a string", m.nameOf(m.input))
	case string(value) == `""`:
		m.fail(EmptyText, "%s, in which the text would be, is empty", m.nameOf(m.input))
	}
	m.row = append(append(m.row, `"text":`...), value...)
}

// appendMessages appends the conversation without the message that is a label.
func (m *mapper) appendMessages() {
	value := m.value(m.input)
	switch {
	case value == nil:
		m.fail(MissingInput, "the record has no field %s, in which its messages would be", quote(m.mapping.Messages))
		return
	case string(value) == "null":
		m.fail(MissingInput, "%s, in which the messages would be, is null", m.nameOf(m.input))
		return
	}
	d := &m.conversation
	d.reset(value)
	if d.token() == '"' { // as in a cell of CSV
		m.chat = append(m.chat[:0], d.string()...)
		d.reset(m.chat)
	}
	m.row = append(m.row, `"messages":`...)
	m.readMessages(d)
	if d.end(); d.failed {
		m.fail(d.problem.Reason, "%s: %s", m.nameOf(m.input), d.problem.Detail)
	}
}

// readMessages appends the conversation as it is written, or without its last message if
// that is a label.
func (m *mapper) readMessages(d *decoder) {
	if !d.expect('[', InvalidMessages, "it is not a list of messages") {
		return
	}
	var last Message
	d.renamed = d.renamed[:0]
	start, count := d.position, 0
	end := start // of the messages before the last
	var list array
	for position := start; d.nextElement(&list); position = d.position {
		last, end = d.readMessage(), position
		count++
	}
	if !m.takesLastMessage() {
		m.appendRenamed(d, start, d.position)
		return
	}
	switch {
	case count < 2:
		d.fail(EmptyMessages, "there is no message besides the last, which is the label")
	case last.Role != "assistant":
		d.fail(InvalidRole, "the last message, which is the label, is not the assistant's")
	}
	m.lastMessage = last.Content
	m.appendRenamed(d, start, end)
	m.row = append(m.row, ']')
}

// appendRenamed appends what is written between two places, with roles as the protocol
// has them.
func (m *mapper) appendRenamed(d *decoder, start, end int) {
	for _, role := range d.renamed {
		if role.end <= end {
			m.row = append(append(m.row, d.data[start:role.start]...), `"system"`...)
			start = role.end
		}
	}
	m.row = append(m.row, d.data[start:end]...)
}

func (m *mapper) takesLastMessage() bool {
	for i := range m.labels {
		if m.labels[i].LastMessage {
			return true
		}
	}
	return false
}
