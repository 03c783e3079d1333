package store

import (
	"errors"
	"iter"
	"strings"
)

// Page is a part of a list.
type Page struct {
	Number int // from 0
	Size   int
}

func (p Page) offset() int { return p.Number * p.Size }

func scanSequence(r row) (sequence int64, err error) {
	err = r.Scan(&sequence)
	return sequence, err
}

// oneByOne reads the rows of a page when they are asked for, and each in a statement of
// its own: memory holds one, and who takes long to take them all does not keep an old
// state of the database from being forgotten. Rows that are gone meanwhile are left out.
func oneByOne[T any](page []int64, read func(sequence int64) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, sequence := range page {
			item, err := read(sequence)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}

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
