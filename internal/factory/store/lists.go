package store

import "strings"

// Page is a part of a list.
type Page struct {
	Number int // from 0
	Size   int
}

func (p Page) offset() int { return p.Number * p.Size }

// conditions of a WHERE clause.
type conditions struct {
	clauses   []string
	arguments []any
}

func (c *conditions) add(clause string, arguments ...any) {
	c.clauses = append(c.clauses, clause)
	c.arguments = append(c.arguments, arguments...)
}

func (c *conditions) addUnlessEmpty(clause, argument string) {
	if argument != "" {
		c.add(clause, argument)
	}
}

// addOneOf accepts one of the values, or anything if there are none.
func (c *conditions) addOneOf(column string, values []string) {
	if len(values) > 0 {
		c.add(column+" IN (SELECT value FROM json_each(?))", asJSON(&values))
	}
}

func (c *conditions) sql() string { return strings.Join(c.clauses, " AND ") }
