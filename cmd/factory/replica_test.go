package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestASecondPodWithDataOfItsOwn is alive, so that nothing starts it again and again, and not ready. It
// touches no data, and says why where one looks.
func TestASecondPodWithDataOfItsOwn(t *testing.T) {
	const why = "replicas above 1 need --database-url and --blob-url"
	directory := t.TempDir()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	address := freeAddress(t)
	second := command(t, "secret-key", "--data-dir", directory, "--listen", address, "--replica", "1")
	second.Stderr = log
	if err := second.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = second.Process.Kill() })
	for deadline := time.Now().Add(time.Minute); !answers("http://" + address + "/healthz"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it is not alive")
		}
	}
	if said := awaitUnready(t, "http://"+address); !strings.Contains(said, why) {
		t.Errorf("/readyz says %s", said)
	}
	if got := status(t, "http://"+address+"/v1/models"); got != 503 {
		t.Errorf("models: %d", got)
	}
	if err := second.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := second.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
	if said, _ := os.ReadFile(log.Name()); strings.Count(string(said), why) != 1 {
		t.Errorf("the log says %s", said)
	}
	if entries, err := os.ReadDir(directory); err != nil || len(entries) > 0 {
		t.Errorf("in its directory are %v, %v", entries, err)
	}
}

func answers(url string) bool {
	response, err := noKeepAlive.Get(url)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == 200
}

func TestReplicasThatMayServe(t *testing.T) {
	const database, bucket = "postgres:///factory", "s3://factory"
	for _, test := range []struct {
		reason string
		o      options
		serves bool
	}{
		{"the only one", options{}, true},
		{"another on SQLite", options{replica: 1}, false},
		{"another without its files", options{replica: 1, databaseURL: database}, false},
		{"another that does not know of the files", options{replica: 1, blobURL: bucket}, false},
		{"one of several", options{replica: 2, databaseURL: database, blobURL: bucket}, true},
	} {
		if because := test.o.aloneBecause(); (because == "") != test.serves {
			t.Errorf("%s: %q", test.reason, because)
		}
	}
}
