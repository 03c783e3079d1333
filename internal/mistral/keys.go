package mistral

import (
	"context"
	"net/http"
	"net/url"
	"slices"
)

// ScopeClassify is the scope of a key that may classify, and nothing else.
const ScopeClassify = "classify"

// The hosted service has no keys of this kind: there every call of this file answers 404.

// CreateKeyRequest asks for a key.
type CreateKeyRequest struct {
	Name   string   `json:"name"`
	Scopes []string `json:"scopes"`
	Models []string `json:"models,omitempty"` // none: all
	// ExpiresAt is from when on it is refused; nil: never.
	ExpiresAt *int64 `json:"expires_at,omitempty"`
}

// KeyInfo is what a server shows of a key, which is not the key itself.
type KeyInfo struct {
	ID     string       `json:"id"`
	Name   string       `json:"name"`
	Scopes List[string] `json:"scopes"`
	Models []string     `json:"models"` // null: all
	Tenant string       `json:"tenant"`
	// Unix seconds. Nil: never.
	CreatedAt  int64  `json:"created_at"`
	ExpiresAt  *int64 `json:"expires_at"`
	LastUsedAt *int64 `json:"last_used_at"` // to the minute
}

// CreatedKey answers a key's creation. Nobody learns the key itself again.
type CreatedKey struct {
	KeyInfo
	Key Key `json:"key"`
}

// KeyList is a page of keys.
type KeyList struct {
	Object string        `json:"object"`
	Data   List[KeyInfo] `json:"data"`
	Total  int64         `json:"total"`
}

// DeletedKey answers a key's revocation.
type DeletedKey struct {
	ID string `json:"id"`
}

func (k *CreatedKey) complete() bool {
	return k.ID != "" && k.Key != (Key{}) && k.Key.Validate() == nil
}
func (k *DeletedKey) complete() bool { return k.ID != "" }

// complete asks for what a key is recognised by, too: one that is overlooked goes on
// opening what it should not.
func (l *KeyList) complete() bool {
	unknown := func(key KeyInfo) bool { return key.ID == "" || key.Name == "" }
	return (l.Data != nil || l.Object == ObjectList) && !slices.ContainsFunc(l.Data, unknown)
}

// CreateKey makes a key.
func (c *Client) CreateKey(ctx context.Context, create CreateKeyRequest) (*CreatedKey, error) {
	return send[CreatedKey](ctx, c, request{
		operation: "CreateKey",
		method:    http.MethodPost,
		path:      []string{"keys"},
		body:      create,
	})
}

// KeyFilter selects keys. Zero values select all, and the first page.
type KeyFilter struct {
	Name     string
	Page     int
	PageSize int
}

func (f KeyFilter) query() url.Values {
	query := pageQuery(f.Page, f.PageSize)
	setQuery(query, "name", f.Name)
	return query
}

// ListKeys returns a page of the keys.
func (c *Client) ListKeys(ctx context.Context, filter KeyFilter) (*KeyList, error) {
	return send[KeyList](ctx, c, request{
		operation: "ListKeys",
		method:    http.MethodGet,
		path:      []string{"keys"},
		query:     filter.query(),
	})
}

// RevokeKey lets a key open nothing from now on.
func (c *Client) RevokeKey(ctx context.Context, id string) error {
	_, err := send[DeletedKey](ctx, c, request{
		operation: "RevokeKey",
		method:    http.MethodDelete,
		path:      []string{"keys", id},
	})
	return err
}
