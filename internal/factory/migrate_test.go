package factory

import (
	"bufio"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/api"
	"github.com/classifier-factory/classifier-factory/internal/factory/blob/buckettest"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	migratedModels = 200
	migrateKills   = 10
)

// TestMigrate moves a factory of 200 models, whose process is killed ten times on the way. Until
// the end nobody is admitted to the new place, and after it the same is answered as before.
func TestMigrate(t *testing.T) {
	postgrestest.SQLiteOnly(t, "it is what is moved")
	origin := usedFactory(t)
	before := answersOf(t, Location{Directory: copied(t, origin)})
	for _, test := range []struct {
		reason string
		to     func(*testing.T) Location
	}{
		{"bytes in a directory", func(t *testing.T) Location {
			return Location{Directory: filepath.Join(t.TempDir(), "new"), DatabaseURL: postgrestest.URL(t)}
		}},
		{"bytes in a bucket", func(t *testing.T) Location {
			return Location{Directory: t.TempDir(), DatabaseURL: postgrestest.URL(t), BlobURL: buckettest.S3(t)}
		}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			from, to := Location{Directory: copied(t, origin)}, test.to(t)
			for kill := range migrateKills {
				killMigration(t, from, to, kill)
				if err := to.Admit(t.Context()); err == nil || !strings.Contains(err.Error(), "run it again") {
					t.Fatalf("after kill %d: Admit() = %v", kill, err)
				}
				if err := from.Admit(t.Context()); err != nil {
					t.Fatalf("after kill %d: the old place: %v", kill, err)
				}
			}
			moved, err := Migrate(t.Context(), from, to, func(string, int, int) {})
			if err != nil || moved.Before {
				t.Fatalf("%+v, %v", moved, err)
			}
			if found := problems(t, to); found != "" {
				t.Error(found)
			}
			compareAnswers(t, before, answersOf(t, to))
			if again, err := Migrate(t.Context(), from, to, func(string, int, int) {}); err != nil || !again.Before {
				t.Errorf("once more: %+v, %v", again, err)
			}
			if err := from.Admit(t.Context()); err == nil || !strings.Contains(err.Error(), "was moved to the database") {
				t.Errorf("the old place: Admit() = %v", err)
			}
			if _, err := OpenKeys(t.Context(), from, true); err == nil || !strings.Contains(err.Error(), "was moved to the database") {
				t.Errorf("the keys of the old place: %v", err)
			}
			if err := Accept(t.Context(), from); err != nil {
				t.Fatal(err)
			}
			compareAnswers(t, before, answersOf(t, from))
		})
	}
}

// migrateIfChild migrates, and does not return, if a test has started this process for that. After
// each thing that is told it waits for a line.
func migrateIfChild() {
	var places struct{ From, To Location }
	if json.Unmarshal([]byte(os.Getenv("TEST_MIGRATE")), &places) != nil {
		return
	}
	var telling sync.Mutex
	goOn := bufio.NewReader(os.Stdin)
	told := func(what string, done, of int) {
		telling.Lock()
		defer telling.Unlock()
		fmt.Println(what, done, of)
		_, _ = goOn.ReadString('\n')
	}
	if _, err := Migrate(context.Background(), places.From, places.To, told); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// killMigration begins a migration and kills it, a bit later than the one before.
func killMigration(t *testing.T, from, to Location, kill int) {
	t.Helper()
	places, err := json.Marshal(struct{ From, To Location }{from, to})
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env, command.Stderr = append(os.Environ(), "TEST_MIGRATE="+string(places)), os.Stderr
	goOn, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	told, bytes := 0, 0
	for lines := bufio.NewScanner(output); lines.Scan(); told++ {
		var what string
		var done, of int
		if _, err := fmt.Sscan(lines.Text(), &what, &done, &of); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		if what == "bytes" {
			bytes = of
		}
		due := told >= (bytes+tablesMoved)*(kill+1)/(migrateKills+1)
		if !due || what == "bytes" { // then it is killed while it goes on
			_, _ = io.WriteString(goOn, "\n")
		}
		if due {
			break
		}
	}
	_ = command.Process.Kill()
	_, _ = io.Copy(io.Discard, output)
	if err := command.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("kill %d came too late, after %d steps: %v", kill, told, err)
	}
}

// tablesMoved is how many there are, at least.
const tablesMoved = 12

// usedFactory is the directory of one that was killed: with 200 models, and jobs in every state.
func usedFactory(t *testing.T) string {
	t.Helper()
	s := startServer(t, func(c *Config) { c.DatabaseURL, c.BlobURL, c.FileLifetime = "", "", 48*time.Hour })
	client := s.client("alice-key")
	models := []string{s.train("intents.jsonl", intents(40)), s.train("tickets.jsonl", tickets(40)), s.train("more.jsonl", intents(60))}
	validated := s.create(nil, s.upload("validated.jsonl", intents(30)))
	s.await(validated.ID, mistral.JobValidated)
	s.await(s.create(nil, s.upload("one.jsonl", intents(1))).ID, mistral.JobFailedValidation)
	cancelled := s.create(nil, s.upload("cancelled.jsonl", intents(50)))
	s.await(cancelled.ID, mistral.JobValidated)
	_, err := client.CancelJob(t.Context(), cancelled.ID)
	deleted := s.upload("deleted.jsonl", intents(32))
	waiting := s.create(nil, deleted)
	s.await(waiting.ID, mistral.JobValidated)
	if err := errors.Join(err, client.DeleteFile(t.Context(), deleted.ID)); err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		s.upload(fmt.Sprintf("%d.jsonl", i), intents(2+i))
	}
	uploadAs(t, s.client("bob-key"), "bobs.jsonl", intents(40))
	s.createKey(party{key: "alice-key"}, `{"name": "app", "scopes": ["classify"], "models": ["`+models[0]+`"]}`)
	s.createKey(party{key: "bob-key"}, `{"name": "trainer", "scopes": ["train"]}`)
	s.close()
	directory := copied(t, s.config.Directory)
	s.open() // which the test's end closes
	write(t, filepath.Join(directory, "blobs", fmt.Sprintf("%x", sha256.Sum256([]byte("nobody's")))), "nobody's")
	database := openSQLite(t, directory)
	rows := rowCopier{t, database}
	trained := rows.text(`SELECT id FROM jobs WHERE fine_tuned_model = $1`, models[1])
	for i := range migratedModels - len(models) {
		rows.copyJob(trained, fmt.Sprintf("%08x-0000-4000-8000-000000000001", i), "SUCCESS", fmt.Sprintf("ft:classifier:copy:%d", i))
	}
	for i, status := range []string{"QUEUED", "VALIDATING", "RUNNING", "CANCELLATION_REQUESTED", "FAILED", "CANCELLED"} {
		id := fmt.Sprintf("%08x-0000-4000-8000-000000000002", i)
		rows.copyJob(validated.ID, id, status, "")
		if status == "VALIDATING" || status == "RUNNING" {
			rows.execute(`INSERT INTO leases (job_id, holder, expires_at) VALUES ($1, 'gone', 0)`, id)
		}
	}
	if err := database.Close(); err != nil {
		t.Fatal(err)
	}
	return directory
}

// rowCopier makes much of little.
type rowCopier struct {
	t        *testing.T
	database *sql.DB
}

func (c *rowCopier) execute(statement string, arguments ...any) {
	c.t.Helper()
	if _, err := c.database.ExecContext(c.t.Context(), statement, arguments...); err != nil {
		c.t.Fatalf("%s: %v", statement, err)
	}
}

func (c *rowCopier) text(query string, arguments ...any) (text string) {
	c.t.Helper()
	if err := c.database.QueryRowContext(c.t.Context(), query, arguments...).Scan(&text); err != nil {
		c.t.Fatalf("%s: %v", query, err)
	}
	return text
}

// copyJob copies all that is known of a job, and its model if it has one.
func (c *rowCopier) copyJob(id, copied, status, model string) {
	c.t.Helper()
	for _, table := range []string{"jobs", "job_details", "inputs", "events", "checkpoints", "evaluations", "models"} {
		columns := c.text(`SELECT group_concat(name) FROM pragma_table_info($1) WHERE name <> 'sequence'`, table)
		values := "," + columns + ","
		key := "job_id"
		if table == "jobs" {
			key = "id"
			values = strings.NewReplacer(",status,", ",'"+status+"',", ",fine_tuned_model,", ",nullif('"+model+"', ''),").Replace(values)
		}
		if table == "models" {
			values = strings.Replace(values, ",id,", ",'"+model+"',", 1)
		}
		values = strings.Trim(strings.Replace(values, ","+key+",", ",'"+copied+"',", 1), ",")
		c.execute(fmt.Sprintf(`INSERT INTO %s (%s) SELECT %s FROM %[1]s WHERE %[4]s = $1`, table, columns, values, key), id)
	}
	if !mistral.JobStatus(status).Finished() {
		c.execute(`INSERT INTO needed SELECT digest, 1 FROM inputs WHERE job_id = $1 ON CONFLICT (digest) DO UPDATE SET inputs = needed.inputs + 1`, copied)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// copied is a copy of a directory that nobody uses.
func copied(t *testing.T, directory string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(directory)); err != nil {
		t.Fatal(err)
	}
	return to
}

// answersOf opens a factory that works on nothing, and asks for everything that can be asked for.
func answersOf(t *testing.T, at Location) map[string]string {
	t.Helper()
	public, err := url.Parse("http://factory.example.com")
	if err != nil {
		t.Fatal(err)
	}
	moment := time.Now().Add(time.Hour).Truncate(time.Hour)
	opened, err := Open(t.Context(), Config{
		Directory: at.Directory, DatabaseURL: at.DatabaseURL, BlobURL: at.BlobURL, PublicURL: public,
		APIKeys:    []api.Key{api.NewKey("alice", "alice-key"), api.NewKey("bob", "bob-key")},
		BaseModels: []string{"idle"}, isWorker: true, // which no job asks for
		Clock: func() time.Time { return moment },
	})
	if err != nil {
		t.Fatal(err)
	}
	served := httptest.NewServer(opened.Handler())
	asker := &asker{t: t, url: served.URL, client: served.Client(), answers: map[string]string{}}
	for _, tenant := range []string{"alice", "bob"} {
		asker.askAll(tenant)
	}
	served.Close()
	if err := opened.Close(); err != nil {
		t.Error(err)
	}
	return asker.answers
}

type asker struct {
	t       *testing.T
	url     string
	client  *http.Client
	answers map[string]string
}

func (a *asker) askAll(tenant string) {
	for _, kind := range []string{"files", "fine_tuning/jobs", "models", "keys"} {
		for _, id := range a.list(tenant, "/v1/"+kind) {
			a.ask(tenant, "GET", "/v1/"+kind+"/"+id, "")
			switch kind {
			case "files":
				a.ask(tenant, "GET", "/v1/files/"+id+"/content", "")
				var signed mistral.SignedURL
				decode(a.t, a.ask(tenant, "GET", "/v1/files/"+id+"/url", ""), &signed)
				a.ask("", "GET", strings.TrimPrefix(signed.URL, "http://factory.example.com"), "")
			case "models":
				if id == "idle" {
					continue
				}
				var answer struct{ Results json.RawMessage }
				where := "POST /v1/classifications of " + id
				decode(a.t, a.ask(tenant, "POST", "/v1/classifications", `{"model": "`+id+`", "input": ["my lamp", "a song"]}`), &answer)
				a.answers[tenant+" "+where] = string(answer.Results)
			}
		}
	}
	delete(a.answers, tenant+" POST /v1/classifications") // it has an ID of its own
}

// list returns the IDs of all pages.
func (a *asker) list(tenant, path string) (ids []string) {
	for page := 0; ; page++ {
		var answer struct{ Data []struct{ ID string } }
		decode(a.t, a.ask(tenant, "GET", fmt.Sprintf("%s?page_size=100&page=%d", path, page), ""), &answer)
		for _, one := range answer.Data {
			if !slices.Contains(ids, one.ID) {
				ids = append(ids, one.ID)
			}
		}
		if len(answer.Data) < 100 || len(ids) != (page+1)*100 { // models come all at once
			return ids
		}
	}
}

func (a *asker) ask(tenant, method, path, body string) string {
	a.t.Helper()
	request, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	if tenant != "" {
		request.Header.Set("Authorization", "Bearer "+tenant+"-key")
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := a.client.Do(request)
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		a.t.Fatalf("%s %s: %s %s, %v", method, path, response.Status, answer, err)
	}
	a.answers[tenant+" "+method+" "+path] = string(answer)
	return string(answer)
}

func compareAnswers(t *testing.T, before, after map[string]string) {
	t.Helper()
	if len(before) < 3*migratedModels {
		t.Fatalf("only %d answers", len(before))
	}
	if maps.Equal(before, after) {
		return
	}
	told := 0
	for path, answer := range before {
		if after[path] != answer && told < 3 {
			told++
			t.Errorf("%s was\n%s\nand is\n%s", path, answer, after[path])
		}
	}
	t.Errorf("%d answers before, %d after", len(before), len(after))
}
