package api

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestPublicURL(t *testing.T) {
	type headers map[string]string
	for _, test := range []struct {
		reason     string
		configured string
		peer       string
		headers    headers
		want       string
	}{
		{"no proxy", "", "10.1.2.3:4567", nil, "http://factory.svc:8080"},
		{"the scheme", "", "10.1.2.3:4567", headers{"X-Forwarded-Proto": "https"}, "https://factory.svc:8080"},
		{"all of it", "", "10.1.2.3:4567", headers{"X-Forwarded-Proto": "https", "X-Forwarded-Host": "ml.example.com", "X-Forwarded-Prefix": "/factory"}, "https://ml.example.com/factory"},
		{"a port and a slash at the end", "", "127.0.0.1:1", headers{"X-Forwarded-Host": "ml.example.com:8443", "X-Forwarded-Prefix": "/a/b/"}, "http://ml.example.com:8443/a/b"},
		{"several proxies", "", "[fd00::1]:1", headers{"X-Forwarded-Proto": "https, http", "X-Forwarded-Host": "outer.example.com, inner"}, "https://outer.example.com"},
		{"as the standard has it", "", "[::1]:1", headers{"Forwarded": `for=192.0.2.60;Proto=https;host="ml.example.com:8443", for=10.0.0.1;host=inner`}, "https://ml.example.com:8443"},
		{"in a cluster whose pods have shared addresses", "", "100.64.3.4:1", headers{"X-Forwarded-Host": "ml.example.com"}, "http://ml.example.com"},
		{"mapped into IPv6", "", "[::ffff:10.1.2.3]:1", headers{"X-Forwarded-Host": "ml.example.com"}, "http://ml.example.com"},
		{"from a stranger's address", "", "203.0.113.9:1", headers{"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example.com", "X-Forwarded-Prefix": "/x", "Forwarded": "host=evil.example.com"}, "http://factory.svc:8080"},
		{"no host", "", "10.1.2.3:4567", headers{"X-Forwarded-Host": "evil.example.com/path?"}, "http://factory.svc:8080"},
		{"a user before the host", "", "10.1.2.3:4567", headers{"X-Forwarded-Host": "user@evil.example.com"}, "http://factory.svc:8080"},
		{"no scheme of the web", "", "10.1.2.3:4567", headers{"X-Forwarded-Proto": "javascript"}, "http://factory.svc:8080"},
		{"a prefix that would be a host", "", "10.1.2.3:4567", headers{"X-Forwarded-Prefix": "//evil.example.com"}, "http://factory.svc:8080/evil.example.com"},
		{"a prefix that is none", "", "10.1.2.3:4567", headers{"X-Forwarded-Prefix": "factory"}, "http://factory.svc:8080"},
		{"configured", "https://ml.example.com/factory/", "203.0.113.9:1", nil, "https://ml.example.com/factory/"},
		{"what is configured wins", "https://ml.example.com", "10.1.2.3:4567", headers{"X-Forwarded-Host": "other.example.com"}, "https://ml.example.com"},
	} {
		s := idleServer()
		if test.configured != "" {
			var err error
			if s.config.PublicURL, err = ParsePublicURL(test.configured); err != nil {
				t.Fatal(err)
			}
		}
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		request.Host, request.RemoteAddr = "factory.svc:8080", test.peer
		for name, value := range test.headers {
			request.Header.Set(name, value)
		}
		if got := s.publicURL(request).String(); got != test.want {
			t.Errorf("%s: %s, want %s", test.reason, got, test.want)
		}
	}
}

func TestParsePublicURL(t *testing.T) {
	for _, test := range []struct{ reason, text string }{
		{"empty", ""},
		{"no scheme", "ml.example.com"},
		{"another scheme", "ftp://ml.example.com"},
		{"no host", "https:///factory"},
		{"a query", "https://ml.example.com?x=y"},
		{"a fragment", "https://ml.example.com#x"},
		{"credentials, which answers would tell", "https://user:secret@ml.example.com"},
	} {
		if got, err := ParsePublicURL(test.text); err == nil {
			t.Errorf("%s: %s", test.reason, got)
		}
	}
}
