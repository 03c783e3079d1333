package store

import (
	"errors"
	"fmt"
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
	dialect   dialect
	clauses   []string
	arguments []any
}

// add takes a clause with $%d for each of its arguments.
func (c *conditions) add(clause string, arguments ...any) {
	numbers := make([]any, len(arguments))
	for i := range arguments {
		numbers[i] = len(c.arguments) + i + 1
	}
	c.clauses = append(c.clauses, fmt.Sprintf(clause, numbers...))
	c.arguments = append(c.arguments, arguments...)
}

func (c *conditions) addUnlessEmpty(clause, argument string) {
	if argument != "" {
		c.add(clause, argument)
	}
}

// addContains looks for a part of a text, whose letters of ASCII may be capitals or not: a
// text that has the part is another one without it.
func (c *conditions) addContains(column, part string) {
	c.addUnlessEmpty("replace(lower("+column+"), $%d, '') <> lower("+column+")", lowerASCII(part))
}

func lowerASCII(text string) string {
	lower := []byte(text)
	for i, b := range lower {
		if 'A' <= b && b <= 'Z' {
			lower[i] = b - 'A' + 'a'
		}
	}
	return string(lower)
}

// addOneOf accepts one of the values, or anything if there are none.
func (c *conditions) addOneOf(column string, values []string) {
	if len(values) > 0 {
		c.add(column+" IN (SELECT value FROM "+c.dialect.strings("$%d")+")", asJSON(&values))
	}
}

func (c *conditions) sql() string { return strings.Join(c.clauses, " AND ") }

// page is the rest of a statement for a part of what meets the conditions, newest first.
func (c *conditions) page(p Page) string {
	where := c.sql()
	c.arguments = append(c.arguments, p.Size, p.offset())
	return fmt.Sprintf("%s ORDER BY sequence DESC LIMIT $%d OFFSET $%d", where, len(c.arguments)-1, len(c.arguments))
}
