package api

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// TestCrossOrigin asks as browsers do: first whether, then for what.
func TestCrossOrigin(t *testing.T) {
	const app = "https://app.example.com"
	for _, test := range []struct {
		reason  string
		origins []string
		origin  string
		method  string
		allowed string
	}{
		{"off by default", nil, app, "POST", ""},
		{"an origin that is let in", []string{"http://localhost:3000", app}, app, "POST", app},
		{"each method of the protocol", []string{app}, app, "DELETE", app},
		{"each method of the protocol", []string{app}, app, "PATCH", app},
		{"another origin", []string{app}, "https://evil.example.com", "POST", ""},
		{"another scheme", []string{app}, "http://app.example.com", "POST", ""},
		{"a name that begins alike", []string{app}, "https://app.example.com.evil.example", "POST", ""},
		{"all", []string{"*"}, "https://anybody.example.com", "POST", "*"},
	} {
		s, _ := loggingServer(t)
		s.config.CORSOrigins = test.origins
		handler := s.Handler()
		preflight := httptest.NewRequest(http.MethodOptions, "/v1/classifications", nil)
		preflight.Header.Set("Origin", test.origin)
		preflight.Header.Set("Access-Control-Request-Method", test.method)
		preflight.Header.Set("Access-Control-Request-Headers", "authorization,content-type,x-mistral-user-agent")
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, preflight)
		if got := answer.Header().Get("Access-Control-Allow-Origin"); got != test.allowed {
			t.Errorf("%s: %s may ask: %q, want %q", test.reason, test.origin, got, test.allowed)
		}
		if test.allowed != "" && (answer.Code >= 300 || answer.Header().Get("Access-Control-Allow-Methods") != test.method ||
			!strings.Contains(answer.Header().Get("Access-Control-Allow-Headers"), "authorization")) {
			t.Errorf("%s: %d %v", test.reason, answer.Code, answer.Header())
		}

		// What is refused is readable, too: a script shows why.
		request := httptest.NewRequest(http.MethodPost, "/v1/classifications", strings.NewReader(`{}`))
		request.Header.Set("Origin", test.origin)
		answer = httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		if got := answer.Header().Get("Access-Control-Allow-Origin"); got != test.allowed || answer.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d, read by %q", test.reason, answer.Code, got)
		}
		exposed := strings.ToLower(answer.Header().Get("Access-Control-Expose-Headers"))
		if strings.Contains(exposed, "x-request-id") != (test.allowed != "") || answer.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %v", test.reason, answer.Header())
		}
	}
}

func TestParseOrigins(t *testing.T) {
	for _, test := range []struct {
		reason, list string
		want         []string // nil: refused
	}{
		{"one", "https://app.example.com", []string{"https://app.example.com"}},
		{"several", "https://app.example.com, http://localhost:3000", []string{"https://app.example.com", "http://localhost:3000"}},
		{"all", "*", []string{"*"}},
		{"a slash at the end, which no browser sends", "https://app.example.com/", nil},
		{"a path", "https://app.example.com/shop", nil},
		{"no scheme", "app.example.com", nil},
		{"a pattern", "https://*.example.com", nil},
		{"a comma too many", "https://app.example.com,", nil},
		{"nothing", "", nil},
	} {
		got, err := ParseOrigins(test.list)
		if (err == nil) != (test.want != nil) || !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, %v", test.reason, got, err)
		}
	}
}
