package factory

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

// APIKey is a key that a tenant may use, as its hash. A tenant may have several,
// so that keys can be exchanged without an interruption.
type APIKey struct {
	Tenant string
	Hash   [sha256.Size]byte
}

// NewAPIKey hashes a tenant's key. SHA-256 without a salt is enough for keys
// that are random, as API keys are.
func NewAPIKey(tenant, key string) APIKey {
	return APIKey{Tenant: tenant, Hash: sha256.Sum256([]byte(key))}
}

// ReadAPIKeys reads one key a line, as tenant:hex SHA-256 of the key. Empty lines
// and those that start with # are skipped.
func ReadAPIKeys(r io.Reader) ([]APIKey, error) {
	var keys []APIKey
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

func parseAPIKey(line string) (APIKey, error) {
	tenant, digest, _ := strings.Cut(line, ":")
	hash, err := hex.DecodeString(strings.TrimSpace(digest))
	if tenant == "" || err != nil || len(hash) != sha256.Size {
		return APIKey{}, fmt.Errorf("not tenant:hash, where hash is the key's SHA-256 in %d hexadecimal digits", 2*sha256.Size)
	}
	return APIKey{Tenant: tenant, Hash: [sha256.Size]byte(hash)}, nil
}

// SetAPIKeys replaces the keys that are accepted, while requests are served.
func (f *Factory) SetAPIKeys(keys []APIKey) {
	f.keys.Store(&keys)
}

// authenticated finds the tenant whose key the request carries, and holds it to
// its limits.
func (f *Factory) authenticated(next func(http.ResponseWriter, *http.Request, string)) http.Handler {
	next = f.limited(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tenant, ok := f.authenticate(r)
		if !ok {
			f.fail(w, r, errUnauthorized)
			return
		}
		next(w, r, tenant)
	})
}

// DefaultTenant owns everything where no key is asked for.
const DefaultTenant = "default"

// authenticate compares with every key in the same time, whichever matches.
func (f *Factory) authenticate(r *http.Request) (tenant string, ok bool) {
	if f.config.InsecureNoAuth {
		return DefaultTenant, true
	}
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	presented := sha256.Sum256([]byte(strings.TrimSpace(key)))
	for _, known := range *f.keys.Load() {
		if subtle.ConstantTimeCompare(presented[:], known.Hash[:]) == 1 {
			tenant, ok = known.Tenant, true
		}
	}
	return tenant, ok
}
