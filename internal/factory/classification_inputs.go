package factory

import (
	"reflect"

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
	joined string
	ends   []int
}

func (t *texts) len() int { return len(t.ends) }

func (t *texts) at(i int) string {
	begin := 0
	if i > 0 {
		begin = t.ends[i-1]
	}
	return t.joined[begin:t.ends[i]]
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom. Null is as good as absent.
func (t *texts) UnmarshalJSONFrom(decoder *jsontext.Decoder) (err error) {
	var joined []byte
	switch decoder.PeekKind() {
	case 'n':
		return decoder.SkipValue()
	case '[':
		if _, err := decoder.ReadToken(); err != nil {
			return err
		}
		for kind := decoder.PeekKind(); kind != ']' && err == nil; kind = decoder.PeekKind() {
			joined, err = t.append(joined, decoder)
		}
		if err == nil {
			_, err = decoder.ReadToken()
		}
	default:
		joined, err = t.append(joined, decoder)
	}
	t.given, t.joined = true, string(joined)
	return err
}

// append reads a string behind those before.
func (t *texts) append(joined []byte, decoder *jsontext.Decoder) ([]byte, error) {
	value, err := decoder.ReadValue()
	if err != nil {
		return joined, err
	}
	if value.Kind() != '"' {
		return joined, &json.SemanticError{JSONPointer: decoder.StackPointer(), GoType: reflect.TypeFor[string]()}
	}
	joined, err = jsontext.AppendUnquote(joined, value)
	t.ends = append(t.ends, len(joined))
	return joined, err
}
