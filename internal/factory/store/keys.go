package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
)

// Bounds of keys.
const (
	maxKeys         = 10_000 // of a tenant
	maxKeyName      = 256    // characters
	maxKeyModels    = 1000
	maxModelIDBytes = 256
)

const keyColumns = `id, tenant, name, scopes, models, created_at, expires_at, last_used_at`

// Key is a key as it is stored: without its secret, of which there is a hash alone.
type Key struct {
	ID         string
	Tenant     string
	Name       string
	Scopes     Scopes
	Models     []string // that it may classify with; nil: all
	CreatedAt  int64
	ExpiresAt  *int64 // nil: never
	LastUsedAt *int64 // nil: never; else to the minute
}

// fields are where keyColumns are read from and written to.
func (k *Key) fields() []any {
	return []any{&k.ID, &k.Tenant, &k.Name, &k.Scopes, asJSON(&k.Models), &k.CreatedAt, &k.ExpiresAt, &k.LastUsedAt}
}

func scanKey(r row) (k Key, err error) {
	err = r.Scan(k.fields()...)
	return k, err
}

// Expired reports whether a key is too old.
func (k *Key) Expired(now time.Time) bool { return k.ExpiresAt != nil && now.Unix() >= *k.ExpiresAt }

// KeyError says which part of a new key cannot be so.
type KeyError struct{ Field, Message string }

func (e *KeyError) Error() string { return e.Field + ": " + e.Message }

// check refuses a key that could not be meant.
func (k *Key) check(now time.Time) error {
	hasControls := func(text string) bool { return strings.ContainsFunc(text, unicode.IsControl) }
	switch {
	case k.Tenant == "" || hasControls(k.Tenant):
		return &KeyError{"tenant", "A tenant has a name, without control characters."}
	case utf8.RuneCountInString(k.Name) > maxKeyName || hasControls(k.Name):
		return &KeyError{"name", "A name has at most 256 characters, and no control characters."}
	case k.Scopes == NoScope:
		return &KeyError{"scopes", "At least one scope is needed."}
	case k.Models != nil && k.Scopes != ScopeClassify:
		return &KeyError{"models", "Only a key whose one scope is classify can be bound to models."}
	case k.Models != nil && (len(k.Models) == 0 || len(k.Models) > maxKeyModels):
		return &KeyError{"models", "A key is bound to 1 to 1000 models, or to none in particular."}
	case slices.ContainsFunc(k.Models, func(id string) bool { return id == "" || len(id) > maxModelIDBytes || hasControls(id) }):
		return &KeyError{"models", "A model is named by its ID."}
	case k.Expired(now):
		return &KeyError{"expires_at", "A key must expire in the future."}
	}
	return nil
}

// secretPrefix lets people and scanners of secrets know what they have found.
const secretPrefix = "cfk_"

// secretBytes is how much chance is in a secret. With 256 bits nobody can go through
// them all, however fast the hash: a slow one, or a salt, would protect passwords.
const secretBytes = 32

var secretLength = len(secretPrefix) + base64.RawURLEncoding.EncodedLen(secretBytes)

func newSecret() string {
	random := make([]byte, secretBytes)
	_, _ = rand.Read(random) // it never fails
	return secretPrefix + base64.RawURLEncoding.EncodeToString(random)
}

// CreateKey stores a new key, and returns it with its secret, which nobody will learn again.
func (s *Store) CreateKey(ctx context.Context, k Key, now time.Time) (Key, string, error) {
	if err := k.check(now); err != nil {
		return Key{}, "", err
	}
	secret := newSecret()
	hash := sha256.Sum256([]byte(secret))
	k.ID, k.CreatedAt, k.LastUsedAt = uuid.NewString(), now.Unix(), nil
	err := s.write(ctx, func(tx *sql.Tx) error {
		var keys int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM keys WHERE tenant = $1`, k.Tenant).Scan(&keys); err != nil {
			return err
		}
		if keys >= maxKeys {
			return newQuotaError("There are %d keys, which is the limit. Revoke some first.", keys)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO keys (`+keyColumns+`, hash) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)`, append(k.fields(), hash[:])...)
		return err
	})
	return k, secret, err
}

// KeyOfSecret finds the key of a secret, expired or not. The time that it takes tells
// nothing: where in the index a hash is looked for, cannot be chosen by whoever sends a
// secret. What cannot be one costs no look.
func (s *Store) KeyOfSecret(ctx context.Context, secret string) (Key, error) {
	if len(secret) != secretLength || !strings.HasPrefix(secret, secretPrefix) {
		return Key{}, ErrNotFound
	}
	hash := sha256.Sum256([]byte(secret))
	return one(ctx, s.reader, scanKey, `SELECT `+keyColumns+` FROM keys WHERE hash = $1`, hash[:])
}

// KeyOfAnyTenant reads a key.
func (s *Store) KeyOfAnyTenant(ctx context.Context, id string) (Key, error) {
	return one(ctx, s.reader, scanKey, `SELECT `+keyColumns+` FROM keys WHERE id = $1`, id)
}

// HasKeys reports whether there is a key.
func (s *Store) HasKeys(ctx context.Context) (has bool, err error) {
	err = s.reader.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM keys)`).Scan(&has)
	return has, err
}

// KeyFilter selects keys. Zero values select all.
type KeyFilter struct {
	Page
	ID     string
	Tenant string
	Below  bool // the keys of tenants below it, too
	Name   string
	Scopes Scopes // exactly these
}

func (f *KeyFilter) conditions() *conditions {
	where := &conditions{}
	where.add("1 = 1")
	switch {
	case f.Tenant == "":
	case f.Below:
		where.add("(tenant = $%d OR tenant > $%d AND tenant < $%d)", f.Tenant, f.Tenant+"/", f.Tenant+"0") // the byte after a slash
	default:
		where.add("tenant = $%d", f.Tenant)
	}
	where.addUnlessEmpty("id = $%d", f.ID)
	where.addUnlessEmpty("name = $%d", f.Name)
	if f.Scopes != NoScope {
		where.add("scopes = $%d", f.Scopes)
	}
	return where
}

// Keys lists a page of keys, newest first, and counts all pages.
func (s *Store) Keys(ctx context.Context, filter KeyFilter) ([]Key, int64, error) {
	where := filter.conditions()
	var total int64
	var keys []Key
	err := s.atOnce(ctx, func(q querier) (err error) {
		if err := q.QueryRowContext(ctx, `SELECT count(*) FROM keys WHERE `+where.sql(), where.arguments...).Scan(&total); err != nil {
			return err
		}
		keys, err = collect(ctx, q, scanKey, `SELECT `+keyColumns+` FROM keys WHERE `+where.page(filter.Page), where.arguments...)
		return err
	})
	return keys, total, err
}

// RevokeKey deletes a key, if the filter selects it: from now on it opens nothing.
func (s *Store) RevokeKey(ctx context.Context, id string, filter KeyFilter) error {
	where := filter.conditions()
	where.add("id = $%d", id)
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := one(ctx, tx, scanString, `DELETE FROM keys WHERE `+where.sql()+` RETURNING id`, where.arguments...)
		return err
	})
}

// RecordKeyUses notes when keys were used last.
func (s *Store) RecordKeyUses(ctx context.Context, uses map[string]int64) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		for id, at := range uses {
			if _, err := tx.ExecContext(ctx, `UPDATE keys SET last_used_at = $1 WHERE id = $2`, at, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// ErrNoKeys says that a database is not there, or of a version that knew no keys.
var ErrNoKeys = errors.New("no keys: no factory of this version has run there yet")

// OpenKeys opens a location's database for its keys alone, beside a factory that may be
// using it: one process writes at a time, and the others wait.
func OpenKeys(ctx context.Context, at Location) (_ *Store, err error) {
	engine, err := at.engine()
	if err != nil {
		return nil, err
	}
	if path := filepath.Join(at.Directory, DatabaseName); at.DatabaseURL == "" {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, ErrNoKeys
		}
	}
	if _, unknown := notedGeneration(blob.In(at.Directory), blob.Location{Directory: at.Directory}); errors.As(unknown, new(*move)) {
		return nil, unknown
	}
	s := &Store{dialect: engine.dialect()}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.writer, err = engine.openBeside(); err != nil {
		return nil, err
	}
	if s.reader, err = engine.openReader(); err != nil {
		return nil, err
	}
	tables, err := collect(ctx, s.reader, scanString, s.dialect.tables)
	if err == nil && !slices.Contains(tables, "keys") {
		err = ErrNoKeys
	}
	return s, err
}
