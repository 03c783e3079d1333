package mistral

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestKeyRoutes(t *testing.T) {
	const minted = "cfk_aVeryRandomSecretThatNobodyKnows"
	shown := `{"id":"k1","name":"a b","scopes":["classify"],"models":["m"]`
	for _, test := range []struct {
		reason string
		call   func(context.Context, *Client) error
		want   string // method and request URI
		body   string
		answer string
		fails  bool
	}{
		{"a key is made for a model", func(ctx context.Context, c *Client) error {
			created, err := c.CreateKey(ctx, CreateKeyRequest{Name: "a b", Scopes: []string{ScopeClassify}, Models: []string{"m"}})
			if err == nil && (string(created.Key.Bytes()) != minted || created.ID != "k1") {
				t.Errorf("created %+v", created)
			}
			if text := fmt.Sprintf("%+v %#v", created, created); strings.Contains(text, minted) {
				t.Errorf("the key is shown: %s", text)
			}
			return err
		}, "POST /v1/keys", `{"name":"a b","scopes":["classify"],"models":["m"]}`, shown + `,"key":"` + minted + `"}`, false},
		{"an answer without the key is none", func(ctx context.Context, c *Client) error {
			_, err := c.CreateKey(ctx, CreateKeyRequest{Name: "a b", Scopes: []string{ScopeClassify}})
			if !OutcomeUnknown(err) {
				t.Errorf("the outcome is known: %v", err)
			}
			return err
		}, "POST /v1/keys", `{"name":"a b","scopes":["classify"]}`, shown + `}`, true},
		{"keys are found by their name", func(ctx context.Context, c *Client) error {
			list, err := c.ListKeys(ctx, KeyFilter{Name: "a b"})
			if err == nil && (len(list.Data) != 1 || list.Data[0].Name != "a b") {
				t.Errorf("listed %+v", list)
			}
			return err
		}, "GET /v1/keys?name=a+b", "", `{"object":"list","data":[` + shown + `}],"total":1}`, false},
		{"a key that nobody recognises is not overlooked", func(ctx context.Context, c *Client) error {
			_, err := c.ListKeys(ctx, KeyFilter{Name: "a b"})
			return err
		}, "GET /v1/keys?name=a+b", "", `{"object":"list","data":[{"id":"k1","name":null}],"total":1}`, true},
		{"a key is revoked", func(ctx context.Context, c *Client) error { return c.RevokeKey(ctx, "k1") },
			"DELETE /v1/keys/k1", "", `{"id":"k1","object":"key","deleted":true}`, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			client := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if got := r.Method + " " + r.RequestURI; got != test.want {
					t.Errorf("request is %s, want %s", got, test.want)
				}
				expectBody(t, r, test.body)
				answering(http.StatusOK, test.answer)(w, r)
			})
			err := test.call(t.Context(), client)
			if (err != nil) != test.fails {
				t.Errorf("it fails: %t, want %t: %v", err != nil, test.fails, err)
			}
			if err != nil && strings.Contains(err.Error(), minted) {
				t.Errorf("the key is shown: %v", err)
			}
		})
	}
}

// TestNamespaceIsNamed holds that every call says for whom it asks, and none for nobody.
func TestNamespaceIsNamed(t *testing.T) {
	for _, namespace := range []string{"", "team-a"} {
		got := make(chan []string, 1)
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			got <- r.Header.Values("Factory-Act-For")
			answering(http.StatusOK, `{"object":"list","data":[]}`)(w, r)
		})
		client, err := NewClient(Config{BaseURL: server.base.String(), Key: NewKey(testKey), Namespace: namespace})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.ListModels(t.Context()); err != nil {
			t.Fatal(err)
		}
		if named := strings.Join(<-got, ","); named != namespace {
			t.Errorf("it is asked for %q, want %q", named, namespace)
		}
	}
}
