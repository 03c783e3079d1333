package store

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
)

// How to read a schema: columns, foreign keys, and indices with a row for each of their
// columns. The key of a sequence, which SQLite has no index for, is left out.
type schemaQueries struct{ columns, references, indices string }

var schemaOf = map[string]schemaQueries{
	"sqlite": {
		columns: `
			SELECT m.name || '.' || c.name || ' ' || c.type || iif(c."notnull" OR c.pk, ' NOT NULL', '') || coalesce(' DEFAULT ' || c.dflt_value, '')
			FROM sqlite_schema AS m, pragma_table_info(m.name) AS c
			WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'goose_db_version'`,
		references: `
			SELECT m.name || '.' || f."from" || ' -> ' || f."table" || '.' || f."to"
			FROM sqlite_schema AS m, pragma_foreign_key_list(m.name) AS f WHERE m.type = 'table'`,
		indices: `
			SELECT i.name, iif(i."unique", 'unique ', '') || iif(i.partial, 'partial ', '') || m.name, c.name
			FROM sqlite_schema AS m, pragma_index_list(m.name) AS i, pragma_index_info(i.name) AS c
			WHERE m.type = 'table' AND m.name <> 'goose_db_version' ORDER BY i.name, c.seqno`,
	},
	"postgres": {
		columns: `
			SELECT table_name || '.' || column_name || ' '
				|| CASE data_type || coalesce(' ' || collation_name, '')
					WHEN 'bigint' THEN 'INTEGER' WHEN 'boolean' THEN 'INTEGER' WHEN 'double precision' THEN 'REAL'
					WHEN 'text C' THEN 'TEXT' WHEN 'bytea' THEN 'BLOB' ELSE data_type || ' of another order' END
				|| CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END
				|| coalesce(' DEFAULT ' || replace(column_default, '::text', ''), '')
			FROM information_schema.columns WHERE table_schema = current_schema() AND table_name <> 'goose_db_version'`,
		references: `
			SELECT k.table_name || '.' || k.column_name || ' -> ' || u.table_name || '.' || u.column_name
			FROM information_schema.referential_constraints AS r
			JOIN information_schema.key_column_usage AS k USING (constraint_schema, constraint_name)
			JOIN information_schema.constraint_column_usage AS u USING (constraint_schema, constraint_name)
			WHERE constraint_schema = current_schema()`,
		indices: `
			SELECT i.relname, CASE WHEN x.indisunique THEN 'unique ' ELSE '' END || CASE WHEN x.indpred IS NULL THEN '' ELSE 'partial ' END || t.relname, a.attname
			FROM pg_index AS x JOIN pg_class AS t ON t.oid = x.indrelid JOIN pg_class AS i ON i.oid = x.indexrelid
			CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY AS k (attnum, place)
			JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = k.attnum
			WHERE t.relnamespace = current_schema()::regnamespace AND t.relname <> 'goose_db_version' ORDER BY i.relname, k.place`,
	},
}

func schema(ctx context.Context, t *testing.T, database *sql.DB, queries schemaQueries) []string {
	t.Helper()
	var all []string
	for _, query := range []string{queries.columns, queries.references} {
		lines, err := collect(ctx, database, scanString, query)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, lines...)
	}
	columns, tables := map[string][]string{}, map[string]string{}
	_, err := collect(ctx, database, func(r row) (name string, err error) {
		var table, column string
		err = r.Scan(&name, &table, &column)
		tables[name], columns[name] = table, append(columns[name], column)
		return name, err
	}, queries.indices)
	if err != nil {
		t.Fatal(err)
	}
	for name, of := range columns {
		if !slices.Equal(of, []string{"sequence"}) {
			all = append(all, fmt.Sprintf("%s (%s)", tables[name], strings.Join(of, ", ")))
		}
	}
	slices.Sort(all)
	return all
}

// TestSchemasAreTheSame: what one database can tell fast, and what it refuses, the other does.
func TestSchemasAreTheSame(t *testing.T) {
	at := map[string]Location{
		"sqlite":   {Directory: t.TempDir()},
		"postgres": {Directory: t.TempDir(), DatabaseURL: postgrestest.URL(t)},
	}
	found := map[string][]string{}
	for name, location := range at {
		s, err := Open(t.Context(), location, blob.In(location.Directory))
		if err != nil {
			t.Fatal(err)
		}
		found[name] = schema(t.Context(), t, s.reader, schemaOf[name])
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if only := subtract(found["sqlite"], found["postgres"]); len(only) > 0 {
		t.Errorf("SQLite alone has\n%s", strings.Join(only, "\n"))
	}
	if only := subtract(found["postgres"], found["sqlite"]); len(only) > 0 {
		t.Errorf("PostgreSQL alone has\n%s", strings.Join(only, "\n"))
	}
	if len(found["sqlite"]) < 100 {
		t.Errorf("SQLite has only\n%s", strings.Join(found["sqlite"], "\n"))
	}
}

// TestMigrationsGoTogether: a change of one schema without the other's is noticed before it is
// shipped. PostgreSQL began with the seventh.
func TestMigrationsGoTogether(t *testing.T) {
	versions := func(d dialect) (all []int64) {
		entries, err := fs.ReadDir(migrations, d.migrations)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			version, err := goose.NumericComponent(entry.Name())
			if err != nil {
				t.Fatal(err)
			}
			if version >= 7 {
				all = append(all, version)
			}
		}
		return all
	}
	if sqlite, postgres := versions(sqliteDialect), versions(postgresDialect); !slices.Equal(sqlite, postgres) {
		t.Errorf("SQLite has the versions %v, PostgreSQL %v", sqlite, postgres)
	}
}
