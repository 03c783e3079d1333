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
	last := lastOfUser(messages)
	size := len(focusStart) + len(last) + len(focusEnd)
	for _, message := range messages {
		size += len(message.Role) + len(": ") + len(message.Content) + len("\n")
	}
	var text strings.Builder
	text.Grow(size)
	if last != "" {
		text.WriteString(focusStart)
		writePieces(&text, last)
		text.WriteString(focusEnd)
	}
	for _, message := range messages {
		text.WriteString(message.Role)
		text.WriteString(": ")
		writePieces(&text, message.Content)
		text.WriteByte('\n')
	}
	return text.String()
}

// pieceBytes is how much is copied at a time: while Go copies it can stop nobody, and
// where somebody is to be stopped, all wait.
const pieceBytes = 256 << 10

func writePieces(b *strings.Builder, text string) {
	for ; len(text) > pieceBytes; text = text[pieceBytes:] {
		b.WriteString(text[:pieceBytes])
	}
	b.WriteString(text)
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
