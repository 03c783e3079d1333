package store

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
)

// Scopes are what a key is for.
type Scopes uint8

// The scopes that there are.
const (
	ScopeClassify Scopes = 1 << iota // classify, with some models or all
	ScopeTrain                       // files, jobs, models
	ScopeAdmin                       // the keys of its tenant and of those below
	ScopeActFor                      // requests for a namespace below its tenant, and keys to classify there

	NoScope   Scopes = 0
	AllScopes        = ScopeClassify | ScopeTrain | ScopeAdmin | ScopeActFor
)

// scopeNames are in the order of the bits.
var scopeNames = []string{"classify", "train", "admin", "act-for"}

// ParseScopes reads names of scopes, at least one.
func ParseScopes(names []string) (Scopes, error) {
	scopes := NoScope
	for _, name := range names {
		i := slices.Index(scopeNames, name)
		if i < 0 {
			return NoScope, fmt.Errorf("a scope is none of %s", strings.Join(scopeNames, ", "))
		}
		scopes |= 1 << i
	}
	if scopes == NoScope {
		return NoScope, fmt.Errorf("no scope: at least one of %s", strings.Join(scopeNames, ", "))
	}
	return scopes, nil
}

// Any reports whether one of the others is among the scopes.
func (s Scopes) Any(others Scopes) bool { return s&others != 0 }

// Include reports whether all of the others are among the scopes.
func (s Scopes) Include(others Scopes) bool { return s&others == others }

// Names are what ParseScopes reads.
func (s Scopes) Names() []string {
	names := []string{}
	for i, name := range scopeNames {
		if s.Any(1 << i) {
			names = append(names, name)
		}
	}
	return names
}

// Value implements driver.Valuer.
func (s Scopes) Value() (driver.Value, error) { return strings.Join(s.Names(), ","), nil }

// Scan implements sql.Scanner.
func (s *Scopes) Scan(source any) (err error) {
	text, _ := source.(string)
	*s, err = ParseScopes(strings.Split(text, ","))
	return err
}
