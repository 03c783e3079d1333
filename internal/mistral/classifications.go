package mistral

import (
	"bytes"
	"encoding/json"
)

// ClassifyRequest asks for the classification of texts.
type ClassifyRequest struct {
	Model    string            `json:"model"`
	Input    OneOrMany[string] `json:"input"`
	Metadata map[string]any    `json:"metadata,omitempty"`
}

// ClassifyChatRequest asks for the classification of conversations.
type ClassifyChatRequest struct {
	Model string          `json:"model"`
	Input OneOrMany[Chat] `json:"input"`
}

// Chat is a conversation.
type Chat struct {
	Messages []Message `json:"messages"`
}

// Message is one turn of a conversation.
type Message struct {
	Role    string  `json:"role"`
	Content Content `json:"content"`
}

// Content is what a message says: its text, whether it came as a string, as
// chunks, of which only those of text count, or as null.
type Content string

// UnmarshalJSON reads a string, a list of chunks or null.
func (c *Content) UnmarshalJSON(data []byte) error {
	var text *string
	if err := json.Unmarshal(data, &text); err == nil {
		if *c = ""; text != nil {
			*c = Content(*text)
		}
		return nil
	}
	var chunks []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if err := json.Unmarshal(data, &chunks); err != nil {
		return err
	}
	*c = ""
	for _, chunk := range chunks {
		if chunk.Text == "" {
			continue
		}
		if *c != "" {
			*c += "\n"
		}
		*c += Content(chunk.Text)
	}
	return nil
}

// OneOrMany is a list that may be written as its only element.
type OneOrMany[T any] []T

// UnmarshalJSON reads an array, or anything else as an array of it.
func (l *OneOrMany[T]) UnmarshalJSON(data []byte) error {
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

// ClassifyResponse has one result an input, in their order.
type ClassifyResponse struct {
	ID      string                    `json:"id"`
	Model   string                    `json:"model"`
	Results []map[string]TargetScores `json:"results"` // by target
}

// TargetScores are a target's scores by label. They sum to 1, for a target of
// several labels too.
type TargetScores struct {
	Scores Scores `json:"scores"`
}

// Scores keep the order of the target's labels, as the service's answers do.
type Scores []Score

// Score is one label's share.
type Score struct {
	Label string
	Score float64
}

// MarshalJSON writes an object in the labels' order.
func (s Scores) MarshalJSON() ([]byte, error) {
	buffer := []byte{'{'}
	for i, score := range s {
		if i > 0 {
			buffer = append(buffer, ',')
		}
		label, err := json.Marshal(score.Label)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(score.Score)
		if err != nil {
			return nil, err
		}
		buffer = append(append(append(buffer, label...), ':'), value...)
	}
	return append(buffer, '}'), nil
}

// UnmarshalJSON reads an object and keeps its order.
func (s *Scores) UnmarshalJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	*s = nil
	for decoder.More() {
		label, err := decoder.Token()
		if err != nil {
			return err
		}
		score := Score{}
		score.Label, _ = label.(string)
		if err := decoder.Decode(&score.Score); err != nil {
			return err
		}
		*s = append(*s, score)
	}
	return nil
}
