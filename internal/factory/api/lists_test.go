package api

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestPartOfAListIsNoList: who reads a list that fails halfway sees that it did.
func TestPartOfAListIsNoList(t *testing.T) {
	broken := errors.New("the disk")
	for _, test := range []struct {
		reason, want string
		err          error
	}{
		{"all is well", `{"data":["a","b"],"object":"list","total":2}`, nil},
		{"the second cannot be read", "", broken},
	} {
		var logged error
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			items := func(yield func(string, error) bool) { _ = yield("a", nil) && yield("b", test.err) }
			around := mistral.JobList{Object: mistral.ObjectList, Total: 2}
			_, _ = list[string]{around, items, func(err error) { logged = err }}.WriteTo(w)
		}))
		response, err := server.Client().Get(server.URL)
		if err == nil {
			var body []byte
			body, err = io.ReadAll(response.Body)
			response.Body.Close()
			if string(body) != test.want && err == nil {
				t.Errorf("%s: %s, want %s", test.reason, body, test.want)
			}
		}
		server.Close()
		if (err != nil) != (test.err != nil) || !errors.Is(logged, test.err) {
			t.Errorf("%s: the client saw %v, the log %v", test.reason, err, logged)
		}
	}
}
