package classifier

import "strings"

// Message is one turn of a conversation.
type Message struct {
	Role, Content string
}

// RenderChat returns the text as which a conversation is trained and classified:
// for each message a line with its role, a colon, a space and its content.
func RenderChat(messages []Message) string {
	var text strings.Builder
	for _, message := range messages {
		text.WriteString(message.Role)
		text.WriteString(": ")
		text.WriteString(message.Content)
		text.WriteByte('\n')
	}
	return text.String()
}
