package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestIntegrityCommands verify and back up what a running factory has, and say in their
// exit status whether it is sound.
func TestIntegrityCommands(t *testing.T) {
	directory, backup := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	running := start(t, directory)
	rows := `{"text": "lamp", "labels": {"intent": "light"}}` + "\n"
	file, err := running.client(t).UploadFile(t.Context(), mistral.Upload{Filename: "a.jsonl", Content: strings.NewReader(rows), Size: int64(len(rows))})
	if err != nil {
		t.Fatal(err)
	}
	blob := filepath.Join("blobs", *file.SHA256)
	for _, test := range []struct {
		reason    string
		before    func()
		arguments []string
		wants     []string
		fails     bool
	}{
		{"a factory that runs", nil, []string{"verify", "--data-dir", directory}, []string{"needed:   1 blobs, 48 bytes", "problems: 0"}, false},
		{"a backup of it", nil, []string{"backup", "--data-dir", directory, "--to", backup}, nil, false},
		{"the backup", nil, []string{"verify", "--data-dir", backup}, []string{"needed:   1 blobs, 48 bytes", "problems: 0"}, false},
		{"a backup with a flipped bit", func() { flip(t, filepath.Join(backup, blob)) }, []string{"verify", "--data-dir", backup},
			[]string{"damaged", "file " + file.ID, "upload the same file again", "problems: 1", "the directory is not sound"}, true},
		{"no backup of what is damaged", func() { flip(t, filepath.Join(directory, blob)) }, []string{"backup", "--data-dir", directory, "--to", backup + "-2"}, []string{"damaged"}, true},
		{"a running factory has its database", nil, []string{"verify", "--data-dir", directory, "--accept"}, []string{"in use by another factory"}, true},
		{"a directory of something else", nil, []string{"verify", "--data-dir", t.TempDir()}, []string{"name the directory of a factory"}, true},
		{"no directory", nil, []string{"verify"}, []string{"needs --data-dir"}, true},
		{"nowhere to", nil, []string{"backup", "--data-dir", directory}, []string{"needs --to"}, true},
		{"a word too many", nil, []string{"verify", "--data-dir", directory, "now"}, []string{`takes no "now"`}, true},
		{"help", nil, []string{"verify", "--help"}, []string{"-accept"}, false},
	} {
		if test.before != nil {
			test.before()
		}
		output, err := command(t, "", test.arguments...).CombinedOutput()
		if (err != nil) != test.fails {
			t.Errorf("%s: %v, %s", test.reason, err, output)
		}
		for _, want := range test.wants {
			if !strings.Contains(string(output), want) {
				t.Errorf("%s: %s; want %q", test.reason, output, want)
			}
		}
	}
}

// flip changes a bit of a file.
func flip(t *testing.T, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestIntegrityOfAVolumeWithoutItsGroup: it is told in a sentence that the process may not
// write to it.
func TestIntegrityOfAVolumeWithoutItsGroup(t *testing.T) {
	if os.Getuid() == 0 && runtime.GOOS != "linux" {
		t.Skip("to root every directory is writable, and this test becomes another user by way of /proc")
	}
	directory, err := os.MkdirTemp("", "") // that others can reach
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(directory) })
	if err := os.Chmod(directory, 0o555); err != nil {
		t.Fatal(err)
	}
	refused := command(t, "k", "--data-dir", directory, "--listen", "127.0.0.1:0")
	if os.Getuid() == 0 {
		refused.Path = "/proc/self/exe" // which the other user has no other way to
		refused.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	output, err := refused.CombinedOutput()
	if err == nil || !strings.Contains(string(output), directory+" may not be written to by this process") || !strings.Contains(string(output), "fsGroup") || bytes.Count(output, []byte("\n")) != 1 {
		t.Errorf("%v, %s", err, output)
	}
}
