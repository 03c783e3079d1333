package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// notMoved are tables whose rows are nobody's elsewhere: nobody works there on a job yet, bytes that
// nothing needs stay behind, and the generation is one of its own.
var notMoved = []string{"generation", "leases", "unreferenced"}

// movedTable is one of PostgreSQL's schema. SQLite's has the same columns.
type movedTable struct {
	name     string
	columns  []string
	booleans []bool // of the columns: SQLite has numbers
	sequence string // the column that counts on by itself; "": none does
}

// quoted is a name in SQL.
func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

func (t *movedTable) isMoved() bool { return !slices.Contains(notMoved, t.name) }

// rows reads all of them, from either database.
func (t *movedTable) rows(ctx context.Context, q querier) (*sql.Rows, error) {
	var columns []string
	for _, column := range t.columns {
		columns = append(columns, quoted(column))
	}
	return q.QueryContext(ctx, `SELECT `+strings.Join(columns, ", ")+` FROM `+quoted(t.name))
}

// describeTables lists those that others refer to before the others.
func describeTables(ctx context.Context, q querier) ([]*movedTable, error) {
	var all []*movedTable
	_, err := collect(ctx, q, func(r row) (*movedTable, error) {
		var name, column string
		var isBoolean, counts bool
		if err := r.Scan(&name, &column, &isBoolean, &counts); err != nil {
			return nil, err
		}
		if len(all) == 0 || all[len(all)-1].name != name {
			all = append(all, &movedTable{name: name})
		}
		t := all[len(all)-1]
		t.columns, t.booleans = append(t.columns, column), append(t.booleans, isBoolean)
		if counts {
			t.sequence = column
		}
		return t, nil
	}, `
		SELECT c.table_name, c.column_name, c.data_type = 'boolean', c.is_identity = 'YES'
		FROM information_schema.columns AS c
		WHERE c.table_schema = current_schema() AND c.table_name <> 'goose_db_version'
		ORDER BY EXISTS (
			SELECT 1 FROM information_schema.table_constraints AS f
			WHERE f.table_schema = c.table_schema AND f.table_name = c.table_name AND f.constraint_type = 'FOREIGN KEY'
		), c.table_name, c.ordinal_position`)
	return all, err
}

// moveFacts moves all rows or none, in place of those that it has moved before. They pass through
// one by one, and what has come is read again and compared before it is committed.
func (m *mover) moveFacts(ctx context.Context) (moved []MovedTable, err error) {
	if err := migrate(ctx, m.target, postgresDialect); err != nil {
		return nil, err
	}
	connection, err := m.target.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = connection.Close() }() // what counts is the commit
	tables, err := describeTables(ctx, connection)
	if err != nil {
		return nil, err
	}
	tx, err := connection.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := emptyTables(ctx, tx, tables); err != nil {
		return nil, err
	}
	for i, t := range tables {
		m.tell("tables", i, len(tables))
		rows, err := m.moveTable(ctx, connection, tx, t)
		if err != nil {
			return nil, fmt.Errorf("move the table %s: %w", t.name, err)
		}
		if t.isMoved() {
			moved = append(moved, MovedTable{t.name, rows})
		}
	}
	to := m.moved()
	if _, err := tx.ExecContext(ctx, `UPDATE generation SET id = $1, number = $2`, to.id, to.number); err != nil {
		return nil, err
	}
	m.tell("tables", len(tables), len(tables))
	return moved, tx.Commit()
}

// emptyTables has them take rows as they are, without what follows when a factory adds one. A
// process that is stopped meanwhile holds nobody up: no other uses the database.
func emptyTables(ctx context.Context, tx *sql.Tx, tables []*movedTable) error {
	var names, statements []string
	for _, t := range tables {
		statements = append(statements, `ALTER TABLE `+quoted(t.name)+` DISABLE TRIGGER USER`)
		if t.name != "generation" {
			names = append(names, quoted(t.name))
		}
	}
	statements = append(statements, `TRUNCATE `+strings.Join(names, ", "), `SELECT `+setPatience(namePatience))
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func (m *mover) moveTable(ctx context.Context, connection *sql.Conn, tx *sql.Tx, t *movedTable) (rows int64, err error) {
	if t.isMoved() {
		if rows, err = m.copyRows(ctx, connection, tx, t); err != nil {
			return 0, err
		}
	}
	if err := m.countOn(ctx, tx, t); err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, `ALTER TABLE `+quoted(t.name)+` ENABLE TRIGGER USER`)
	return rows, err
}

func (m *mover) copyRows(ctx context.Context, connection *sql.Conn, tx *sql.Tx, t *movedTable) (int64, error) {
	from, err := t.rows(ctx, m.origin)
	if err != nil {
		return 0, err
	}
	defer from.Close()
	sent := newTally(t, from)
	err = connection.Raw(func(driver any) error {
		_, err := driver.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, sent)
		return err
	})
	if err != nil {
		return 0, err
	}
	to, err := t.rows(ctx, tx)
	if err != nil {
		return 0, err
	}
	defer to.Close()
	got := newTally(t, to)
	for got.Next() {
		if _, err := got.Values(); err != nil {
			return 0, err
		}
	}
	if err := got.Err(); err != nil {
		return 0, err
	}
	if got.rows != sent.rows || got.sum != sent.sum {
		return 0, fmt.Errorf("of %d rows %d are there, or they are not the same", sent.rows, got.rows)
	}
	return got.rows, nil
}

// tally reads rows, and adds them up in a way that does not depend on their order.
type tally struct {
	*sql.Rows
	table  *movedTable
	values []any
	into   []any // pointers to the values
	rows   int64
	sum    uint64
}

func newTally(t *movedTable, rows *sql.Rows) *tally {
	y := &tally{Rows: rows, table: t, values: make([]any, len(t.columns)), into: make([]any, len(t.columns))}
	for i := range y.values {
		y.into[i] = &y.values[i]
	}
	return y
}

// Values implements pgx.CopyFromSource.
func (y *tally) Values() ([]any, error) {
	if err := y.Scan(y.into...); err != nil {
		return nil, err
	}
	for i, value := range y.values {
		if number, ok := value.(int64); ok && y.table.booleans[i] {
			y.values[i] = number != 0
		}
	}
	digest := sha256.Sum256(fmt.Appendf(nil, "%#v", y.values))
	y.sum += binary.BigEndian.Uint64(digest[:])
	y.rows++
	return y.values, nil
}

// countOn has no number of a sequence come twice, be it that its row is gone.
func (m *mover) countOn(ctx context.Context, tx *sql.Tx, t *movedTable) error {
	if t.sequence == "" {
		return nil
	}
	last, err := one(ctx, m.origin, scanSequence, `
		SELECT max(coalesce((SELECT max(`+quoted(t.sequence)+`) FROM `+quoted(t.name)+`), 0), coalesce((SELECT seq FROM sqlite_sequence WHERE name = $1), 0))`, t.name)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, fmt.Sprintf(`ALTER TABLE %s ALTER COLUMN %s RESTART WITH %d`, quoted(t.name), quoted(t.sequence), last+1))
	return err
}

// mostUnstorable is how many are named.
const mostUnstorable = 10

// checkStorable names what PostgreSQL has no texts for.
func (m *mover) checkStorable(ctx context.Context) error {
	tables, err := collect(ctx, m.origin, scanString, sqliteDialect.tables)
	if err != nil {
		return err
	}
	var found []string
	for _, table := range tables {
		if slices.Contains(notMoved, table) || strings.HasPrefix(table, "sqlite_") || table == "goose_db_version" {
			continue
		}
		in, err := m.unstorable(ctx, table)
		if err != nil {
			return err
		}
		found = append(found, in...)
	}
	if len(found) == 0 {
		return nil
	}
	more := ""
	if len(found) > mostUnstorable {
		more = fmt.Sprintf(" and %d more", len(found)-mostUnstorable)
		found = found[:mostUnstorable]
	}
	return fmt.Errorf("PostgreSQL cannot hold texts with the character U+0000, or with bytes that are no UTF-8, as %s%s have; nothing is changed: start the old factory, delete them or give them other names, and begin again", strings.Join(found, ", "), more)
}

// unstorable names columns and IDs.
func (m *mover) unstorable(ctx context.Context, table string) (found []string, err error) {
	rows, err := m.origin.QueryContext(ctx, `SELECT * FROM `+quoted(table)) //nolint:gosec // it is the schema's
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	key := max(slices.Index(columns, "id"), slices.Index(columns, "job_id"), 0)
	read := newTally(&movedTable{columns: columns, booleans: make([]bool, len(columns))}, rows)
	for read.Next() {
		values, err := read.Values()
		if err != nil {
			return nil, err
		}
		for i, value := range values {
			if text, ok := value.(string); ok && (!utf8.ValidString(text) || strings.ContainsRune(text, 0)) {
				found = append(found, fmt.Sprintf("the %s of %q in %s", columns[i], values[key], table))
			}
		}
	}
	return found, errors.Join(read.Err(), rows.Close())
}
