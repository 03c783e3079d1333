package factory

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// tree is what a directory has, by path.
func tree(t *testing.T, directory string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		files[path] = string(content)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return files
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// refused opens a directory that must be refused and left as it is.
func refused(t *testing.T, reason string, config Config, wants ...string) {
	t.Helper()
	before := tree(t, config.Directory)
	opened, err := Open(t.Context(), config)
	if err == nil {
		t.Errorf("%s: the directory is opened", reason)
		_ = opened.Close()
		return
	}
	for _, want := range wants {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", reason, err, want)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("%s: more than a sentence: %v", reason, err)
	}
	after := tree(t, config.Directory)
	for path := range after {
		if strings.HasSuffix(path, "-wal") || strings.HasSuffix(path, "-shm") {
			delete(after, path) // that readers of the database need
			delete(before, path)
		}
	}
	if !maps.Equal(before, after) {
		t.Errorf("%s: the directory is another after it was refused", reason)
	}
}

// TestIntegrityOfTheDatabase: a start with another database than the bytes were last used
// with is refused, and nothing is removed. With the right one everything is there again.
func TestIntegrityOfTheDatabase(t *testing.T) {
	postgrestest.SQLiteOnly(t, "it spoils a file")
	s := startServer(t, nil)
	database := filepath.Join(s.config.Directory, store.DatabaseName)
	first := s.upload("first.jsonl", intents(20))
	s.close()
	older := filepath.Join(t.TempDir(), "older")
	copyFile(t, database, older)
	s.open()
	second := s.upload("second.jsonl", intents(30))
	model := s.train("third.jsonl", intents(40))
	s.close()
	sound := filepath.Join(t.TempDir(), "sound")
	copyFile(t, database, sound)

	other := startServer(t, nil)
	for i := range 30 {
		other.upload(fmt.Sprintf("%d.jsonl", i), intents(i+2))
	}
	other.close()

	content, err := os.ReadFile(sound)
	if err != nil {
		t.Fatal(err)
	}
	garbage := bytes.Repeat([]byte("garbage!"), 512)
	write := func(parts ...[]byte) func() {
		return func() {
			if err := os.WriteFile(database, bytes.Join(parts, nil), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	spoilt := func(position int) func() {
		return func() {
			spoilt := bytes.Clone(content)
			spoilt[position] ^= 0xff
			write(spoilt)()
		}
	}
	foreign := t.TempDir()
	openedAt(t, foreign, 1, "CREATE TABLE songs (title TEXT)", "DROP TABLE goose_db_version")
	before := t.TempDir()
	openedAt(t, before, 3)
	for _, test := range []struct {
		reason string
		spoil  func()
		wants  []string
	}{
		{"it was deleted", func() {}, []string{"is missing", "restore a backup"}},
		{"a copy that failed", write(), []string{"is empty", "restore a backup"}},
		{"a database without tables", func() { s.execute(`PRAGMA user_version = 1`) }, []string{"no tables", "restore a backup"}},
		{"the database of another program", func() { copyFile(t, filepath.Join(foreign, store.DatabaseName), database) }, []string{"no tables", "restore a backup"}},
		{"yesterday's", func() { copyFile(t, older, database) }, []string{"is older than the bytes", "--accept"}},
		{"that of another directory, with more changes", func() { copyFile(t, filepath.Join(other.config.Directory, store.DatabaseName), database) }, []string{"another directory", "--accept"}},
		{"one from before an update", func() { copyFile(t, filepath.Join(before, store.DatabaseName), database) }, []string{"before an update", "restore a backup"}},
		{"a newer program's", func() {
			copyFile(t, sound, database)
			s.execute(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`)
		}, []string{"newer program", "99999", "start the newer program"}},
		{"garbage in its header", write(garbage[:100], content[100:]), []string{"damaged", "restore a backup"}},
		{"another byte where SQLite has its name", spoilt(3), []string{"damaged", "restore a backup"}},
		{"another size of pages", spoilt(16), []string{"damaged", "restore a backup"}},
		{"another format for writing", spoilt(18), []string{"damaged", "restore a backup"}},
		{"another format for reading", spoilt(19), []string{"damaged", "restore a backup"}},
		{"another number of pages", spoilt(30), []string{"damaged", "restore a backup"}},
		{"another format of the schema", spoilt(47), []string{"damaged", "restore a backup"}},
		{"a few bytes alone", write(content[:10]), []string{"damaged", "restore a backup"}},
		{"garbage alone", write(garbage), []string{"damaged", "restore a backup"}},
		{"a page of garbage", write(content[:8192], garbage, content[12288:]), []string{"damaged", "restore a backup"}},
		{"cut off", write(content[:len(content)/2]), []string{"damaged", "restore a backup"}},
		{"the file beside it was deleted", func() {
			copyFile(t, sound, database)
			remove(t, filepath.Join(s.config.Directory, "generation"))
		}, []string{"generation is missing", "--accept"}},
		{"the file beside it is garbage", func() {
			copyFile(t, sound, database)
			if err := os.WriteFile(filepath.Join(s.config.Directory, "generation"), garbage, 0o600); err != nil {
				t.Fatal(err)
			}
		}, []string{"generation is damaged", "--accept"}},
	} {
		generation := filepath.Join(t.TempDir(), "generation")
		copyFile(t, filepath.Join(s.config.Directory, "generation"), generation)
		for _, suffix := range []string{"", "-wal", "-shm"} {
			_ = os.Remove(database + suffix)
		}
		test.spoil()
		refused(t, test.reason, s.config, test.wants...)
		refused(t, test.reason+", again", s.config, test.wants...)
		copyFile(t, generation, filepath.Join(s.config.Directory, "generation"))
	}

	for _, suffix := range []string{"-wal", "-shm"} {
		_ = os.Remove(database + suffix)
	}
	copyFile(t, sound, database)
	s.open()
	for _, file := range []*mistral.File{first, second} {
		if status, body := s.request("GET", "/v1/files/"+file.ID+"/content", ""); status != 200 {
			t.Errorf("with the right database: %d %s", status, body)
		}
	}
	if _, err := s.client("alice-key").Classify(t.Context(), mistral.ClassifyRequest{Model: model, Input: []string{"lamp"}}); err != nil {
		t.Error(err)
	}
	other.open()
}

// TestIntegrityOfANewDirectory: what a first start leaves when it is cut off is no reason
// to refuse the next.
func TestIntegrityOfANewDirectory(t *testing.T) {
	postgrestest.SQLiteOnly(t, "its first starts are cut off between migrations")
	for _, test := range []struct {
		reason string
		make   func(t *testing.T, directory string)
	}{
		{"nothing there", func(t *testing.T, directory string) { remove(t, directory) }},
		{"an empty directory", func(*testing.T, string) {}},
		{"a file of the first start without content", func(t *testing.T, directory string) {
			if err := os.WriteFile(filepath.Join(directory, store.DatabaseName), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"half of the migrations", func(t *testing.T, directory string) { openedAt(t, directory, 1) }},
		{"all migrations, and no file beside the database", func(t *testing.T, directory string) { openedAt(t, directory, 7) }},
		{"what the file system has of its own", func(t *testing.T, directory string) {
			if err := os.MkdirAll(filepath.Join(directory, "lost+found"), 0o700); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			s := startServer(t, func(c *Config) { test.make(t, c.Directory) })
			s.upload("intents.jsonl", intents(20))
			s.close()
			s.open()
		})
	}
}

// TestIntegrityAfterACrash: bytes without a row, changes in SQLite's log alone, and a file
// that lags behind the database are what a crash leaves. They are no reason to refuse.
func TestIntegrityAfterACrash(t *testing.T) {
	postgrestest.SQLiteOnly(t, "what is copied is its log")
	s := startServer(t, nil)
	s.upload("first.jsonl", intents(20))
	generation := filepath.Join(t.TempDir(), "generation")
	copyFile(t, filepath.Join(s.config.Directory, "generation"), generation)
	file := s.upload("second.jsonl", intents(30))

	crashed := t.TempDir() // as a disk would be found on which the server was killed
	if err := os.CopyFS(crashed, os.DirFS(s.config.Directory)); err != nil {
		t.Fatal(err)
	}
	copyFile(t, generation, filepath.Join(crashed, "generation"))
	orphan := blobPath(crashed, strings.Repeat("ab", 32))
	if err := os.WriteFile(orphan, []byte("named, and not committed"), 0o600); err != nil {
		t.Fatal(err)
	}
	if log, err := os.Stat(filepath.Join(crashed, store.DatabaseName+"-wal")); err != nil || log.Size() == 0 {
		t.Fatalf("nothing is in the log alone: %v", err)
	}
	again := startServer(t, func(c *Config) { c.Directory = crashed })
	if _, err := again.client("alice-key").GetFile(t.Context(), file.ID); err != nil {
		t.Error(err)
	}
}

// TestIntegrityKeepsUnreferencedBytesADay, counted from when they were found, and
// only while all is well.
func TestIntegrityKeepsUnreferencedBytesADay(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	s := startServer(t, func(c *Config) { c.Clock = func() time.Time { return now } })
	file := s.upload("intents.jsonl", intents(20))
	orphan := s.blobPath(strings.Repeat("ab", 32))
	if err := os.WriteFile(orphan, []byte("nobody's"), 0o600); err != nil {
		t.Fatal(err)
	}
	old := now.Add(-1000 * time.Hour)
	if err := os.Chtimes(orphan, old, old); err != nil {
		t.Fatal(err)
	}
	foreign := s.blobPath("notes.txt")
	if err := os.WriteFile(foreign, []byte("somebody's"), 0o600); err != nil {
		t.Fatal(err)
	}
	stored := s.blobPath(*file.SHA256)
	aside := filepath.Join(t.TempDir(), "aside")
	for _, test := range []struct {
		reason  string
		after   time.Duration
		missing bool // bytes that are needed
		removed int
	}{
		{"found", 0, false, 0},
		{"not yet a day", 23 * time.Hour, false, 0},
		{"a day, but something is amiss", 25 * time.Hour, true, 0},
		{"all is well again", 26 * time.Hour, false, 1},
		{"nothing is left to remove", 100 * time.Hour, false, 0},
	} {
		if test.missing {
			copyFile(t, stored, aside)
			remove(t, stored)
		}
		s.close() // what is known of them outlives a restart
		s.open()
		removed, err := s.factory.store.RemoveUnreferenced(t.Context(), now.Add(test.after))
		if removed != test.removed || (err != nil) != test.missing {
			t.Errorf("%s: %d removed, %v", test.reason, removed, err)
		}
		if _, err := os.Stat(orphan); (err == nil) != (test.after < 26*time.Hour) {
			t.Errorf("%s: %v", test.reason, err)
		}
		if test.missing {
			copyFile(t, aside, stored)
		}
	}
	for _, path := range []string{foreign, stored} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}
