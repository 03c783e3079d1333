package api

import (
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// conversations may be written as the only one. Unlike the client's lists of that
// kind, they are decoded in one pass, and an error says where it is.
type conversations []conversation

// UnmarshalJSONFrom implements json.UnmarshalerFrom. Null is as good as absent.
func (c *conversations) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	switch decoder.PeekKind() {
	case 'n':
		return decoder.SkipValue()
	case '[':
		*c = conversations{}
		return json.UnmarshalDecode(decoder, (*[]conversation)(c))
	}
	*c = make(conversations, 1)
	return json.UnmarshalDecode(decoder, &(*c)[0])
}

// texts, or the only one, lie in one string: a request can have many thousands.
type texts struct {
	given  bool
	joined strings.Builder
	ends   []int
	buffer []byte // of the text that is read
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
	if t.buffer, err = jsontext.AppendUnquote(t.buffer[:0], value); err != nil {
		return err
	}
	t.joined.Write(t.buffer)
	t.ends = append(t.ends, t.joined.Len())
	return nil
}
