package api

import (
	"bufio"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Key is a key that a tenant may use, as its hash. A tenant may have several,
// so that keys can be exchanged without an interruption.
type Key struct {
	Tenant string
	Hash   [sha256.Size]byte
}

// NewKey hashes a tenant's key. SHA-256 without a salt is enough for keys
// that are random, as API keys are.
func NewKey(tenant, key string) Key {
	return Key{Tenant: tenant, Hash: sha256.Sum256([]byte(key))}
}

// ReadKeys reads one key a line, as tenant:hex SHA-256 of the key. Empty lines
// and those that start with # are skipped.
func ReadKeys(r io.Reader) ([]Key, error) {
	var keys []Key
	lines := bufio.NewScanner(r)
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, err := parseAPIKey(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		keys = append(keys, key)
	}
	return keys, lines.Err()
}

func parseAPIKey(line string) (Key, error) {
	tenant, digest, _ := strings.Cut(line, ":")
	hash, err := hex.DecodeString(strings.TrimSpace(digest))
	if tenant == "" || err != nil || len(hash) != sha256.Size {
		return Key{}, fmt.Errorf("not tenant:hash, where hash is the key's SHA-256 in %d hexadecimal digits", 2*sha256.Size)
	}
	return Key{Tenant: tenant, Hash: [sha256.Size]byte(hash)}, nil
}

// SetKeys replaces the keys that are accepted, while requests are served.
func (s *Server) SetKeys(keys []Key) {
	s.keys.Store(&keys)
}

// authenticated finds the tenant whose key the request carries, and holds it to
// its limits.
func (s *Server) authenticated(next func(http.ResponseWriter, *http.Request, string)) http.Handler {
	next = s.limited(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tenant, ok := s.authenticate(r)
		if !ok {
			s.fail(w, r, errUnauthorized)
			return
		}
		next(w, r, tenant)
	})
}

// DefaultTenant owns everything where no key is asked for.
const DefaultTenant = "default"

// authenticate compares with every key in the same time, whichever matches.
func (s *Server) authenticate(r *http.Request) (tenant string, ok bool) {
	if s.config.InsecureNoAuth {
		return DefaultTenant, true
	}
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	presented := sha256.Sum256([]byte(strings.TrimSpace(key)))
	for _, known := range *s.keys.Load() {
		if subtle.ConstantTimeCompare(presented[:], known.Hash[:]) == 1 {
			tenant, ok = known.Tenant, true
		}
	}
	return tenant, ok
}
