package store

import "github.com/pressly/goose/v3"

// dialect is where the SQL of SQLite and PostgreSQL differs. All else is written once: it
// numbers its arguments, names the columns of a conflict, and compares texts by their bytes,
// which PostgreSQL's columns are declared for.
type dialect struct {
	goose      goose.Dialect
	migrations string // their folder

	objects func(array string) string // the elements of a JSON array, as rows of "value"
	strings func(array string) string // those of an array of strings
	tables  string                    // lists the names of tables
	settle  string                    // waits until no other connection has a change under way; "": none can
}

var (
	sqliteDialect = dialect{
		goose:      goose.DialectSQLite3,
		migrations: "migrations/sqlite",
		objects:    func(array string) string { return "json_each(" + array + ")" },
		strings:    func(array string) string { return "json_each(" + array + ")" },
		tables:     `SELECT name FROM sqlite_schema WHERE type = 'table'`,
	}
	postgresDialect = dialect{
		goose:      goose.DialectPostgres,
		migrations: "migrations/postgres",
		objects:    func(array string) string { return "json_array_elements(CAST(" + array + " AS json))" },
		strings:    func(array string) string { return "json_array_elements_text(CAST(" + array + " AS json))" },
		tables:     `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`,
		settle:     `SELECT number FROM generation FOR UPDATE`, // which every change begins with, see advance
	}
)
