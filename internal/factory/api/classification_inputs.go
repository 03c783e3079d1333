package api

import (
	"bytes"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// conversations may be written as the only one. Unlike the client's lists of that
// kind, they are decoded in one pass, and an error says where it is.
type conversations struct {
	given, single bool
	list          []conversation
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom. Null is as good as absent.
func (c *conversations) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	kind := decoder.PeekKind()
	if kind == 'n' {
		return decoder.SkipValue()
	}
	c.given = true
	if kind == '[' {
		return json.UnmarshalDecode(decoder, &c.list)
	}
	c.single, c.list = true, make([]conversation, 1)
	return json.UnmarshalDecode(decoder, &c.list[0])
}

// location is where in the body a conversation is.
func (c *conversations) location(i int) []any {
	if c.single {
		return []any{"input"}
	}
	return []any{"input", i}
}

type conversation struct {
	Messages []message `json:"messages"`
}

// message has what the protocol's messages have. Calls of tools say nothing to a model:
// neither do they when it is trained.
type message struct {
	Role       string      `json:"role"`
	Content    contentText `json:"content"`
	Prefix     unread      `json:"prefix"`
	ToolCalls  unread      `json:"tool_calls"`
	ToolCallID unread      `json:"tool_call_id"`
	Name       unread      `json:"name"`
}

// unread is of any type.
type unread struct{}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (unread) UnmarshalJSONFrom(decoder *jsontext.Decoder) error { return decoder.SkipValue() }

// contentText is the text of a message's content, whose parts are a line each.
type contentText struct {
	kind jsontext.Kind // 0: absent
	text string
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (c *contentText) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	c.kind = decoder.PeekKind()
	switch c.kind {
	case 'n':
		return decoder.SkipValue()
	case '[':
		return c.readParts(decoder)
	}
	return json.UnmarshalDecode(decoder, &c.text)
}

// readParts refuses parts that are no text: classified without them, a conversation
// would be another one.
func (c *contentText) readParts(decoder *jsontext.Decoder) error {
	if _, err := decoder.ReadToken(); err != nil {
		return err
	}
	var texts []string
	for decoder.PeekKind() != ']' {
		var part struct {
			Type *string `json:"type"`
			Text *string `json:"text"`
		}
		if err := json.UnmarshalDecode(decoder, &part, json.RejectUnknownMembers(false)); err != nil {
			return err
		}
		place := location(decoder.StackPointer())
		switch {
		case part.Type != nil && *part.Type != "text":
			return invalidValue("Input should be text: nothing else is read here, no image and no document.", append(place, "type")...)
		case part.Text == nil:
			return invalidField("missing", "Field required", append(place, "text")...)
		}
		if *part.Text != "" {
			texts = append(texts, *part.Text)
		}
	}
	c.text = strings.Join(texts, "\n")
	_, err := decoder.ReadToken()
	return err
}

// texts, or the only one, lie in one string: a request can have many thousands.
type texts struct {
	given  bool
	joined strings.Builder
	ends   []int
	quoted []byte // a piece of the text that is read
	buffer []byte // the same without quotes
}

func (t *texts) len() int { return len(t.ends) }

func (t *texts) at(i int) string {
	begin := 0
	if i > 0 {
		begin = t.ends[i-1]
	}
	return t.joined.String()[begin:t.ends[i]]
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom. Null is as good as absent.
func (t *texts) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	kind := decoder.PeekKind()
	if kind == 'n' {
		return decoder.SkipValue()
	}
	t.given = true
	if kind != '[' {
		return t.read(decoder)
	}
	if _, err := decoder.ReadToken(); err != nil {
		return err
	}
	for decoder.PeekKind() != ']' {
		if err := t.read(decoder); err != nil {
			return err
		}
	}
	_, err := decoder.ReadToken()
	return err
}

func (t *texts) read(decoder *jsontext.Decoder) error {
	value, err := decoder.ReadValue()
	if err != nil {
		return err
	}
	if value.Kind() != '"' {
		return &json.SemanticError{JSONPointer: decoder.StackPointer(), GoType: reflect.TypeFor[string]()}
	}
	t.joined.Grow(len(value))
	for begin := 1; begin < len(value)-1; {
		end := pieceEnd(value, begin)
		if err := t.unquote(value[begin:end]); err != nil {
			return err
		}
		begin = end
	}
	t.ends = append(t.ends, t.joined.Len())
	return nil
}

// unquote adds a piece of a text.
func (t *texts) unquote(piece []byte) (err error) {
	t.quoted = append(append(append(t.quoted[:0], '"'), piece...), '"')
	if t.buffer, err = jsontext.AppendUnquote(t.buffer[:0], t.quoted); err != nil {
		return err
	}
	t.joined.Write(t.buffer)
	return nil
}

// pieceEnd is where a piece of a quoted text may end that begins there: within no
// character and no escape sequence, and between no two of Unicode, which may be a pair.
func pieceEnd(value []byte, begin int) int {
	last := len(value) - 1 // the closing quote
	end, limit := begin, min(begin+pieceBytes, last)
	for end < limit {
		escape := bytes.IndexByte(value[end:limit], '\\')
		if escape < 0 {
			end = limit
			break
		}
		if end += escape; value[end+1] != 'u' {
			end += len(`\n`)
		}
		for end < last && value[end] == '\\' && value[end+1] == 'u' {
			end += len(`\u0000`)
		}
	}
	for end < last && !utf8.RuneStart(value[end]) {
		end++
	}
	return end
}
