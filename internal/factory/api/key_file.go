package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// Key is a key that a tenant may use, as its hash. A tenant may have several,
// so that keys can be exchanged without an interruption.
type Key struct {
	Tenant string
	Scopes store.Scopes
	Hash   [sha256.Size]byte
}

// NewKey hashes a tenant's key, which has every scope. SHA-256 without a salt is enough
// for keys that are random, as API keys are.
func NewKey(tenant, key string) Key {
	return Key{Tenant: tenant, Scopes: store.AllScopes, Hash: sha256.Sum256([]byte(key))}
}

// ReadKeys reads one key a line, as tenant:hash or tenant:scopes:hash. The hash is last, so
// that a line that was cut off never means more than the whole one. Empty lines and those
// that start with # are skipped, but for one that says how many keys there are.
func ReadKeys(r io.Reader) ([]Key, error) {
	content, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var keys []Key
	counted := -1
	for i, line := range strings.Split(string(content), "\n") {
		line = strings.TrimSpace(line)
		if count, ok := strings.CutPrefix(line, keyCount); ok {
			if counted, err = parseKeyCount(count, counted); err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, err := parseAPIKey(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		keys = append(keys, key)
	}
	switch {
	case counted >= 0 && counted != len(keys):
		return nil, fmt.Errorf("%d keys, but a line says %q: the file is not whole, or that line not up to date", len(keys), keyCount+" "+strconv.Itoa(counted))
	case len(keys) == 0 && counted != 0:
		return nil, fmt.Errorf("no keys: a file that is meant to have none says %q", keyCount+" 0")
	}
	return keys, nil
}

// keyCount begins the line that says how many keys a file has.
const keyCount = "# keys:"

// HasKeyCount reports whether a file of keys says how many it has.
func HasKeyCount(content []byte) bool {
	return bytes.HasPrefix(content, []byte(keyCount)) || bytes.Contains(content, []byte("\n"+keyCount))
}

func parseKeyCount(text string, before int) (int, error) {
	if before >= 0 {
		return 0, errors.New("the number of keys is said twice")
	}
	count, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || count < 0 {
		return 0, fmt.Errorf("not a number of keys, such as %q", keyCount+" 12")
	}
	return count, nil
}

func parseAPIKey(line string) (Key, error) {
	tenant, rest, _ := strings.Cut(line, ":")
	scopes, digest, scoped := strings.Cut(rest, ":")
	if !scoped {
		digest = rest
	}
	hash, err := hex.DecodeString(strings.TrimSpace(digest))
	if tenant == "" || err != nil || len(hash) != sha256.Size {
		return Key{}, fmt.Errorf("not tenant:hash or tenant:scopes:hash, where hash is the key's SHA-256 in %d hexadecimal digits", 2*sha256.Size)
	}
	key := Key{Tenant: tenant, Scopes: store.AllScopes, Hash: [sha256.Size]byte(hash)}
	if hashesOfNothing()[key.Hash] {
		return Key{}, errors.New("this is the SHA-256 of nothing, so that there is no key; was the variable or file empty that it was made of?")
	}
	if scoped {
		if key.Scopes, err = parseScopes(scopes); err != nil {
			return Key{}, err
		}
	}
	return key, nil
}

func parseScopes(list string) (store.Scopes, error) {
	names := strings.Split(list, ",")
	for i, name := range names {
		names[i] = strings.TrimSpace(name)
	}
	return store.ParseScopes(names)
}

// hashesOfNothing are those of up to four bytes of white space: what comes of hashing a
// variable or file that is empty, with or without an end of line.
var hashesOfNothing = sync.OnceValue(func() map[[sha256.Size]byte]bool {
	hashes := map[[sha256.Size]byte]bool{}
	texts := []string{""}
	for range 5 {
		var longer []string
		for _, text := range texts {
			hashes[sha256.Sum256([]byte(text))] = true
			for _, space := range []string{" ", "\t", "\n", "\r"} {
				longer = append(longer, text+space)
			}
		}
		texts = longer
	}
	return hashes
})
