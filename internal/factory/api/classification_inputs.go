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
	return json.UnmarshalDecode(decoder, (*pieceText)(&c.text))
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
			Type *string    `json:"type"`
			Text *pieceText `json:"text"`
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
			texts = append(texts, string(*part.Text))
		}
	}
	c.text = joinLines(texts)
	_, err := decoder.ReadToken()
	return err
}

// pieceText is a text that is read in pieces.
type pieceText string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (t *pieceText) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	if decoder.PeekKind() != '"' {
		return json.UnmarshalDecode(decoder, (*string)(t))
	}
	value, err := decoder.ReadValue()
	if err != nil {
		return err
	}
	var p pieces
	err = p.unquote(value)
	*t = pieceText(p.joined.String())
	return err
}

// texts, or the only one, lie in one string: a request can have many thousands.
type texts struct {
	pieces
	given bool
	ends  []int
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
	if err := t.unquote(value); err != nil {
		return err
	}
	t.ends = append(t.ends, t.joined.Len())
	return nil
}

// pieces joins texts without copying anything large at once.
type pieces struct {
	joined strings.Builder
	quoted []byte // a piece of the text that is read
	buffer []byte // the same without quotes
}

// unquote adds a quoted text.
func (p *pieces) unquote(value []byte) error {
	p.joined.Grow(len(value))
	for begin := 1; begin < len(value)-1; {
		end := pieceEnd(value, begin)
		if err := p.unquotePiece(value[begin:end]); err != nil {
			return err
		}
		begin = end
	}
	return nil
}

func (p *pieces) unquotePiece(piece []byte) (err error) {
	p.quoted = append(append(append(p.quoted[:0], '"'), piece...), '"')
	if p.buffer, err = jsontext.AppendUnquote(p.buffer[:0], p.quoted); err != nil {
		return err
	}
	p.joined.Write(p.buffer)
	return nil
}

// joinLines has a line for each text.
func joinLines(texts []string) string {
	if len(texts) == 1 {
		return texts[0]
	}
	size := len(texts)
	for _, text := range texts {
		size += len(text)
	}
	var joined strings.Builder
	joined.Grow(size)
	for i, text := range texts {
		if i > 0 {
			joined.WriteByte('\n')
		}
		for ; len(text) > pieceBytes; text = text[pieceBytes:] {
			joined.WriteString(text[:pieceBytes])
		}
		joined.WriteString(text)
	}
	return joined.String()
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
