// Package conformance leads the official SDKs against factories. What they do is in their own
// languages, and run by hack/conformance.sh; here is what those factories stand on.
package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob/buckettest"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
)

func TestMain(m *testing.M) { os.Exit(buckettest.Tests{Tests: postgrestest.Tests{M: m}}.Run()) }

// grown starts bin/factory on an empty schema and an empty folder of a bucket.
const grown = `#!/bin/sh
set -eu
name=factory$$
psql --quiet --dbname=postgres --command="CREATE SCHEMA $name"
exec %s "$@" "--database-url=postgres:///postgres?user=$PGUSER&host=$PGHOST&search_path=$name" "--blob-url=%s/$name"
`

// TestOnPostgresAndS3 is hack/conformance.sh with factories that keep nothing in their directory.
func TestOnPostgresAndS3(t *testing.T) {
	bucket := buckettest.S3(t) // and the environment that leads to it
	binary, err := filepath.Abs(filepath.Join("..", "..", "bin", "factory"))
	if err != nil {
		t.Fatal(err)
	}
	factory := filepath.Join(t.TempDir(), "factory")
	if err := os.WriteFile(factory, fmt.Appendf(nil, grown, binary, bucket), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, value := range postgrestest.Environment(t) {
		t.Setenv(name, value)
	}
	t.Setenv("FACTORY", factory)
	output, err := exec.CommandContext(t.Context(), filepath.Join("..", "..", "hack", "conformance.sh")).CombinedOutput()
	t.Logf("%s", output)
	if err != nil {
		t.Error(err)
	}
}
