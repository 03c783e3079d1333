package classifier

import (
	"slices"
	"strings"
)

// Message is one turn of a conversation.
type Message struct {
	Role, Content string
}

// roles are those of messages. A role that is none of them counts as the first.
var roles = [...]string{"user", "assistant", "system", "tool"}

// userRole is the user's among the roles.
const userRole = 0

// The turns of a conversation begin with these in its text, one for each role.
const (
	firstMark = '\x02'
	lastMark  = firstMark + len(roles) - 1
	marks     = "\x02\x03\x04\x05"
)

// RenderChat returns the text as which a conversation is trained and classified: each
// message's content after the mark of its role. A mark in a content becomes the white
// space that it counts as elsewhere, so that nobody speaks for another.
func RenderChat(messages []Message) string {
	length := 0
	for _, message := range messages {
		length += 1 + len(message.Content)
	}
	var text strings.Builder
	text.Grow(length)
	for _, message := range messages {
		text.WriteByte(byte(firstMark + max(slices.Index(roles[:], message.Role), 0)))
		writeUnmarked(&text, message.Content)
	}
	return text.String()
}

// pieceBytes is how much is copied at a time: while Go copies it can stop nobody, and
// where somebody is to be stopped, all wait.
const pieceBytes = 256 << 10

func writeUnmarked(text *strings.Builder, content string) {
	for len(content) > 0 {
		piece := content[:min(len(content), pieceBytes)]
		mark := strings.IndexAny(piece, marks)
		if mark < 0 {
			text.WriteString(piece)
			content = content[len(piece):]
			continue
		}
		text.WriteString(content[:mark])
		text.WriteByte(' ')
		content = content[mark+1:]
	}
}

// isConversation tells whether a text is one that RenderChat gives for some messages.
func isConversation(text string) bool {
	return len(text) > 0 && firstMark <= text[0] && int(text[0]) <= lastMark
}

// segment is a turn of a conversation, or several between the first and the last ones.
type segment struct {
	role       int // len(roles) for several
	start, end int // of its content in the text
}

const (
	// What says something of a conversation's labels is mostly near one of its ends. All
	// turns between those kept apart are one segment, whose length costs no more than that
	// of a text.
	firstSegments = 4
	lastSegments  = 16
	maxSegments   = firstSegments + 1 + lastSegments
)

// splitTurns replaces segments by those of a conversation. Turns that say nothing are none.
func splitTurns(text string, segments []segment) []segment {
	segments = segments[:0]
	for start := 0; start < len(text); {
		end := len(text)
		if next := strings.IndexAny(text[start+1:], marks); next >= 0 {
			end = start + 1 + next
		}
		if strings.TrimSpace(text[start+1:end]) != "" {
			segments = append(segments, segment{int(text[start] - firstMark), start + 1, end})
		}
		if len(segments) > maxSegments {
			segments[firstSegments].role, segments[firstSegments].end = len(roles), segments[firstSegments+1].end
			segments = slices.Delete(segments, firstSegments+1, firstSegments+2)
		}
		start = end
	}
	return segments
}
