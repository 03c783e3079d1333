package factory

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/api"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// movingClock is a time that a test sets.
type movingClock struct {
	mutex sync.Mutex
	now   time.Time
}

func (c *movingClock) Now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.now
}

func (c *movingClock) pass(d time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.now = c.now.Add(d)
}

type keys struct {
	Object string       `json:"object"`
	Data   []createdKey `json:"data"`
	Total  int          `json:"total"`
}

// TestKeyLife: a key is created, seen, used, and revoked, at once and for good.
func TestKeyLife(t *testing.T) {
	s := startServer(t, nil)
	admin := party{"alice-key", ""}
	created := s.createKey(admin, `{"name": "app", "scopes": ["train", "classify"]}`)
	if created.Tenant != "alice" || created.Name != "app" || strings.Join(created.Scopes, " ") != "classify train" || created.Models != nil || created.LastUsedAt != nil {
		t.Errorf("created %+v", created)
	}
	second := s.createKey(admin, `{"name": "app", "scopes": ["classify"]}`)
	s.createKey(admin, `{"name": "other", "scopes": ["classify"]}`)
	app := party{created.Key, ""}
	uploadAs(t, s.clientOf(app), "a.jsonl", intents(2))
	if _, answer := s.request("GET", "/v1/files", ""); !strings.Contains(answer, `"total":1`) {
		t.Errorf("alice's files: %s; want those of her key", answer)
	}

	_, answer := s.requestOf(admin, "GET", "/v1/keys?name=app&page_size=1", "", "")
	if page := decoded[keys](t, answer); page.Total != 2 || len(page.Data) != 1 || page.Data[0].ID != second.ID {
		t.Errorf("page 0 of the name: %s; want the newest", answer)
	}
	_, answer = s.requestOf(admin, "GET", "/v1/keys?name=app&page_size=1&page=1", "", "")
	if page := decoded[keys](t, answer); page.Total != 2 || len(page.Data) != 1 || page.Data[0].ID != created.ID {
		t.Errorf("page 1 of the name: %s", answer)
	}
	if status, answer := s.requestOf(admin, "GET", "/v1/keys/"+created.ID, "", ""); status != 200 || strings.Contains(answer, created.Key) {
		t.Errorf("the key: %d %s", status, answer)
	}

	if status, answer := s.requestOf(admin, "DELETE", "/v1/keys/"+created.ID, "", ""); status != 200 || answer != `{"id":"`+created.ID+`","object":"key","deleted":true}` {
		t.Errorf("revoke: %d %s", status, answer)
	}
	if status, _ := s.requestOf(app, "GET", "/v1/files", "", ""); status != 401 {
		t.Errorf("a revoked key: %d", status)
	}
	if status, _ := s.requestOf(party{second.Key, ""}, "GET", "/v1/models", "", ""); status != 200 {
		t.Errorf("another key of the name: %d", status)
	}
	for _, method := range []string{"GET", "DELETE"} {
		if status, answer := s.requestOf(admin, method, "/v1/keys/"+created.ID, "", ""); status != 404 {
			t.Errorf("%s of a revoked key: %d %s", method, status, answer)
		}
	}
	s.close()
	s.open()
	if status, _ := s.requestOf(party{second.Key, ""}, "GET", "/v1/models", "", ""); status != 200 {
		t.Errorf("a key after a restart: %d", status)
	}
}

// TestNoKeyGivesMoreThanItHas, nor sees keys that are not its own to give.
func TestNoKeyGivesMoreThanItHas(t *testing.T) {
	clock := &movingClock{now: time.Now()}
	s := startServer(t, func(c *Config) { c.Clock = clock.Now })
	soon := clock.Now().Add(time.Hour).Unix()
	makerOf := func(namespace, body string) party {
		return party{s.createKey(party{"alice-key", ""}, body).Key, namespace}
	}
	const classify = `{"scopes": ["classify"]}`
	for _, test := range []struct {
		reason string
		maker  party
		body   string
		status int
	}{
		{"all that it has", party{"alice-key", ""}, `{"scopes": ["classify", "train", "admin", "act-for"]}`, 200},
		{"an admin gives what he has", makerOf("", `{"scopes": ["admin", "classify"]}`), classify, 200},
		{"an admin gives another what he has not", makerOf("", `{"scopes": ["admin"]}`), classify, 403},
		{"nor to himself", makerOf("", `{"scopes": ["admin", "classify"]}`), `{"scopes": ["admin", "train"]}`, 403},
		{"an operator's key, for a namespace", makerOf("team-a", `{"scopes": ["act-for", "classify", "train"]}`), classify, 200},
		{"an operator's key, for nobody in particular", makerOf("", `{"scopes": ["act-for", "classify", "train"]}`), classify, 403},
		{"an operator's key, for more than to classify", makerOf("team-a", `{"scopes": ["act-for", "classify", "train"]}`), `{"scopes": ["classify", "train"]}`, 403},
		{"an operator's key, another operator's", makerOf("team-a", `{"scopes": ["act-for", "classify"]}`), `{"scopes": ["act-for"]}`, 403},
		{"an operator's key that cannot classify itself", makerOf("team-a", `{"scopes": ["act-for", "train"]}`), classify, 403},
		{"longer than it lasts itself", makerOf("", fmt.Sprintf(`{"scopes": ["admin", "classify"], "expires_at": %d}`, soon)), classify, 403},
		{"a second longer", makerOf("", fmt.Sprintf(`{"scopes": ["admin", "classify"], "expires_at": %d}`, soon)), fmt.Sprintf(`{"scopes": ["classify"], "expires_at": %d}`, soon+1), 403},
		{"as long as it lasts itself", makerOf("", fmt.Sprintf(`{"scopes": ["admin", "classify"], "expires_at": %d}`, soon)), fmt.Sprintf(`{"scopes": ["classify"], "expires_at": %d}`, soon), 200},
	} {
		status, answer := s.requestOf(test.maker, "POST", "/v1/keys", "application/json", test.body)
		if status != test.status || status != 200 && !strings.HasPrefix(answer, `{"detail":"`) {
			t.Errorf("%s: %d %s, want %d", test.reason, status, answer, test.status)
		}
	}

	// Of the keys of a namespace, who acts for it sees those that he could have made.
	strong := s.createKey(party{"alice-key", "team-a"}, `{"scopes": ["train"]}`)
	operator := makerOf("team-a", `{"scopes": ["act-for", "classify"]}`)
	for _, method := range []string{"GET", "DELETE"} {
		if status, answer := s.requestOf(operator, method, "/v1/keys/"+strong.ID, "", ""); status != 404 {
			t.Errorf("%s of a key with another scope: %d %s", method, status, answer)
		}
	}
	_, answer := s.requestOf(operator, "GET", "/v1/keys", "", "")
	if seen := decoded[keys](t, answer); seen.Total != 1 || seen.Data[0].Tenant != "alice/team-a" {
		t.Errorf("keys of the namespace: %s; want the one to classify", answer)
	}
	if _, answer := s.requestOf(party{"alice-key", ""}, "GET", "/v1/keys", "", ""); !strings.Contains(answer, strong.ID) {
		t.Error("the admin above does not see the namespace's key")
	}
	if _, answer := s.requestOf(party{"bob-key", ""}, "GET", "/v1/keys", "", ""); !strings.Contains(answer, `"total":0`) {
		t.Errorf("another tenant's admin sees %s", answer)
	}
}

func TestCreateKeyRefuses(t *testing.T) {
	s := startServer(t, nil)
	for _, test := range []struct{ reason, body string }{
		{"no scope", `{"name": "x"}`},
		{"an empty list of scopes", `{"scopes": []}`},
		{"an unknown scope", `{"scopes": ["everything"]}`},
		{"an empty list of models: all, or none?", `{"scopes": ["classify"], "models": []}`},
		{"an empty ID", `{"scopes": ["classify"], "models": [""]}`},
		{"models of a key that does more", `{"scopes": ["classify", "train"], "models": ["ft:a"]}`},
		{"a name too long", `{"scopes": ["classify"], "name": "` + strings.Repeat("x", 257) + `"}`},
		{"a name that breaks lines", `{"scopes": ["classify"], "name": "a\nb"}`},
		{"expired already", `{"scopes": ["classify"], "expires_at": 1}`},
		{"a tenant of one's choice", `{"scopes": ["classify"], "tenant": "bob"}`},
		{"a secret of one's choice", `{"scopes": ["classify"], "key": "secret"}`},
	} {
		if status, answer := s.request("POST", "/v1/keys", test.body); status != 422 {
			t.Errorf("%s: %d %s", test.reason, status, answer)
		}
	}
	s.createKey(party{"alice-key", ""}, `{"scopes": ["classify"], "models": null, "expires_at": null, "name": "`+strings.Repeat("ä", 256)+`"}`)
}

// TestKeyExpires at its second, also one that was used just before.
func TestKeyExpires(t *testing.T) {
	clock := &movingClock{now: time.Unix(1_800_000_000, 0)}
	s := startServer(t, func(c *Config) { c.Clock = clock.Now })
	key := s.createKey(party{"alice-key", ""}, fmt.Sprintf(`{"scopes": ["classify"], "expires_at": %d}`, clock.Now().Add(time.Minute).Unix()))
	for _, test := range []struct {
		reason string
		pass   time.Duration
		status int
	}{
		{"new", 0, 200},
		{"nearly over", time.Minute - time.Millisecond, 200},
		{"over, though it is remembered", time.Millisecond, 401},
		{"long over", time.Hour, 401},
	} {
		clock.pass(test.pass)
		if status, answer := s.requestOf(party{key.Key, ""}, "GET", "/v1/models", "", ""); status != test.status {
			t.Errorf("%s: %d %s, want %d", test.reason, status, answer, test.status)
		}
	}
}

// TestLastUse is known soon, to the minute.
func TestLastUse(t *testing.T) {
	clock := &movingClock{now: time.Unix(1_800_000_000, 0)}
	s := startServer(t, func(c *Config) { c.Clock = clock.Now })
	key := s.createKey(party{"alice-key", ""}, `{"scopes": ["classify"]}`)
	use := func() { s.requestOf(party{key.Key, ""}, "GET", "/v1/models", "", "") }
	awaitUse := func(want int64) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			_, answer := s.request("GET", "/v1/keys/"+key.ID, "")
			if at := decoded[createdKey](t, answer).LastUsedAt; at != nil && *at == want {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s; want last_used_at %d", answer, want)
			}
		}
	}
	first := clock.Now().Unix()
	use()
	awaitUse(first)
	clock.pass(59 * time.Second)
	use()
	use()
	awaitUse(first) // not written again
	clock.pass(time.Second)
	use()
	awaitUse(first + 60)
}

// TestSignedURLsEndWithTheirKey, of whatever kind, and do what it can in the namespace
// that it acted for.
func TestSignedURLsEndWithTheirKey(t *testing.T) {
	clock := &movingClock{now: time.Unix(1_800_000_000, 0)}
	s := startServer(t, func(c *Config) { c.Clock = clock.Now })
	alice, acting := party{"alice-key", ""}, party{"alice-key", "team-a"}
	sign := func(p party) string {
		t.Helper()
		file := uploadAs(t, s.clientOf(p), "a.jsonl", intents(2))
		status, answer := s.requestOf(p, "GET", "/v1/files/"+file.ID+"/url", "", "")
		if status != 200 || strings.Contains(answer, p.key) {
			t.Fatalf("sign: %d %s; want a URL without the key", status, answer)
		}
		return decoded[mistral.SignedURL](t, answer).URL
	}
	get := func(url string) int {
		t.Helper()
		response, err := s.http.Client().Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body)
		return response.StatusCode
	}
	revoked := s.createKey(alice, `{"scopes": ["train"]}`)
	expiring := s.createKey(alice, fmt.Sprintf(`{"scopes": ["train"], "expires_at": %d}`, clock.Now().Add(time.Minute).Unix()))
	urls := map[string]string{
		"of the file of keys":        sign(alice),
		"of a namespace":             sign(acting),
		"of a key that is revoked":   sign(party{revoked.Key, ""}),
		"of a key that has expired":  sign(party{expiring.Key, ""}),
		"of another tenant that has": sign(party{"bob-key", ""}),
	}
	want := func(ended ...string) {
		t.Helper()
		for name, url := range urls {
			expected := 200
			for _, one := range ended {
				if one == name {
					expected = 403
				}
			}
			if status := get(url); status != expected {
				t.Errorf("URL %s: %d, want %d", name, status, expected)
			}
		}
	}
	want()
	if status := get(strings.Replace(urls["of a namespace"], "namespace=team-a", "namespace=team-b", 1)); status != 403 {
		t.Errorf("another namespace: %d", status)
	}
	if status := get(strings.Replace(urls["of a key that is revoked"], revoked.ID, expiring.ID, 1)); status != 403 {
		t.Errorf("another key: %d", status)
	}
	if status, _ := s.requestOf(alice, "DELETE", "/v1/keys/"+revoked.ID, "", ""); status != 200 {
		t.Error("not revoked")
	}
	want("of a key that is revoked")
	clock.pass(time.Minute)
	want("of a key that is revoked", "of a key that has expired")
	less := api.NewKey("alice", "alice-key")
	less.Scopes = store.ScopeTrain
	s.factory.SetAPIKeys([]api.Key{less, api.NewKey("bob", "bob-key")})
	want("of a key that is revoked", "of a key that has expired", "of a namespace") // for which it acts no more
	s.factory.SetAPIKeys([]api.Key{api.NewKey("bob", "bob-key")})
	want("of a key that is revoked", "of a key that has expired", "of a namespace", "of the file of keys")
}

// TestSecretsAreNowhere: of what a key opens, the answer that made it alone has it.
func TestSecretsAreNowhere(t *testing.T) {
	var logs safeBuffer
	s := startServer(t, func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	acting := party{"alice-key", "secret-namespace"}
	key := s.createKey(acting, `{"name": "secret-name", "scopes": ["classify"]}`)
	var said strings.Builder
	say := func(p party, method, path, body string) {
		_, answer := s.requestOf(p, method, path, "application/json", body)
		said.WriteString(strings.ReplaceAll(answer, "Invalid model: "+key.Key, "")) // as the client named it
	}
	for _, p := range []party{{key.Key, ""}, {key.Key + "x", ""}, {strings.ToUpper(key.Key), ""}} {
		say(p, "GET", "/v1/models", "")
		say(p, "GET", "/v1/files", "")
		say(p, "POST", "/v1/keys", `{"scopes": ["classify"], "name": "`+key.Key+`", "more": 1}`)
		say(p, "POST", "/v1/classifications", `{"model": "`+key.Key+`", "input": "x"}`)
	}
	say(acting, "GET", "/v1/keys", "")
	say(acting, "GET", "/v1/keys/"+key.ID, "")
	say(acting, "DELETE", "/v1/keys/"+key.ID, "")
	say(party{key.Key, ""}, "GET", "/v1/models", "")

	recorder := httptest.NewRecorder()
	s.factory.MetricsHandler().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	s.close()
	defer s.open() // for the end of the test
	stored := map[string]string{"answers": said.String(), "metrics": recorder.Body.String(), "log": logs.String()}
	err := filepath.WalkDir(s.config.Directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		stored[path] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for place, content := range stored {
		if strings.Contains(content, key.Key) || strings.Contains(content, key.Key[4:]) {
			t.Errorf("%s: the secret is there", place)
		}
	}
	for _, place := range []string{"metrics", "log"} {
		for _, name := range []string{"alice", "secret-namespace", "secret-name"} {
			if strings.Contains(stored[place], name) {
				t.Errorf("%s: %q is there", place, name)
			}
		}
	}
}

// safeBuffer may be written to by several at a time.
type safeBuffer struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (b *safeBuffer) Write(data []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.Write(data)
}

func (b *safeBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.String()
}

// TestKeysOfAnotherProcess are taken at once, and those that it revokes refused when no
// request can be answered from memory.
func TestKeysOfAnotherProcess(t *testing.T) {
	clock := &movingClock{now: time.Unix(1_800_000_000, 0)}
	s := startServer(t, func(c *Config) { c.Clock = clock.Now })
	beside, err := OpenKeys(context.Background(), s.location(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = beside.Close() }()
	created, secret, err := beside.CreateKey(t.Context(), Key{Tenant: "alice", Scopes: store.ScopeClassify}, clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := s.requestOf(party{secret, ""}, "GET", "/v1/models", "", ""); status != 200 {
		t.Errorf("created: %d", status)
	}
	if err := beside.RevokeKey(t.Context(), created.ID, KeyFilter{}); err != nil {
		t.Fatal(err)
	}
	clock.pass(api.KeyLifetime)
	if status, _ := s.requestOf(party{secret, ""}, "GET", "/v1/models", "", ""); status != 401 {
		t.Errorf("revoked: %d", status)
	}
}
