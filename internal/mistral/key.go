package mistral

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"unique"
)

const redacted = "REDACTED"

// Key is an API key. It prints as REDACTED wherever it is formatted, marshalled
// or logged. Two keys are equal when their values are; the zero Key is no key.
type Key struct {
	// A handle, not a string: fmt reads a struct's unexported fields without
	// asking them for their format, and would show a string there.
	value unique.Handle[string]
}

// NewKey takes the key from its text. Surrounding space is cut, as a file or a
// Secret often ends in a line break.
func NewKey(text string) Key {
	if text = strings.TrimSpace(text); text == "" {
		return Key{}
	}
	return Key{value: unique.Make(text)}
}

// String hides the key.
func (Key) String() string { return redacted }

// Format hides the key under every verb.
func (Key) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(redacted)) }

// MarshalText hides the key in JSON, YAML and text.
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalText takes the key from its text, as NewKey does.
func (k *Key) UnmarshalText(text []byte) error {
	*k = NewKey(string(text))
	return nil
}

// Bytes are the key itself, for the one place where its owner reads it.
func (k Key) Bytes() []byte { return []byte(k.reveal()) }

// LogValue hides the key in structured logs.
func (Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// SetBasicAuth sends the key as the password of a request to another service.
func (k Key) SetBasicAuth(request *http.Request, user string) { request.SetBasicAuth(user, k.reveal()) }

// SetBearer sends the key with a request to another service. No key sends nothing.
func (k Key) SetBearer(request *http.Request) {
	if key := k.reveal(); key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
}

func (k Key) reveal() string {
	if k == (Key{}) {
		return ""
	}
	return k.value.Value()
}

// Validate refuses what a header cannot carry.
func (k Key) Validate() error {
	invalid := func(r rune) bool { return r <= ' ' || r > '~' }
	if strings.ContainsFunc(k.reveal(), invalid) {
		return errors.New("the API key has a space, a control character or a letter outside ASCII")
	}
	return nil
}
