package dataset

import (
	"fmt"
	"slices"
)

// InputType is what a dataset's rows classify.
type InputType string

// The input types. A dataset has one.
const (
	InputText InputType = "Text" // rows with text
	InputChat InputType = "Chat" // rows with messages
)

// Message is one turn of a conversation.
type Message struct {
	Role    string // system, user, assistant or tool
	Content string // empty for null; the parts of a list are joined by line breaks
}

// says reports whether there is something to be seen of the content.
func (m Message) says() bool { return !isInvisible(m.Content) }

// TargetLabels are the labels that a row gives a target.
type TargetLabels struct {
	Target string
	Labels []string
	Multi  bool // written as a list
}

// Sample is one row. It and what it points to are valid until the next Read.
type Sample struct {
	Part     string // that it was read from, as a person finds it; empty: there is but one
	Line     int    // of the part, from 1
	Bytes    int64  // that it took in the part, with its line end
	Raw      []byte // the row without its line end, and without targets of which it has null
	Text     string
	Messages []Message
	Labels   []TargetLabels
}

// textSpan is where something stands in a row.
type textSpan struct{ start, end int }

// InputType tells which of Text and Messages the row has.
func (s *Sample) InputType() InputType {
	if len(s.Messages) > 0 {
		return InputChat
	}
	return InputText
}

// decoder reads rows and keeps the memory that they are decoded into.
type decoder struct {
	scanner
	limits   Limits
	messages []Message
	targets  []TargetLabels
	labels   []string // of all targets
	chunks   []string // of one message

	renames bool       // the role that newer data calls developer is read as system
	renamed []textSpan // where that stands

	rowShape, messageShape, labelsShape shape

	labelsStart, labelsEnd int    // where in the row the labels are
	nulls                  int    // targets with null instead of labels
	rewritten              []byte // a row without such targets
}

func newDecoder(limits Limits) decoder {
	return decoder{scanner: scanner{maxDepth: limits.Depth}, limits: limits}
}

// decode reads the row into sample. When it returns false, problem says why
// and sample is as it was.
func (d *decoder) decode(line []byte, sample *Sample) bool {
	d.reset(line)
	d.messages, d.targets, d.labels, d.nulls = d.messages[:0], d.targets[:0], d.labels[:0], 0
	text := d.row()
	if d.failed {
		return false
	}
	sample.Raw, sample.Text, sample.Messages, sample.Labels = line, text, d.messages, d.targets
	if d.nulls > 0 {
		d.rewritten = d.relabelled(d.rewritten[:0], line, d.targets)
		sample.Raw = d.rewritten
	}
	return true
}

// relabelled appends the row that was decoded last with other labels. All else of it
// stays byte for byte.
func (d *decoder) relabelled(to, row []byte, labels []TargetLabels) []byte {
	to = append(to, row[:d.labelsStart]...)
	separator := byte('{')
	for i := range labels {
		to = append(to, separator)
		to = appendTarget(to, &labels[i])
		separator = ','
	}
	to = append(to, '}')
	return append(to, row[d.labelsEnd:]...)
}

// appendTarget appends the target's name and labels as a row has them.
func appendTarget(row []byte, labels *TargetLabels) []byte {
	row = appendQuoted(row, []byte(labels.Target))
	row = append(row, ':')
	if !labels.Multi {
		return appendQuoted(row, []byte(labels.Labels[0]))
	}
	separator := byte('[')
	for _, label := range labels.Labels {
		row = append(row, separator)
		row = appendQuoted(row, []byte(label))
		separator = ','
	}
	return append(row, ']')
}

func (d *decoder) row() (text string) {
	if !d.expect('{', NotAnObject, "the row is not an object") {
		return ""
	}
	var hasText, hasMessages, hasLabels bool
	row := d.beginObject(&d.rowShape)
	for d.nextKey(&row) {
		switch row.key {
		case "text":
			hasText = true
			text = d.readText()
		case "messages":
			hasMessages = true
			d.readMessages()
		case "labels":
			hasLabels = true
			d.token()
			d.labelsStart = d.position
			d.readLabels()
			d.labelsEnd = d.position
		default:
			d.skip()
		}
	}
	d.end()
	switch {
	case !hasText && !hasMessages:
		d.failAt(0, MissingInput, "the row has neither text nor messages")
	case hasText && hasMessages:
		d.failAt(0, AmbiguousInput, "the row has both text and messages")
	case !hasLabels:
		d.failAt(0, MissingLabels, "the row has no labels")
	}
	return text
}

func (d *decoder) readText() string {
	if !d.expect('"', InvalidText, "text is not a string") {
		return ""
	}
	text := d.string()
	switch {
	case text == "":
		d.fail(EmptyText, "text is empty")
	case isInvisible(text):
		d.fail(EmptyText, "text has nothing that can be seen")
	}
	return text
}

func (d *decoder) readMessages() {
	if !d.expect('[', InvalidMessages, "messages is not an array") {
		return
	}
	var list array
	for d.nextElement(&list) {
		d.messages = append(d.messages, d.readMessage())
	}
	if len(d.messages) == 0 {
		d.fail(EmptyMessages, "messages has no message")
	}
	if !slices.ContainsFunc(d.messages, Message.says) {
		d.fail(EmptyMessages, "no message's content has anything that can be seen")
	}
}

func (d *decoder) readMessage() (message Message) {
	if !d.expect('{', InvalidMessages, "a message is not an object") {
		return
	}
	var hasContent, isNull bool
	fields := d.beginObject(&d.messageShape)
	for d.nextKey(&fields) {
		switch fields.key {
		case "role":
			if d.expect('"', InvalidRole, "a message's role is not a string") {
				message.Role = d.readRole()
			}
		case "content":
			hasContent = true
			message.Content, isNull = d.readContent()
		default:
			d.skip()
		}
	}
	switch message.Role {
	case "system":
		if isNull {
			d.fail(InvalidContent, "a system message's content is null")
		}
	case "user", "assistant", "tool":
	default:
		d.fail(InvalidRole, "a message's role is not system, user, assistant or tool; system is what newer data calls developer, which a mapping reads")
	}
	if !hasContent && message.Role != "assistant" { // which may call tools instead
		d.fail(InvalidContent, "a message has no content")
	}
	return message
}

func (d *decoder) readRole() string {
	start := d.position
	role := d.string()
	if role == "developer" && d.renames {
		d.renamed = append(d.renamed, textSpan{start, d.position})
		return "system"
	}
	return role
}

func (d *decoder) readContent() (content string, isNull bool) {
	switch d.token() {
	case '"':
		return d.string(), false
	case '[':
		return d.readChunks(), false
	case 'n':
		d.literal("null")
		return "", true
	}
	d.expect('"', InvalidContent, "a message's content is not a string, a list of chunks or null")
	return "", false
}

func (d *decoder) readChunks() string {
	d.chunks = d.chunks[:0]
	var list array
	for d.nextElement(&list) {
		if chunk := d.readChunk(); chunk != "" {
			d.chunks = append(d.chunks, chunk)
		}
	}
	return d.join(d.chunks)
}

func (d *decoder) readChunk() (text string) {
	if !d.expect('{', InvalidContent, "a chunk of a message's content is not an object") {
		return ""
	}
	var isText, hasText bool
	fields := d.beginObject(nil)
	for d.nextKey(&fields) {
		switch fields.key {
		case "type":
			isText = d.expect('"', InvalidContent, "a chunk's type is not a string") && d.string() == "text"
		case "text":
			hasText = true
			if d.expect('"', InvalidContent, "a chunk's text is not a string") {
				text = d.string()
			}
		default:
			d.skip()
		}
	}
	if !isText || !hasText {
		d.fail(InvalidContent, "a chunk of a message's content is not of type text, or has no text")
	}
	return text
}

func (d *decoder) readLabels() {
	if !d.expect('{', InvalidLabels, "labels is not an object") {
		return
	}
	labels := d.beginObject(&d.labelsShape)
	for d.nextKey(&labels) {
		d.checkName(labels.key)
		d.readTarget(labels.key)
	}
	switch {
	case len(d.targets) > 0:
	case d.nulls > 0:
		d.fail(EmptyLabels, "labels has null for every target")
	default:
		d.fail(EmptyLabels, "labels has no target")
	}
}

func (d *decoder) readTarget(name string) {
	token := d.token()
	if token == 'n' {
		d.literal("null")
		d.nulls++
		return
	}
	if len(d.targets) == d.limits.Targets {
		d.fail(TooManyTargets, fmt.Sprintf("the row has more than %d targets", d.limits.Targets))
	}
	first := len(d.labels)
	if token == '[' {
		d.readLabelList()
	} else {
		d.labels = append(d.labels, d.readLabel())
	}
	d.targets = append(d.targets, TargetLabels{Target: name, Labels: d.labels[first:], Multi: token == '['})
}

func (d *decoder) readLabelList() {
	distinct := d.names.open()
	count := 0
	var list array
	for d.nextElement(&list) {
		if count++; count > d.limits.LabelsPerTarget {
			d.fail(TooManyLabels, fmt.Sprintf("the row gives a target more than %d labels", d.limits.LabelsPerTarget))
		}
		label := d.readLabel()
		if !d.names.add(distinct, label) {
			d.fail(DuplicateLabel, "a list has a label twice")
		}
		d.labels = append(d.labels, label)
	}
	d.names.close(distinct)
	if count == 0 {
		d.fail(EmptyLabels, "a target's list has no label")
	}
}

func (d *decoder) readLabel() string {
	if !d.expect('"', InvalidLabels, "a target's value is neither a string, a list of strings nor null") {
		return ""
	}
	label := d.string()
	d.checkName(label)
	return label
}

// checkName checks the name of a target or a label.
func (d *decoder) checkName(name string) {
	if name == "" {
		d.fail(EmptyName, "the name of a target or a label is empty")
	}
	if len(name) > d.limits.LabelBytes {
		d.fail(NameTooLong, fmt.Sprintf("the name of a target or a label has more than %d bytes", d.limits.LabelBytes))
	}
}

// join returns the texts with line breaks between them.
func (d *decoder) join(texts []string) string {
	switch len(texts) {
	case 0:
		return ""
	case 1:
		return texts[0]
	}
	first := len(d.unquoted)
	for i, text := range texts {
		if i > 0 {
			d.unquoted = append(d.unquoted, '\n')
		}
		d.unquoted = append(d.unquoted, text...)
	}
	return stringOf(d.unquoted[first:])
}
