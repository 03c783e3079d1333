package dataset

import "strings"

// appendLabels appends what the record has of each target.
func (m *mapper) appendLabels() {
	m.distinct.reset()
	empty := len(m.row)
	for i := range m.labels {
		source := &m.labels[i]
		m.find(source)
		if m.problem != nil {
			return
		}
		if len(m.found) == 0 {
			continue
		}
		if len(m.row) > empty {
			m.row = append(m.row, ',')
		}
		m.row = appendTarget(m.row, &TargetLabels{Target: source.Target, Labels: m.found, Multi: m.multi})
	}
	if len(m.row) == empty {
		m.fail(MissingLabels, "the record has no label in %s", m.places())
	}
}

// places are where labels would be.
func (m *mapper) places() string {
	var places names
	for i := range m.labels {
		places.addWords(m.placeOf(&m.labels[i]))
	}
	return places.String()
}

// find finds the labels that the record has of a target.
func (m *mapper) find(source *labelSource) {
	m.found, m.multi = m.found[:0], false
	m.group = m.distinct.open()
	switch {
	case source.LastMessage:
		if m.lastMessage != "" {
			m.add(source, m.lastMessage)
		}
	case source.Field != "":
		if value := m.value(source.field); value != nil {
			m.values.reset(value)
			m.readLabels(source, &m.values)
		}
	default:
		m.findFlags(source)
	}
	m.distinct.close(m.group)
	switch source.Type {
	case MultiLabel:
		m.multi = true
	case SingleLabel:
		m.multi = false
		if len(m.found) > 1 {
			m.fail(SeveralLabels, "there are %d labels in %s; a target of the type SingleLabel takes one", len(m.found), m.placeOf(source))
		}
	}
}

// placeOf is what messages call the place of a target's labels.
func (m *mapper) placeOf(source *labelSource) string {
	switch {
	case source.LastMessage:
		return "the last message"
	case source.Field != "":
		return m.nameOf(source.field)
	}
	return "the fields of the target " + quote(source.Target)
}

// add adds a label by the name that it has.
func (m *mapper) add(source *labelSource, label string) {
	if len(source.byKey) > 0 {
		label = m.named(source, label)
	}
	switch {
	case label == "":
		m.fail(EmptyName, "an empty label stands among others in %s", m.placeOf(source))
	case len(label) > m.limits.LabelBytes:
		m.fail(NameTooLong, "a label in %s has more than %d bytes", m.placeOf(source), m.limits.LabelBytes)
	case len(m.found) == m.limits.LabelsPerTarget:
		m.fail(TooManyLabels, "there are more than %d labels in %s", m.limits.LabelsPerTarget, m.placeOf(source))
	case !m.distinct.add(m.group, label):
		m.fail(DuplicateLabel, "a label stands twice in %s", m.placeOf(source))
	}
	m.found = append(m.found, label)
}

// named is the label's name, found however the label is written.
func (m *mapper) named(source *labelSource, label string) string {
	if name, ok := source.Names[label]; ok {
		return name
	}
	m.key = appendValueKey(m.key[:0], label)
	if name, ok := source.byKey[string(m.key)]; ok {
		return name
	}
	return label
}

// readLabels reads a value that is a label or a list of them, or an object as Label
// Studio writes it. Null and an empty string are no label.
func (m *mapper) readLabels(source *labelSource, s *scanner) {
	switch s.token() {
	case 'n':
	case '[':
		m.readLabelList(source, s)
	case '{':
		m.readChoices(source, s)
	case '"':
		if text := s.string(); text != "" {
			m.readLabelText(source, text)
		}
	default:
		m.addScalar(source, s)
	}
}

func (m *mapper) readLabelList(source *labelSource, s *scanner) {
	m.multi = true
	var list array
	for s.nextElement(&list) && m.problem == nil {
		m.addScalar(source, s)
	}
}

// addScalar adds a string, a number or a boolean.
func (m *mapper) addScalar(source *labelSource, s *scanner) {
	isString := s.token() == '"'
	label, ok := s.scalar()
	switch {
	case !ok:
		m.fail(InvalidLabels, "%s is neither a label nor a list of labels, which are strings, numbers or booleans", m.placeOf(source))
	case isString:
		m.add(source, label)
	default:
		m.add(source, integerOf(label))
	}
}

// readChoices reads an object of which the choices are labels.
func (m *mapper) readChoices(source *labelSource, s *scanner) {
	hasChoices := false
	object := s.beginObject(nil)
	for s.nextKey(&object) && m.problem == nil {
		if object.key != "choices" {
			s.skip()
			continue
		}
		hasChoices = true
		if s.token() == '[' {
			m.readLabelList(source, s)
		} else {
			m.addScalar(source, s)
		}
	}
	if !hasChoices {
		m.fail(InvalidLabels, "%s is an object without choices", m.placeOf(source))
	}
}

// readLabelText reads a string that is a label, or labels: with separators, or as JSON,
// as it is in cells of CSV.
func (m *mapper) readLabelText(source *labelSource, text string) {
	switch {
	case source.Separator != "":
		m.multi = true
		for part := range strings.SplitSeq(text, source.Separator) {
			if m.add(source, strings.TrimSpace(part)); m.problem != nil {
				return
			}
		}
	case text[0] == '{' && m.isJSON(text), text[0] == '[' && source.Type == MultiLabel && m.isJSON(text):
		m.nested.reset(m.cell)
		m.readLabels(source, &m.nested)
	case text[0] == '[' && source.Type == MultiLabel:
		m.fail(InvalidLabels, "%s starts like a list, but is not one of JSON", m.placeOf(source))
	default:
		m.add(source, text)
	}
}

// isJSON leaves the text in m.cell.
func (m *mapper) isJSON(text string) bool {
	m.cell = append(m.cell[:0], text...)
	m.nested.reset(m.cell)
	m.nested.skip()
	m.nested.end()
	return !m.nested.failed
}

// findFlags finds the labels whose fields are set. Fields that are all empty say nothing.
func (m *mapper) findFlags(source *labelSource) {
	m.multi = true
	known := false
	for i, field := range source.fields {
		value := m.value(field)
		if value == nil || string(value) == "null" || string(value) == `""` {
			continue
		}
		set, ok := m.flag(value)
		if !ok {
			m.fail(InvalidLabels, "%s is none of 0, 1, true, false, yes, no and nothing", m.nameOf(field))
			return
		}
		known = true
		if set {
			m.add(source, source.Fields[i])
		}
	}
	if known && len(m.found) == 0 && source.None != "" {
		m.found = append(m.found, source.None)
	}
}

// flag reads 1, true or yes, and 0, false or no, as Excel, pandas, people and JSON write them.
func (m *mapper) flag(value []byte) (set, ok bool) {
	m.values.reset(value)
	text, ok := m.values.scalar()
	if !ok {
		return false, false
	}
	m.key = appendValueKey(m.key[:0], strings.TrimSpace(text))
	switch strings.ToLower(string(m.key)) {
	case "1e0", "true", "yes":
		return true, true
	case "0", "false", "no":
		return false, true
	}
	return false, false
}
