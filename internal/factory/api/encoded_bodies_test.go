package api

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func gzipped(t *testing.T, parts ...string) string {
	t.Helper()
	var packed bytes.Buffer
	for _, part := range parts {
		writer := gzip.NewWriter(&packed)
		if _, err := io.WriteString(writer, part); err != nil {
			t.Fatal(err)
		}
		if err := writer.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return packed.String()
}

// TestEncodedBodies are read as what they become, and held to what that may have.
func TestEncodedBodies(t *testing.T) {
	const most = 1 << 10
	short, long := `"short"`, `"`+strings.Repeat("x", most)+`"`
	packed := gzipped(t, short)
	for _, test := range []struct {
		reason, encoding, body string
		status                 int
		want                   string
	}{
		{"as it is", "", short, 200, `"short"`},
		{"said to be as it is", "identity", short, 200, `"short"`},
		{"gzip", "gzip", packed, 200, `"short"`},
		{"in other letters", "GZip", packed, 200, `"short"`},
		{"by its old name", "x-gzip", packed, 200, `"short"`},
		{"in two members", "gzip", gzipped(t, `"sho`, `rt"`), 200, `"short"`},
		{"too large once it is unpacked", "gzip", gzipped(t, long), 413, `{"detail":"Request Entity Too Large"}`},
		{"a bomb", "gzip", gzipped(t, `"`+strings.Repeat("x", 64<<20)+`"`), 413, `{"detail":"Request Entity Too Large"}`},
		{"it is not gzip", "gzip", short, 400, `{"detail":"The body is not gzip`},
		{"it ends too early", "gzip", packed[:len(packed)-9], 400, `{"detail":"The body is not gzip`},
		{"it is damaged", "gzip", packed[:len(packed)-8] + "\x00\x00\x00\x00" + packed[len(packed)-4:], 400, `{"detail":"The body is not gzip`},
		{"there is none", "gzip", "", 422, `{"detail":[{"type":"json_invalid"`},
		{"another encoding", "br", short, 415, `{"detail":"The body's Content-Encoding is not known here`},
		{"one that is old", "deflate", short, 415, `{"detail":"The body's Content-Encoding`},
		{"two of them", "gzip, gzip", packed, 415, `{"detail":"The body's Content-Encoding`},
	} {
		s := idleServer()
		handler := s.decoded(s.operation(most, func(r *http.Request, _ string) (any, error) {
			var text string
			err := decodeBody(r, &text)
			return text, err
		}))
		request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(test.body))
		if test.encoding != "" {
			request.Header.Set("Content-Encoding", test.encoding)
		}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		if answer.Code != test.status || !strings.HasPrefix(answer.Body.String(), test.want) {
			t.Errorf("%s: %d %s, want %d %s", test.reason, answer.Code, answer.Body, test.status, test.want)
		}
		if accepts := answer.Header().Get("Accept-Encoding") == "gzip"; accepts != (test.status == 415) {
			t.Errorf("%s: it says what it accepts: %v", test.reason, accepts)
		}
	}
}

// TestEncodedBodyIsNotReadWithoutAKey, not even its first bytes.
func TestEncodedBodyIsNotReadWithoutAKey(t *testing.T) {
	s, _ := loggingServer(t)
	body := strings.NewReader(gzipped(t, `{}`))
	unread := body.Len()
	request := httptest.NewRequest(http.MethodPost, "/v1/classifications", body)
	request.Header.Set("Content-Encoding", "gzip")
	answer := httptest.NewRecorder()
	s.Handler().ServeHTTP(answer, request)
	if answer.Code != http.StatusUnauthorized || body.Len() != unread {
		t.Errorf("%d with %d of %d bytes left", answer.Code, body.Len(), unread)
	}
}
