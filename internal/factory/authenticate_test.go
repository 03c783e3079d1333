package factory

import (
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
)

func TestUnauthorized(t *testing.T) {
	s := startServer(t, nil)
	hash := NewAPIKey("alice", "alice-key").Hash
	for _, test := range []struct{ reason, header string }{
		{"no key", ""},
		{"unknown key", "Bearer mallory-key"},
		{"empty key", "Bearer "},
		{"another scheme", "Basic alice-key"},
		{"a key's hash is not the key", "Bearer " + hex.EncodeToString(hash[:])},
	} {
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.http.URL+"/v1/files", nil)
		if test.header != "" {
			request.Header.Set("Authorization", test.header)
		}
		response, err := s.http.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %d", test.reason, response.StatusCode)
		}
	}
	if _, body := s.requestAs("", "GET", "/v1/models", "", nil); body != `{"detail":"Unauthorized"}` {
		t.Errorf("body %s", body)
	}
}

func TestKeysChangeWhileServing(t *testing.T) {
	s := startServer(t, nil)
	file := s.upload("intents.jsonl", intents(2))
	s.factory.SetAPIKeys([]APIKey{NewAPIKey("alice", "new-key")})
	if status, _ := s.request("GET", "/v1/files/"+file.ID, ""); status != http.StatusUnauthorized {
		t.Errorf("a revoked key: %d", status)
	}
	if status, body := s.requestAs("new-key", "GET", "/v1/files/"+file.ID, "", nil); status != http.StatusOK {
		t.Errorf("the tenant's new key: %d %s", status, body)
	}
	s.factory.SetAPIKeys(nil)
	if status, _ := s.requestAs("new-key", "GET", "/v1/files", "", nil); status != http.StatusUnauthorized {
		t.Errorf("no keys at all: %d; nobody may come in", status)
	}
}

func TestInsecureNoAuth(t *testing.T) {
	s := startServer(t, func(c *Config) { c.APIKeys, c.InsecureNoAuth = nil, true })
	if status, body := s.requestAs("", "GET", "/v1/files", "", nil); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
}

func TestReadAPIKeys(t *testing.T) {
	const hash = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b" // of "secret"
	keys, err := ReadAPIKeys(strings.NewReader("# team keys\n\nalice:" + hash + "\r\nalice: " + strings.ToUpper(hash) + "\n"))
	if err != nil || len(keys) != 2 || keys[0] != NewAPIKey("alice", "secret") || keys[1] != keys[0] {
		t.Errorf("ReadAPIKeys() = %v, %v", keys, err)
	}
	for _, test := range []struct{ reason, line string }{
		{"no tenant", ":" + hash},
		{"no hash", "alice"},
		{"the key itself", "alice:secret"},
		{"hash cut off", "alice:" + hash[:60]},
	} {
		_, err := ReadAPIKeys(strings.NewReader("\n" + test.line))
		if err == nil || !strings.Contains(err.Error(), "line 2") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v; want the line's number and nothing of the key", test.reason, err)
		}
	}
}
