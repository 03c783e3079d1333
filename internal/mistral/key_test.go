package mistral

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

var discardLog = log.New(io.Discard, "", 0)

func TestKeyIsNeverShown(t *testing.T) {
	key := NewKey(testKey)
	client := newTestClient(t, "http://host")
	hidden := struct{ key Key }{key}
	shown := struct{ Key Key }{key}

	var outputs []string
	for _, verb := range strings.Fields("%v %+v %#v %s %q %x %X %d %t %p %T %10s %-50v") {
		for _, value := range []any{key, &key, hidden, &hidden, shown, &shown, []Key{key}, map[Key]Key{key: key}, client, *client} {
			outputs = append(outputs, fmt.Sprintf(verb, value))
		}
	}
	var buffer bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&buffer, nil), slog.NewTextHandler(&buffer, nil)} {
		slog.New(handler).Info("a", "key", key, "shown", shown, "hidden", hidden, "client", client)
	}
	encoded, err := json.Marshal(map[string]any{"key": key, "shown": shown, "hidden": hidden, "map": map[Key]int{key: 1}})
	if err != nil {
		t.Fatal(err)
	}
	outputs = append(outputs, buffer.String(), string(encoded), key.String(), fmt.Sprint(key), fmt.Errorf("%w: %v", io.EOF, key).Error())

	hex := fmt.Sprintf("%x", testKey)
	for _, output := range outputs {
		if strings.Contains(output, testKey) || strings.Contains(strings.ToLower(output), hex) {
			t.Errorf("the key is shown: %s", output)
		}
	}
	for _, output := range []string{fmt.Sprint(key), fmt.Sprintf("%#v", key), fmt.Sprintf("%q", key), key.String()} {
		if output != "REDACTED" {
			t.Errorf("the key prints as %s", output)
		}
	}
}

func TestKeyFromText(t *testing.T) {
	if NewKey(testKey+"\n") != NewKey(testKey) {
		t.Error("a line break at the end makes another key")
	}
	if NewKey(testKey) == NewKey("another") {
		t.Error("different keys are equal")
	}
	if NewKey(" \n") != (Key{}) {
		t.Error("blank text is a key")
	}
	for _, text := range []string{"two words", "two\r\nX-Header: lines", "caf\u00e9", "nul\x00"} {
		_, err := NewClient(Config{BaseURL: "http://host", Key: NewKey(text)})
		if err == nil || strings.Contains(err.Error(), text) {
			t.Errorf("key %q gives %v", text, err)
		}
	}
}

// TestNoSecretComesBackAsACode holds that a server cannot get what it was sent
// into a message by giving it for its error's code.
func TestNoSecretComesBackAsACode(t *testing.T) {
	const integrationKey = "0123456789abcdef0123456789abcdef01234567"
	for _, code := range []struct {
		reason, said, shown string
	}{
		{"the key of the client", testKey, ""},
		{"the key of an integration, which the body has", integrationKey, ""},
		{"a key among other words", "invalid." + integrationKey, ""},
		{"a part of a key is most of what there is to know of it", integrationKey[:20], ""},
		{"a word of the server's own", "invalid_key", "invalid_key"},
		{"a word that a key happens to have in it", "0123", "0123"},
	} {
		client := serve(t, answering(http.StatusUnprocessableEntity, `{"code":"`+code.said+`"}`))
		_, err := client.CreateJob(t.Context(), CreateJobRequest{Integrations: []Integration{{APIKey: integrationKey}}})
		var answer *Error
		if !errors.As(err, &answer) || answer.Code != code.shown {
			t.Errorf("%s: %v shows the code %q, want %q", code.reason, err, answer.Code, code.shown)
		}
	}
}

// TestNoAnswerRepeatsTheKey holds that a server cannot show the key to all who may
// read a job, by giving it for the job's state or the model's ID.
func TestNoAnswerRepeatsTheKey(t *testing.T) {
	key := strings.Repeat("k3y-", 8)
	for _, body := range []string{
		`{"id":"j1","status":"` + key + `"}`,
		`{"id":"j1","status":"SUCCESS","fine_tuned_model":"ft:` + key + `"}`,
		`{"id":"` + key + `","status":"QUEUED"}`,
	} {
		server := httptest.NewServer(answering(http.StatusOK, body))
		t.Cleanup(server.Close)
		client, err := NewClient(Config{BaseURL: server.URL, Key: NewKey(key)})
		if err != nil {
			t.Fatal(err)
		}
		job, err := client.GetJob(t.Context(), "j1")
		if err == nil || strings.Contains(err.Error(), key) {
			t.Errorf("got %+v, %v", job, err)
		}
	}
}
