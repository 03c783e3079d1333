package classifier

import "strings"

// Message is one turn of a conversation.
type Message struct {
	Role, Content string
}

// The focus is the part of a text that is between these two at its beginning. Its
// n-grams are other features than those of the rest.
const (
	focusStart = "\x02"
	focusEnd   = "\x03"
)

// RenderChat returns the text as which a conversation is trained and classified:
// what the user said last as its focus, then for each message a line with its role, a
// colon, a space and its content. What is asked of a conversation is mostly about the
// last turn, which a few earlier ones would drown otherwise.
func RenderChat(messages []Message) string {
	var text strings.Builder
	if last := lastOfUser(messages); last != "" {
		text.WriteString(focusStart)
		text.WriteString(last)
		text.WriteString(focusEnd)
	}
	for _, message := range messages {
		text.WriteString(message.Role)
		text.WriteString(": ")
		text.WriteString(message.Content)
		text.WriteByte('\n')
	}
	return text.String()
}

func lastOfUser(messages []Message) string {
	for i := len(messages) - 1; i >= 0; i-- {
		if messages[i].Role == "user" {
			return messages[i].Content
		}
	}
	return ""
}

func splitFocus(text string) (focus, rest string) {
	marked, found := strings.CutPrefix(text, focusStart)
	if !found {
		return "", text
	}
	focus, rest, _ = strings.Cut(marked, focusEnd)
	return focus, rest
}
