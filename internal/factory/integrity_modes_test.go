package factory

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
)

// TestIntegrityOfModes: nobody but its owner reads what a factory keeps, or a backup of it,
// whatever the umask, and whatever an earlier version had left open to others.
func TestIntegrityOfModes(t *testing.T) {
	postgrestest.SQLiteOnly(t, "modes of its files")
	umask := syscall.Umask(0)
	defer syscall.Umask(umask)
	s := startServer(t, func(c *Config) { c.Directory = filepath.Join(c.Directory, "data") })
	s.train("intents.jsonl", intents(40))
	checkModes(t, "of a new directory", s.config.Directory)
	backup := filepath.Join(t.TempDir(), "backup")
	if err := Backup(t.Context(), Location{Directory: s.config.Directory}, backup); err != nil {
		t.Fatal(err)
	}
	checkModes(t, "of a backup", backup)

	s.close()
	for path, mode := range map[string]fs.FileMode{".": 0o755, "blobs": 0o755, "incoming": 0o755, "scratch": 0o777, "factory.db": 0o644, "lock": 0o644, "generation": 0o644} {
		if err := os.Chmod(filepath.Join(s.config.Directory, path), mode); err != nil {
			t.Fatal(err)
		}
	}
	s.open()
	s.upload("others.jsonl", intents(20))
	checkModes(t, "of a directory that was open to others", s.config.Directory)
}

func checkModes(t *testing.T, reason, directory string) {
	t.Helper()
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if entry.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s: %s has the mode %o, want %o", reason, path, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
