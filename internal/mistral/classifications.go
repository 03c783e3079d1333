package mistral

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
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
	Messages List[Message] `json:"messages"`
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
	texts := make([]string, 0, len(chunks))
	for _, chunk := range chunks {
		if chunk.Text != "" {
			texts = append(texts, chunk.Text)
		}
	}
	*c = Content(strings.Join(texts, "\n"))
	return nil
}

// ClassifyResponse has one result an input, in their order.
type ClassifyResponse struct {
	ID      string                        `json:"id"`
	Model   string                        `json:"model"`
	Results List[map[string]TargetScores] `json:"results"` // by target
}

func (r *ClassifyResponse) complete() bool { return r.Results != nil }

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
	*s = nil
	decoder := json.NewDecoder(bytes.NewReader(data))
	switch start, err := decoder.Token(); {
	case err != nil:
		return err
	case start == nil:
		return nil
	case start != json.Delim('{'):
		return errors.New("scores are an object of numbers by label")
	}
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

// Classify classifies texts.
func (c *Client) Classify(ctx context.Context, input ClassifyRequest) (*ClassifyResponse, error) {
	return c.classify(ctx, len(input.Input), request{
		operation: "Classify",
		method:    http.MethodPost,
		path:      []string{"classifications"},
		body:      input,
		readOnly:  true,
	})
}

// ClassifyChat classifies conversations.
func (c *Client) ClassifyChat(ctx context.Context, input ClassifyChatRequest) (*ClassifyResponse, error) {
	return c.classify(ctx, len(input.Input), request{
		operation: "ClassifyChat",
		method:    http.MethodPost,
		path:      []string{"chat", "classifications"},
		body:      input,
		readOnly:  true,
	})
}

// classify makes sure that each input has its result: they are told apart by
// their order alone.
func (c *Client) classify(ctx context.Context, inputs int, r request) (*ClassifyResponse, error) {
	response, err := send[ClassifyResponse](ctx, c, r)
	if err == nil && len(response.Results) != inputs {
		return nil, unreadable(r, http.StatusOK, "the answer has not one result for each input", nil)
	}
	return response, err
}
