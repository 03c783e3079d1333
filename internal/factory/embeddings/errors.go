package embeddings

import "fmt"

// Error says that an encoder was asked in vain. It shows nothing of what was sent or
// answered.
type Error struct {
	Host   string
	Reason string
	// Answered tells a server whose answers are of no use from one that is not there, or
	// has no time.
	Answered bool

	status int // that was answered, if it was not 200
}

func (e *Error) Error() string {
	return fmt.Sprintf("the encoder at %s cannot be used: %s", e.Host, e.Reason)
}

// ChangedError says that an encoder is another one than before.
type ChangedError struct{ Host string }

func (e *ChangedError) Error() string {
	return fmt.Sprintf("the encoder at %s has changed: it gives other vectors for the same texts than before", e.Host)
}

func (e *Encoder) unavailable(reason string) *Error { return &Error{Host: e.host, Reason: reason} }

func (e *Encoder) unusable(reason string) *Error {
	return &Error{Host: e.host, Reason: reason, Answered: true}
}
