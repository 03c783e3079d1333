package store

import (
	"context"
	"database/sql"
	"strings"
)

// A tenant is a name. One below another has that one's name, a slash and its own: the
// namespace that a key acts for. Each has its own files, jobs and models; what the tenant
// above had before there were namespaces, is inherited by all of them.

// Namespace is the tenant below another.
func Namespace(tenant, name string) string { return tenant + "/" + name }

// IsBelow reports whether a tenant is below another, however deep.
func IsBelow(tenant, above string) bool { return strings.HasPrefix(tenant, above+"/") }

// ofTenant is the condition of rows that a tenant has. The tenant is the first argument of
// its statement; of its name, the second part of the condition takes what is before the
// last slash.
const ofTenant = `(tenant = ?1 OR inherited = 1 AND tenant = rtrim(rtrim(?1, replace(?1, '/', '')), '/'))`

// addTenant selects a tenant's rows. It is the first condition.
func (c *conditions) addTenant(tenant string) {
	if strings.Contains(tenant, "/") {
		c.add(ofTenant, tenant)
	} else {
		c.add("tenant = ?", tenant) // in the order of an index
	}
}

// UpdateJobOf changes a tenant's job in a transaction of its own.
func (s *Store) UpdateJobOf(ctx context.Context, tenant, id string, change func(*Job) error) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if _, err := one(ctx, tx, scanString, `SELECT id FROM jobs WHERE `+ofTenant+` AND id = ?`, tenant, id); err != nil {
			return err
		}
		return updateJob(ctx, tx, id, change)
	})
}
