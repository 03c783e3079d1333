package factory

import (
	"encoding/hex"
	"net/http"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/api"
)

func TestUnauthorized(t *testing.T) {
	s := startServer(t, nil)
	hash := api.NewKey("alice", "alice-key").Hash
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
	s.factory.SetAPIKeys([]api.Key{api.NewKey("alice", "new-key")})
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
