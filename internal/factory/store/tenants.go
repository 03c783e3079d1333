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

// ofTenant is the condition of rows that a tenant has, who is the first argument of the
// statement.
const ofTenant = `(tenant = $1 OR ` + ofAbove + `)`

// ofAbove is the condition of rows that a tenant has inherited from the one whose name is
// what comes before the last slash of its own.
const ofAbove = `inherited = 1 AND tenant = rtrim(rtrim($1, replace($1, '/', '')), '/')`

// addTenant selects a tenant's rows of a list. It is the first condition. In both forms
// indices give their order, so that a page of many rows need not sort them all.
func (c *conditions) addTenant(table, tenant string) {
	if !strings.Contains(tenant, "/") {
		c.add("tenant = $%d", tenant)
		return
	}
	c.clauses = append(c.clauses, `sequence IN (SELECT sequence FROM `+table+` WHERE tenant = $1 UNION ALL SELECT sequence FROM `+table+` WHERE `+ofAbove+`)`)
	c.arguments = append(c.arguments, tenant)
}

// UpdateJobOf changes a tenant's job in a transaction of its own.
func (s *Store) UpdateJobOf(ctx context.Context, tenant, id string, change func(*Job) error) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if _, err := one(ctx, tx, scanString, `SELECT id FROM jobs WHERE `+ofTenant+` AND id = $2`, tenant, id); err != nil {
			return err
		}
		return s.updateJob(ctx, tx, id, change)
	})
}
