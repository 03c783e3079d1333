package dataset

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// row is what a row says, free of the memory it was decoded into.
type row struct {
	Line     int
	Text     string
	Messages []Message
	Labels   map[string]rowLabels
}

type rowLabels struct {
	Labels []string
	Multi  bool
}

// readRows reads everything and returns the valid rows and the lines of invalid ones.
func readRows(r io.Reader, limits Limits) (rows []row, invalid []int, err error) {
	return collectRows(NewReader(r, limits))
}

func collectRows(samples SampleReader) (rows []row, invalid []int, err error) {
	for {
		var sample Sample
		err := samples.Read(&sample)
		if problem, ok := errors.AsType[*InvalidSampleError](err); ok {
			invalid = append(invalid, problem.Line)
			continue
		}
		if err == io.EOF {
			return rows, invalid, nil
		}
		if err != nil {
			return rows, invalid, err
		}
		rows = append(rows, copyRow(&sample))
	}
}

func copyRow(sample *Sample) row {
	copied := row{Line: sample.Line, Text: strings.Clone(sample.Text), Labels: map[string]rowLabels{}}
	for _, message := range sample.Messages {
		copied.Messages = append(copied.Messages,
			Message{Role: strings.Clone(message.Role), Content: strings.Clone(message.Content)})
	}
	for _, target := range sample.Labels {
		labels := rowLabels{Multi: target.Multi}
		for _, label := range target.Labels {
			labels.Labels = append(labels.Labels, strings.Clone(label))
		}
		copied.Labels[strings.Clone(target.Target)] = labels
	}
	return copied
}

// referenceRows does what readRows does, slowly and by other people's parsers.
func referenceRows(data []byte, limits Limits) (rows []row, invalid []int) {
	blank := 0 // the first of the blank lines just before
	for i, line := range bytes.Split(data, []byte("\n")) {
		line = bytes.TrimPrefix(bytes.TrimSuffix(line, []byte("\r")), byteOrderMark)
		content := bytes.TrimLeft(line, " \t\r")
		if blank > 0 {
			line = content // white space after a blank line is skipped, however much
		}
		if len(content) == 0 && len(line) <= limits.LineBytes {
			blank = cmp.Or(blank, i+1)
			continue
		}
		if blank > 0 {
			invalid = append(invalid, blank)
			blank = 0
		}
		if decoded, ok := decodeReference(line, limits); ok {
			decoded.Line = i + 1
			rows = append(rows, decoded)
		} else {
			invalid = append(invalid, i+1)
		}
	}
	return rows, invalid
}

func decodeReference(line []byte, limits Limits) (decoded row, ok bool) {
	if len(line) > limits.LineBytes || !jsontext.Value(line).IsValid() || depthOf(line) > limits.Depth {
		return row{}, false
	}
	var fields map[string]json.RawMessage
	if !decodeKind(line, '{', &fields) {
		return row{}, false
	}
	text, hasText := fields["text"]
	messages, hasMessages := fields["messages"]
	if hasText == hasMessages {
		return row{}, false
	}
	if hasText {
		ok = decodeKind(text, '"', &decoded.Text) && says(decoded.Text)
	} else {
		decoded.Messages, ok = decodeReferenceMessages(messages)
	}
	if !ok {
		return row{}, false
	}
	decoded.Labels, ok = decodeReferenceLabels(fields["labels"], limits)
	return decoded, ok
}

func decodeReferenceMessages(data []byte) (messages []Message, ok bool) {
	var elements []json.RawMessage
	if !decodeKind(data, '[', &elements) || len(elements) == 0 {
		return nil, false
	}
	for _, element := range elements {
		var fields map[string]json.RawMessage
		var message Message
		if !decodeKind(element, '{', &fields) || !decodeKind(fields["role"], '"', &message.Role) ||
			!slices.Contains([]string{"system", "user", "assistant", "tool"}, message.Role) {
			return nil, false
		}
		content := fields["content"]
		switch {
		case decodeKind(content, '"', &message.Content):
		case decodeReferenceChunks(content, &message.Content):
		case string(content) == "null" && message.Role != "system":
		case content == nil && message.Role == "assistant":
		default:
			return nil, false
		}
		messages = append(messages, message)
	}
	return messages, slices.ContainsFunc(messages, func(message Message) bool { return says(message.Content) })
}

func says(text string) bool { return strings.TrimFunc(text, isInvisibleRune) != "" }

func decodeReferenceChunks(data []byte, content *string) bool {
	var elements []json.RawMessage
	if !decodeKind(data, '[', &elements) {
		return false
	}
	var texts []string
	for _, element := range elements {
		var fields map[string]json.RawMessage
		var kind, text string
		if !decodeKind(element, '{', &fields) || !decodeKind(fields["type"], '"', &kind) || kind != "text" ||
			!decodeKind(fields["text"], '"', &text) {
			return false
		}
		if text != "" {
			texts = append(texts, text)
		}
	}
	*content = strings.Join(texts, "\n")
	return true
}

func decodeReferenceLabels(data []byte, limits Limits) (map[string]rowLabels, bool) {
	var targets map[string]json.RawMessage
	if !decodeKind(data, '{', &targets) || len(targets) == 0 {
		return nil, false
	}
	decoded := map[string]rowLabels{}
	for name, value := range targets {
		if string(value) == "null" && name != "" && len(name) <= limits.LabelBytes {
			continue // not labelled
		}
		var labels rowLabels
		var single string
		var list []json.RawMessage
		switch {
		case decodeKind(value, '"', &single):
			labels.Labels = []string{single}
		case decodeKind(value, '[', &list):
			labels.Multi = true
			for _, element := range list {
				var label string
				if !decodeKind(element, '"', &label) || slices.Contains(labels.Labels, label) {
					return nil, false
				}
				labels.Labels = append(labels.Labels, label)
			}
		}
		if len(labels.Labels) == 0 || len(labels.Labels) > limits.LabelsPerTarget {
			return nil, false
		}
		for _, word := range append([]string{name}, labels.Labels...) {
			if word == "" || len(word) > limits.LabelBytes {
				return nil, false
			}
		}
		decoded[name] = labels
	}
	return decoded, len(decoded) > 0 && len(decoded) <= limits.Targets
}

// decodeKind decodes a value that starts with kind. It keeps encoding/json from
// taking null for anything.
func decodeKind(data []byte, kind byte, into any) bool {
	data = bytes.TrimLeft(data, " \t\r")
	return len(data) > 0 && data[0] == kind && json.Unmarshal(data, into) == nil
}

func depthOf(line []byte) (deepest int) {
	decoder := jsontext.NewDecoder(bytes.NewReader(line))
	for {
		if _, err := decoder.ReadToken(); err != nil {
			return deepest
		}
		deepest = max(deepest, decoder.StackDepth())
	}
}
