package api

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// DefaultTenant owns everything where no key is asked for.
const DefaultTenant = "default"

// actForHeader names the namespace for which a key asks that has the scope for it. Of
// others it is ignored, as the hosted service does.
const actForHeader = "Factory-Act-For"

// namespaces are DNS labels, as those of Kubernetes.
var namespaces = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// caller is who makes a request: a key, and in whose name it asks.
type caller struct {
	keyID     string // tells a key from others, and nothing of its secret; none where no key is asked for
	tenant    string // as acted for
	namespace string // that is acted for, if one is
	scopes    store.Scopes
	models    []string // that it may classify with; nil: all
	expiresAt *int64   // nil: never
}

// actFor is the caller in a namespace's name.
func (c *caller) actFor(namespace string) *caller {
	acting := *c
	acting.tenant, acting.namespace = store.Namespace(c.tenant, namespace), namespace
	return &acting
}

// mayUse reports whether the caller may classify with a model.
func (c *caller) mayUse(model string) bool {
	return c.models == nil || slices.Contains(c.models, model)
}

type callerKey struct{}

// callerOf is who makes a request that was admitted. Any other is nobody's, who has nothing.
func callerOf(ctx context.Context) *caller {
	if found, ok := ctx.Value(callerKey{}).(*caller); ok {
		return found
	}
	return &caller{models: []string{}}
}

// heldKeys are those of the file and the environment.
type heldKeys struct {
	byHash map[[sha256.Size]byte]*caller
	byID   map[string]*caller
}

// SetKeys replaces the keys of the file and the environment, while requests are served.
func (s *Server) SetKeys(keys []Key) {
	held := &heldKeys{byHash: map[[sha256.Size]byte]*caller{}, byID: map[string]*caller{}}
	for _, key := range keys {
		mac := hmac.New(sha256.New, s.config.SigningKey)
		mac.Write(key.Hash[:])
		known := &caller{keyID: hex.EncodeToString(mac.Sum(nil)[:16]), tenant: key.Tenant, scopes: key.Scopes}
		held.byHash[key.Hash], held.byID[known.keyID] = known, known
	}
	s.keys.Store(held)
}

// admitted lets those pass who have one of the scopes, and remembers who they are. A route
// without a scope asks for no key.
func (s *Server) admitted(scopes store.Scopes, next http.Handler) http.Handler {
	if scopes == store.NoScope {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found, err := s.authenticate(r)
		if err == nil && !found.scopes.Any(scopes) {
			err = lacksScope(scopes)
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, found)))
	})
}

func lacksScope(scopes store.Scopes) error {
	return forbidden("The key has not the scope %s, which this needs.", strings.Join(scopes.Names(), " or "))
}

func forbidden(format string, arguments ...any) error {
	return &problem{Status: http.StatusForbidden, Detail: fmt.Sprintf(format, arguments...)}
}

// authenticated passes the tenant on in whose name is asked, and holds it to its limits.
func (s *Server) authenticated(next func(http.ResponseWriter, *http.Request, string)) http.Handler {
	next = s.limited(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next(w, r, callerOf(r.Context()).tenant)
	})
}

// authenticate finds the key that the request carries, and in whose name it asks.
func (s *Server) authenticate(r *http.Request) (*caller, error) {
	found, err := s.keyOf(r)
	if err != nil {
		return nil, err
	}
	named := r.Header.Values(actForHeader)
	if len(named) == 0 || !found.scopes.Any(store.ScopeActFor) {
		return found, nil
	}
	if len(named) > 1 || !namespaces.MatchString(named[0]) {
		return nil, &problem{Status: http.StatusBadRequest, Detail: "The header " + actForHeader + " must name one namespace, which is a DNS label: at most 63 lower-case letters, digits and hyphens."}
	}
	return found.actFor(named[0]), nil
}

// keyOf looks the key up by its hash. That takes as long for a wrong one as for a right
// one, or if not, tells of the hash alone, which is of no use to a guesser.
func (s *Server) keyOf(r *http.Request) (*caller, error) {
	if s.config.InsecureNoAuth {
		return s.anybody(), nil
	}
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	secret = strings.TrimSpace(secret)
	if !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return nil, errUnauthorized
	}
	hash := sha256.Sum256([]byte(secret))
	if held, ok := s.keys.Load().byHash[hash]; ok {
		return held, nil
	}
	found, err := s.storedKeys.find(r.Context(), secret, hash, s.now())
	if err != nil {
		return nil, unauthorizedIfNone(err)
	}
	return s.usable(&found)
}

// anybody is who asks where no key is asked for.
func (s *Server) anybody() *caller {
	return &caller{tenant: DefaultTenant, scopes: store.AllScopes}
}

// usable is the caller of a key of the store that has not expired.
func (s *Server) usable(key *store.Key) (*caller, error) {
	now := s.now()
	if key.Expired(now) {
		return nil, errUnauthorized
	}
	s.uses.note(key, now)
	return &caller{keyID: key.ID, tenant: key.Tenant, scopes: key.Scopes, models: key.Models, expiresAt: key.ExpiresAt}, nil
}

// keyOfID finds a key that is valid still, by what tells it from others.
func (s *Server) keyOfID(ctx context.Context, id string) (*caller, error) {
	if s.config.InsecureNoAuth && id == "" {
		return s.anybody(), nil
	}
	if held, ok := s.keys.Load().byID[id]; ok {
		return held, nil
	}
	found, err := s.store.KeyOfAnyTenant(ctx, id)
	if err != nil {
		return nil, unauthorizedIfNone(err)
	}
	return s.usable(&found)
}

func unauthorizedIfNone(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return errUnauthorized
	}
	return err
}
