package dataset

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// jsonRow is a row as encoding/json decodes it. It takes no content but a string.
type jsonRow struct {
	Text     string         `json:"text"`
	Messages []jsonMessage  `json:"messages"`
	Labels   map[string]any `json:"labels"`
}

type jsonMessage struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

var errInvalidRow = errors.New("a row is invalid")

// unmarshalAndCount does what readAndCount does, the way encoding/json is used. It
// still checks less: of a key that is there twice the last one counts, the case of
// keys does not, half a surrogate pair is replaced, and the only limit is that of lines.
func unmarshalAndCount(data []byte) error {
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(make([]byte, bufferBytes), DefaultLimits().LineBytes)
	counts := map[string]map[string]int{}
	for lines.Scan() {
		var row jsonRow
		if !utf8.Valid(lines.Bytes()) { // which would be replaced
			return errInvalidRow
		}
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			return err
		}
		if !row.hasInput() || !row.count(counts) {
			return errInvalidRow
		}
	}
	return lines.Err()
}

func (r *jsonRow) hasInput() bool {
	if (r.Text == "") == (len(r.Messages) == 0) {
		return false
	}
	for i := range r.Messages {
		switch r.Messages[i].Role {
		case "system", "user", "assistant", "tool":
		default:
			return false
		}
	}
	return true
}

// count counts the labels, or reports that they are none.
func (r *jsonRow) count(counts map[string]map[string]int) bool {
	for target, value := range r.Labels {
		counted := counts[target]
		if counted == nil {
			counted = map[string]int{}
			counts[target] = counted
		}
		switch value := value.(type) {
		case string:
			counted[value]++
		case []any:
			for _, element := range value {
				label, ok := element.(string)
				if !ok {
					return false
				}
				counted[label]++
			}
		default:
			return false
		}
	}
	return len(r.Labels) > 0
}

// distinctKeys finds a key that is there twice, for which encoding/json has nothing
// but tokens.
func distinctKeys(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	for {
		if err := walkDistinct(decoder); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// walkDistinct walks over the next value.
func walkDistinct(decoder *json.Decoder) error {
	token, err := decoder.Token()
	delimiter, isNested := token.(json.Delim)
	if err != nil || !isNested {
		return err
	}
	keys := map[string]bool{}
	for decoder.More() {
		if delimiter == '{' {
			token, err := decoder.Token()
			if err != nil {
				return err
			}
			key := token.(string)
			if keys[key] {
				return errInvalidRow
			}
			keys[key] = true
		}
		if err := walkDistinct(decoder); err != nil {
			return err
		}
	}
	_, err = decoder.Token() // its end
	return err
}
