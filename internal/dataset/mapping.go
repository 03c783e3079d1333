package dataset

import "slices"

// Mapping says where records of another shape than the protocol's have what. A field is
// a key of an object or a column of a table. Dots lead into objects; a key that itself
// has the dots goes before.
type Mapping struct {
	Text     string // the field with the text; empty: Messages has the conversation
	Messages string
	Labels   []LabelMapping
	Filters  []RecordFilter // all of which a record has to pass
}

// LabelMapping says where the labels of a target are: in a field, in fields of which
// each is for one label, or in the last message. A record that has none there says
// nothing of the target.
type LabelMapping struct {
	Target      string
	Field       string
	Fields      []string
	LastMessage bool              // of the conversation, which it is taken from; it has to be the assistant's
	Type        TargetType        // empty: a list is one of several labels, all else is one label
	Separator   string            // between the labels of a field, which white space may surround
	None        string            // the label of a record that has none of the fields; empty: it says nothing of the target
	Names       map[string]string // of labels, by how records write them
}

// RecordFilter lets the records through of which the field, or an element of its list,
// is one of the values.
type RecordFilter struct {
	Field  string
	Values []string
}

// fields are all that the mapping reads, sorted.
func (m *Mapping) fields() []string {
	var fields []string
	add := func(field string) {
		if field != "" {
			fields = append(fields, field)
		}
	}
	add(m.Text)
	add(m.Messages)
	for i := range m.Labels {
		add(m.Labels[i].Field)
		fields = append(fields, m.Labels[i].Fields...)
	}
	for i := range m.Filters {
		add(m.Filters[i].Field)
	}
	slices.Sort(fields)
	return slices.Compact(fields)
}

// columns are those of a table that the fields may be in: the fields' own, and those that
// their dots lead into.
func (m *Mapping) columns() []string {
	var columns []string
	for _, field := range m.fields() {
		for i := range len(field) {
			if field[i] == '.' {
				columns = append(columns, field[:i])
			}
		}
		columns = append(columns, field)
	}
	slices.Sort(columns)
	return slices.Compact(columns)
}
