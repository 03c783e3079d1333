package postgrestest

import (
	"os"
	"path/filepath"
	"testing"
)

// Environment is that of PostgreSQL's own commands, with which a script uses the server.
func Environment(t testing.TB) map[string]string {
	t.Helper()
	s := required(t)
	return map[string]string{"PGHOST": s.folder, "PGUSER": "postgres", "PATH": filepath.Dir(s.program) + ":" + os.Getenv("PATH")}
}
