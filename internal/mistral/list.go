package mistral

import "encoding/json"

// List is a slice that is written as [] when it is nil: SDKs refuse a null
// where the protocol has an array.
type List[T any] []T

// MarshalJSON writes an array, never null.
func (l List[T]) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	return json.Marshal([]T(l))
}

// OneOrMany is a list that may be written as its only element.
type OneOrMany[T any] []T

// UnmarshalJSON reads an array, or anything else as an array of it. Null is no
// element.
func (l *OneOrMany[T]) UnmarshalJSON(data []byte) error {
	*l = nil
	if string(data) == "null" {
		return nil
	}
	if len(data) > 0 && data[0] == '[' {
		return json.Unmarshal(data, (*[]T)(l))
	}
	var one T
	if err := json.Unmarshal(data, &one); err != nil {
		return err
	}
	*l = []T{one}
	return nil
}
