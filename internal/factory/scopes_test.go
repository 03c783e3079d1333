package factory

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/api"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// TestScopes asks every route with a key of every scope: without the scope that it needs
// the answer is a sentence, and 403 before anything else is looked at.
func TestScopes(t *testing.T) {
	const open, see, keys = "open", "classify train", "admin act-for"
	needs := map[string]string{ // than train
		"GET /v1/files/{file_id}/signed": open,
		"GET /healthz":                   open,
		"GET /readyz":                    open,
		"GET /v1/models":                 see,
		"GET /v1/models/{model_id}":      see,
		"POST /v1/classifications":       "classify",
		"POST /v1/chat/classifications":  "classify",
		"POST /v1/keys":                  keys,
		"GET /v1/keys":                   keys,
		"GET /v1/keys/{key_id}":          keys,
		"DELETE /v1/keys/{key_id}":       keys,
	}
	s := startServer(t, nil)
	secrets := map[string]string{}
	for _, scope := range store.AllScopes.Names() {
		secrets[scope] = s.createKey(party{"alice-key", ""}, fmt.Sprintf(`{"scopes": [%q]}`, scope)).Key
	}
	bound := s.createKey(party{"alice-key", ""}, `{"scopes": ["classify"], "models": ["ft:mine"]}`).Key
	for _, route := range s.factory.api.Routes() {
		name := route.Method + " " + route.Path
		need, ok := needs[name]
		if !ok {
			need = "train"
		}
		if need == open {
			continue
		}
		for scope, secret := range secrets {
			status, answer := s.requestOf(party{secret, "team-a"}, route.Method, route.Path, "application/json", bodyOf(route.Method, "{}"))
			lacks := status == http.StatusForbidden && strings.Contains(answer, "has not the scope")
			if status == http.StatusUnauthorized || lacks == strings.Contains(need, scope) {
				t.Errorf("%s with the scope %s: %d %s; it needs %s", name, scope, status, answer, need)
			}
		}
		status, answer := s.requestOf(party{bound, ""}, route.Method, strings.Replace(route.Path, "{model_id}", "ft:other", 1), "application/json",
			bodyOf(route.Method, `{"model": "ft:other", "input": "x"}`))
		if name == "POST /v1/chat/classifications" {
			status, answer = s.requestOf(party{bound, ""}, route.Method, route.Path, "application/json", `{"model": "ft:other", "input": {"messages": [{"role": "user", "content": "x"}]}}`)
		}
		if want := map[bool]int{true: 200, false: 403}[name == "GET /v1/models"]; status != want {
			t.Errorf("%s with a key for another model: %d %s, want %d", name, status, answer, want)
		}
	}
}

// bodyOf is that of methods which have one.
func bodyOf(method, body string) string {
	if method == http.MethodGet {
		return ""
	}
	return body
}

// TestKeyForOneModel sees it and classifies with it, and cannot tell other models from
// missing ones.
func TestKeyForOneModel(t *testing.T) {
	s := startServer(t, nil)
	mine, other := s.train("a.jsonl", intents(20)), s.train("b.jsonl", intents(22))
	bound := party{s.createKey(party{"alice-key", ""}, fmt.Sprintf(`{"scopes": ["classify"], "models": [%q]}`, mine)).Key, ""}
	body := `{"model": %q, "input": "switch on the lamp"}`
	if status, answer := s.requestOf(bound, "POST", "/v1/classifications", "application/json", fmt.Sprintf(body, mine)); status != 200 {
		t.Errorf("its model: %d %s", status, answer)
	}
	_, refused := s.requestOf(bound, "POST", "/v1/classifications", "application/json", fmt.Sprintf(body, other))
	for _, model := range []string{other, "ft:none", DefaultBaseModel} {
		if status, answer := s.requestOf(bound, "POST", "/v1/classifications", "application/json", fmt.Sprintf(body, model)); status != 403 || answer != refused {
			t.Errorf("the model %s: %d %s", model, status, answer)
		}
		if status, answer := s.requestOf(bound, "GET", "/v1/models/"+model, "", ""); status != 403 || answer != refused {
			t.Errorf("the card of %s: %d %s", model, status, answer)
		}
	}
	if status, answer := s.requestOf(bound, "GET", "/v1/models", "", ""); status != 200 || strings.Count(answer, `"id"`) != 1 || !strings.Contains(answer, mine) {
		t.Errorf("models: %d %s; want its own alone", status, answer)
	}
	if status, answer := s.requestOf(bound, "GET", "/v1/models?model="+other, "", ""); status != 200 || !strings.Contains(answer, `"data":[]`) {
		t.Errorf("models, filtered: %d %s", status, answer)
	}
}

// TestActFor: who may, asks in a namespace's name; the header of others changes nothing.
func TestActFor(t *testing.T) {
	s := startServer(t, func(c *Config) {
		plain := api.NewKey("carol", "carol-key")
		plain.Scopes = store.ScopeTrain
		c.APIKeys = append(c.APIKeys, plain)
	})
	for _, test := range []struct {
		reason, key, namespace string
		status                 int
	}{
		{"a namespace", "alice-key", "team-a", 200},
		{"the longest name", "alice-key", strings.Repeat("a", 63), 200},
		{"a name too long", "alice-key", strings.Repeat("a", 64), 400},
		{"an upper-case letter", "alice-key", "Team", 400},
		{"a dot", "alice-key", "team.a", 400},
		{"a slash would lead elsewhere", "alice-key", "team/a", 400},
		{"a hyphen at the end", "alice-key", "team-", 400},
		{"a space", "alice-key", "team a", 400},
		{"two in one", "alice-key", "team-a,team-b", 400},
		{"it may not, so that the header says nothing", "carol-key", "team-a", 200},
		{"it may not, whatever the header says", "carol-key", "Team/A", 200},
	} {
		if status, answer := s.requestOf(party{test.key, test.namespace}, "GET", "/v1/files", "", ""); status != test.status {
			t.Errorf("%s: %d %s, want %d", test.reason, status, answer, test.status)
		}
	}
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.http.URL+"/v1/files", nil)
	request.Header.Set("Authorization", "Bearer alice-key")
	for _, values := range [][]string{{""}, {"team-a", "team-b"}, {"team-a", ""}} {
		request.Header["Factory-Act-For"] = values
		response, err := s.http.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("headers %q: %d; in whose name?", values, response.StatusCode)
		}
	}
	uploadAs(t, s.clientOf(party{"carol-key", "team-a"}), "a.jsonl", intents(2))
	if _, answer := s.requestOf(party{"carol-key", ""}, "GET", "/v1/files", "", ""); !strings.Contains(answer, `"total":1`) {
		t.Errorf("carol's files: %s; the header must have changed nothing", answer)
	}
}
