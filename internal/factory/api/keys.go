package api

import (
	"errors"
	"net/http"
	"strings"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

const (
	noSuchKey = "No key matches the given query."
	objectKey = "key"
)

// keyRequest is a body of POST /v1/keys.
type keyRequest struct {
	Name      string   `json:"name"`
	Scopes    []string `json:"scopes"`
	Models    []string `json:"models"`
	ExpiresAt *int64   `json:"expires_at"`
}

// keyView is how a key is shown.
type keyView struct {
	ID         string   `json:"id"`
	Object     string   `json:"object"`
	Name       string   `json:"name"`
	Scopes     []string `json:"scopes"`
	Models     []string `json:"models"` // null: all
	Tenant     string   `json:"tenant"`
	CreatedAt  int64    `json:"created_at"`
	ExpiresAt  *int64   `json:"expires_at"`
	LastUsedAt *int64   `json:"last_used_at"`
	Key        string   `json:"key,omitempty"` // the secret, when it is created
}

func viewOf(k *store.Key) keyView {
	return keyView{ID: k.ID, Object: objectKey, Name: k.Name, Scopes: k.Scopes.Names(), Models: k.Models, Tenant: k.Tenant,
		CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, LastUsedAt: k.LastUsedAt}
}

// createKey gives nobody more than who asks for the key has.
func (s *Server) createKey(r *http.Request, tenant string) (any, error) {
	maker := callerOf(r.Context())
	if _, err := keysOf(maker); err != nil {
		return nil, err
	}
	key, err := readKeyRequest(r)
	if err != nil {
		return nil, err
	}
	switch {
	case !maker.scopes.Include(key.Scopes):
		return nil, forbidden("The key has not every scope that the new one is to have; it can give %s.", strings.Join(maker.scopes.Names(), ", "))
	case !maker.scopes.Any(store.ScopeAdmin) && key.Scopes != store.ScopeClassify:
		return nil, forbidden("A key without the scope admin can make keys with the scope classify alone.")
	case maker.expiresAt != nil && (key.ExpiresAt == nil || *key.ExpiresAt > *maker.expiresAt):
		return nil, forbidden("The key expires at %d, and a key that it makes must not last longer: give it an expires_at.", *maker.expiresAt)
	}
	key.Tenant = tenant
	created, secret, err := s.store.CreateKey(r.Context(), key, s.now())
	if invalid, ok := errors.AsType[*store.KeyError](err); ok {
		return nil, invalidValue(invalid.Message, invalid.Field)
	}
	if err != nil {
		return nil, overQuota(err)
	}
	answer := viewOf(&created)
	answer.Key = secret
	return answer, nil
}

func readKeyRequest(r *http.Request) (store.Key, error) {
	var request keyRequest
	if err := decodeBody(r, &request, closedObject); err != nil {
		return store.Key{}, err
	}
	scopes, err := store.ParseScopes(request.Scopes)
	if err != nil {
		return store.Key{}, invalidValue("Input should be a list of classify, train, admin or act-for, at least one.", "scopes")
	}
	return store.Key{Name: request.Name, Scopes: scopes, Models: request.Models, ExpiresAt: request.ExpiresAt}, nil
}

// keysOf selects the keys that a caller has a say in.
func keysOf(c *caller) (store.KeyFilter, error) {
	switch {
	case c.scopes.Any(store.ScopeAdmin):
		return store.KeyFilter{Tenant: c.tenant, Below: true}, nil
	case c.namespace != "":
		return store.KeyFilter{Tenant: c.tenant, Scopes: store.ScopeClassify}, nil
	}
	return store.KeyFilter{}, forbidden("A key without the scope admin has a say in the keys of a namespace that it acts for; name it in the header %s.", actForHeader)
}

// keyOfPath selects the one that a path names.
func keyOfPath(r *http.Request) (store.KeyFilter, error) {
	filter, err := keysOf(callerOf(r.Context()))
	filter.ID, filter.Size = r.PathValue("key_id"), 1
	return filter, err
}

type keyList struct {
	Object string    `json:"object"`
	Data   []keyView `json:"data"`
	Total  int64     `json:"total"`
}

func (s *Server) listKeys(r *http.Request, _ string) (any, error) {
	filter, err := keysOf(callerOf(r.Context()))
	if err != nil {
		return nil, err
	}
	q := newQuery(r)
	filter.Page, filter.Name = q.page(), q.values.Get("name")
	if q.problem != nil {
		return nil, q.problem
	}
	keys, total, err := s.store.Keys(r.Context(), filter)
	list := keyList{Object: "list", Data: make([]keyView, len(keys)), Total: total}
	for i := range keys {
		list.Data[i] = viewOf(&keys[i])
	}
	return list, err
}

func (s *Server) getKey(r *http.Request, _ string) (any, error) {
	filter, err := keyOfPath(r)
	if err != nil {
		return nil, err
	}
	keys, _, err := s.store.Keys(r.Context(), filter)
	switch {
	case err != nil:
		return nil, err
	case len(keys) == 0:
		return nil, notFoundAs(store.ErrNotFound, noSuchKey)
	}
	return viewOf(&keys[0]), nil
}

type deletedKey struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Deleted bool   `json:"deleted"`
}

// deleteKey revokes a key: the next request with it is refused.
func (s *Server) deleteKey(r *http.Request, _ string) (any, error) {
	filter, err := keyOfPath(r)
	if err != nil {
		return nil, err
	}
	err = s.store.RevokeKey(r.Context(), filter.ID, filter)
	s.storedKeys.forget() // even if it seems to have failed
	return deletedKey{ID: filter.ID, Object: objectKey, Deleted: true}, notFoundAs(err, noSuchKey)
}
