package factory

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
)

// TestDirectoriesAreShared by processes on one PostgreSQL, and by nobody with one on SQLite. Who is
// the first in it again removes what was cut off, and knows the name of those before him.
func TestDirectoriesAreShared(t *testing.T) {
	at := Location{Directory: t.TempDir(), DatabaseURL: postgrestest.URL(t)}
	open := func() (*directoryLock, func()) {
		t.Helper()
		opened, _, lock, err := openDirectory(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		return lock, func() {
			if err := opened.Close(); err != nil {
				t.Error(err)
			}
			if err := lock.release(); err != nil {
				t.Error(err)
			}
		}
	}
	first, endFirst := open()
	arriving := filepath.Join(at.Directory, "incoming", "upload")
	if err := os.WriteFile(arriving, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	second, endSecond := open()
	if first.processes == "" || first.processes != second.processes || first.gone != "" || second.gone != "" {
		t.Errorf("the first is of %q after %q, the second of %q after %q", first.processes, first.gone, second.processes, second.gone)
	}
	if _, err := os.Stat(arriving); err != nil {
		t.Errorf("the second process removed what the first is being sent: %v", err)
	}
	if _, err := lockDirectory(at.Directory); err == nil || !strings.Contains(err.Error(), "in use by another factory") {
		t.Errorf("a factory on SQLite: %v", err)
	}
	endFirst()
	endSecond()
	third, endThird := open()
	defer endThird()
	if third.gone != first.processes || third.processes == first.processes {
		t.Errorf("the third is of %q after %q, want it after %q", third.processes, third.gone, first.processes)
	}
	if _, err := os.Stat(arriving); err == nil {
		t.Error("an upload that was cut off is there")
	}
}
