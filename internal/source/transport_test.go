package source

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestRedirectsAreNotFollowed(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
	}))
	defer server.Close()
	response, err := newStorageClient(localStorage(5 * time.Second)).Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusFound {
		t.Errorf("got status %d", response.StatusCode)
	}
}

func TestAnswersAreCapped(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/failure" {
			w.WriteHeader(http.StatusForbidden)
		}
		piece := make([]byte, 1<<20)
		for range maxAnswerBytes>>20 + 1 {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	for _, test := range []struct {
		reason string
		path   string
		ctx    context.Context
		want   error
	}{
		{"an answer", "/", t.Context(), errAnswerTooLong},
		{"an object's content is as long as the object", "/", expectContent(t.Context()), nil},
		{"the reason why there is no content", "/failure", expectContent(t.Context()), errAnswerTooLong},
	} {
		request, err := http.NewRequestWithContext(test.ctx, http.MethodGet, server.URL+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := newStorageClient(localStorage(5 * time.Second)).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, response.Body); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", test.reason, err, test.want)
		}
		_ = response.Body.Close()
	}
}
