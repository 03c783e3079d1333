package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
)

var referencePage = filepath.Join("..", "..", "docs", "reference", "factory.md")

// TestCommandsOfTheReference runs what docs/reference/factory.md shows, in its order.
func TestCommandsOfTheReference(t *testing.T) {
	needTools(t, "curl", "jq")
	blocks := commands(t, referencePage)
	if len(blocks) != 7 {
		t.Fatalf("%d blocks of commands", len(blocks))
	}
	script := strings.ReplaceAll(strings.Join(blocks, "\n"), "127.0.0.1:8080", freeAddress(t))
	directory := t.TempDir()
	shell(t, directory, "trap 'kill %1 2>/dev/null || true' EXIT\n"+strings.Replace(script, "jq .results", "jq .results > results", 1))
	results, err := os.ReadFile(filepath.Join(directory, "results"))
	if err != nil || strings.Count(string(results), `"billing"`) != 2 {
		t.Errorf("results %s, %v", results, err)
	}
}

// TestEveryFlagIsInTheReference with its default.
func TestEveryFlagIsInTheReference(t *testing.T) {
	content, err := os.ReadFile(referencePage)
	if err != nil {
		t.Fatal(err)
	}
	described := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `--([a-z-]+)` \\| `?([^|`]*)`? \\|").FindAllStringSubmatch(string(content), -1) {
		described[row[1]] = strings.TrimSpace(row[2])
	}
	var o options
	o.flags().VisitAll(func(f *flag.Flag) {
		text, ok := described[f.Name]
		if !ok {
			t.Errorf("--%s is not described", f.Name)
		}
		words := map[string]bool{"required": true, "the port after the API's": true, "a half": true, "none": true, "off": true, "": true}
		if !words[text] && text != f.DefValue && text != strings.TrimSuffix(strings.Replace(f.DefValue, "h0m0s", "h", 1), "s") {
			t.Errorf("--%s is %s by default, described as %s", f.Name, f.DefValue, text)
		}
		delete(described, f.Name)
	})
	for name := range described {
		t.Errorf("--%s is described, but is no flag", name)
	}
}

// needTools skips a test of a page whose commands this machine lacks.
func needTools(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the page's commands need %s", tool)
		}
	}
}

// TestManageKeys runs what docs/how-to/manage-keys.md shows.
func TestManageKeys(t *testing.T) {
	needTools(t, "curl", "jq")
	blocks := commands(t, filepath.Join("..", "..", "docs", "how-to", "manage-keys.md"))
	if len(blocks) != 5 {
		t.Fatalf("%d blocks of commands", len(blocks))
	}
	directory, address := t.TempDir(), freeAddress(t)
	shell(t, directory, "export FACTORY=http://"+address+"\ntrap 'kill %1 2>/dev/null || true' EXIT\n"+
		"factory --data-dir data --listen "+address+" &\n"+
		"until curl -sf $FACTORY/readyz; do sleep 0.1; done\n"+strings.Join(blocks, "\n")+`
models() { curl -s -o /dev/null -w '%{http_code}\n' "$FACTORY/v1/$2" -H "Authorization: Bearer $(cat "$1")"; }
{ models shop.key models; models shop2.key models; models shop2.key files; models operator.key files; models operator.key keys; } > statuses
`)
	statuses, err := os.ReadFile(filepath.Join(directory, "statuses"))
	if got := strings.Fields(string(statuses)); err != nil || strings.Join(got, " ") != "401 200 403 200 403" {
		t.Errorf("statuses %v, %v; want the revoked key refused, the other to see models alone, the operator's to train", got, err)
	}
}

// TestRunSeveralFactories runs what docs/how-to/run-several-factories.md shows: what is asked of one
// server, the worker trains, and the other classifies with.
func TestRunSeveralFactories(t *testing.T) {
	needTools(t, "curl", "jq")
	blocks := commands(t, filepath.Join("..", "..", "docs", "how-to", "run-several-factories.md"))
	if len(blocks) != 1 {
		t.Fatalf("%d blocks of commands", len(blocks))
	}
	for name, value := range postgrestest.Environment(t) {
		t.Setenv(name, value)
	}
	t.Setenv("DATABASE_URL", "postgres:///postgres?search_path=several")
	t.Setenv("FACTORY_API_KEY", "key")
	script := blocks[0]
	for _, port := range []string{"8080", "8090", "8081"} {
		_, free, _ := strings.Cut(freeAddress(t), ":")
		script = strings.ReplaceAll(script, port, free)
		t.Setenv("PORT"+port, free)
	}
	directory := t.TempDir()
	shell(t, directory, `psql -qc 'CREATE SCHEMA several' postgres
trap 'kill %1 %2 %3 2>/dev/null || true; wait' EXIT
`+script+`
call() { port=$1 path=$2; shift 2; curl -sS --fail-with-body -H "Authorization: Bearer $FACTORY_API_KEY" "http://127.0.0.1:$port/v1/$path" "$@"; }
for i in 1 2 3 4 5 6; do echo '{"text": "invoice '$i'", "labels": {"queue": "billing"}}'; echo '{"text": "crash '$i'", "labels": {"queue": "technical"}}'; done > mail.jsonl
FILE=$(call $PORT8080 files -F file=@mail.jsonl | jq -r .id)
JOB=$(call $PORT8080 fine_tuning/jobs -H 'Content-Type: application/json' -d '{"model": "ministral-3b-latest", "job_type": "classifier",
  "hyperparameters": {}, "auto_start": true, "training_files": [{"file_id": "'$FILE'", "weight": 1}]}' | jq -r .id)
until call $PORT8090 fine_tuning/jobs/$JOB | jq -e '.status == "SUCCESS"'; do sleep 0.1; done
MODEL=$(call $PORT8090 fine_tuning/jobs/$JOB | jq -r .fine_tuned_model)
call $PORT8090 classifications -H 'Content-Type: application/json' -d '{"model": "'$MODEL'", "input": ["an invoice"]}' > results
curl -sf http://127.0.0.1:$PORT8081/metrics | grep -c classifier_factory_leases_lost_total >> results
`)
	results, err := os.ReadFile(filepath.Join(directory, "results"))
	if err != nil || !strings.Contains(string(results), "billing") {
		t.Errorf("results %s, %v", results, err)
	}
}

// TestKeepFactsInPostgreSQL runs what docs/how-to/keep-facts-in-postgresql.md shows, after which
// a factory starts on what was restored, and knows the key.
func TestKeepFactsInPostgreSQL(t *testing.T) {
	needTools(t, "curl")
	blocks := commands(t, filepath.Join("..", "..", "docs", "how-to", "keep-facts-in-postgresql.md"))
	if len(blocks) != 4 {
		t.Fatalf("%d blocks of commands", len(blocks))
	}
	for name, value := range postgrestest.Environment(t) {
		t.Setenv(name, value)
	}
	t.Setenv("DATABASE_SERVER", "postgres:///postgres")
	t.Setenv("DATABASE_URL", "postgres:///factory")
	t.Setenv("RESTORED_URL", "postgres:///factory_restored")
	directory := t.TempDir()
	script := strings.ReplaceAll(strings.Join(blocks, "\n"), "127.0.0.1:8080", freeAddress(t))
	shell(t, directory, "trap 'kill %1 2>/dev/null || true' EXIT\n"+script+`
kill $! && wait $!
factory --data-dir restored --database-url "$RESTORED_URL" --listen 127.0.0.1:0 2> log &
until grep -q listening log; do sleep 0.1; done
factory key list --data-dir restored --database-url "$RESTORED_URL" > keys
kill $! && wait $!
`)
	keys, err := os.ReadFile(filepath.Join(directory, "keys"))
	if err != nil || !strings.Contains(string(keys), "mail") {
		t.Errorf("keys %s, %v", keys, err)
	}
}
