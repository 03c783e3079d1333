package main

import (
	"bytes"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// key runs a command about keys, without the key of the environment.
func key(t *testing.T, arguments ...string) (stdout, stderr string, err error) {
	t.Helper()
	run := command(t, "", append([]string{"key"}, arguments...)...)
	var out, problems bytes.Buffer
	run.Stdout, run.Stderr = &out, &problems
	err = run.Run()
	return out.String(), problems.String(), err
}

// opens reports whether a factory takes a key for its models.
func (p *process) opens(t *testing.T, secret string) bool {
	t.Helper()
	client, err := mistral.NewClient(mistral.Config{BaseURL: p.url, Key: mistral.NewKey(secret), HTTPClient: noKeepAlive})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.ListModels(t.Context())
	if err != nil && !mistral.IsUnauthorized(err) {
		t.Fatal(err)
	}
	return err == nil
}

// TestKeysFromTheCommandLine are created and revoked while a factory runs and while none
// does; a new directory's first key lets it start.
func TestKeysFromTheCommandLine(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "data")
	create := func(arguments ...string) string {
		t.Helper()
		stdout, stderr, err := key(t, append([]string{"create", "--data-dir", directory}, arguments...)...)
		secret, more, _ := strings.Cut(stdout, "\n")
		if err != nil || len(secret) < 40 || more != "" || strings.Contains(stderr, secret) {
			t.Fatalf("create: %v, %q, %q; want the secret alone on standard output", err, stdout, stderr)
		}
		return secret
	}
	list := func(arguments ...string) []string {
		t.Helper()
		stdout, stderr, err := key(t, append([]string{"list", "--data-dir", directory}, arguments...)...)
		if err != nil {
			t.Fatalf("list: %v %s", err, stderr)
		}
		return strings.Split(strings.TrimSpace(stdout), "\n")[1:]
	}
	before := create("--name", "before the start", "--scopes", "classify,train")
	running := startWithKey(t, "", directory)
	during := create("--tenant", "mail/app", "--expires-in", "720h", "--models", "ft:a,ft:b")
	for _, secret := range []string{before, during} {
		if !running.opens(t, secret) {
			t.Error("a key that was created is refused")
		}
	}

	lines := list()
	if len(lines) != 2 || !strings.Contains(lines[0], "mail/app") || !strings.Contains(lines[0], "ft:a,ft:b") || !strings.Contains(lines[1], "before the start") {
		t.Errorf("list: %q; want both, the last one first", lines)
	}
	if found := list("--tenant", "mail"); len(found) != 1 {
		t.Errorf("list of a tenant: %q; want that of its namespace", found)
	}
	for _, secret := range []string{before, during} {
		if strings.Contains(strings.Join(lines, ""), secret[5:]) {
			t.Error("the list tells a secret")
		}
	}
	id, _, _ := strings.Cut(lines[0], " ")
	if stdout, stderr, err := key(t, "revoke", id, "--data-dir", directory); err != nil || !strings.Contains(stdout, id) {
		t.Errorf("revoke: %v %q %q", err, stdout, stderr)
	}
	if running.opens(t, during) || !running.opens(t, before) {
		t.Error("after revoking one key, want the other alone")
	}
	if status := status(t, running.url+"/readyz"); status != http.StatusOK {
		t.Errorf("ready: %d", status)
	}
}

func TestKeyCommandRefuses(t *testing.T) {
	directory := t.TempDir()
	if _, stderr, err := key(t, "create", "--data-dir", directory); err != nil {
		t.Fatal(err, stderr)
	}
	for _, test := range []struct {
		reason    string
		arguments []string
		want      string
	}{
		{"nothing to do", nil, "factory key create"},
		{"an unknown command", []string{"make"}, "factory key create"},
		{"no directory", []string{"create"}, "--data-dir"},
		{"an unknown scope", []string{"create", "--data-dir", directory, "--scopes", "everything"}, "classify, train, admin, act-for"},
		{"an empty scope", []string{"create", "--data-dir", directory, "--scopes", "classify,"}, "classify, train, admin, act-for"},
		{"an expiry in the past", []string{"create", "--data-dir", directory, "--expires-in", "-1h"}, "future"},
		{"models of a key that trains", []string{"create", "--data-dir", directory, "--scopes", "train", "--models", "ft:a"}, "models"},
		{"an empty model", []string{"create", "--data-dir", directory, "--models", "ft:a,"}, "models"},
		{"no tenant", []string{"create", "--data-dir", directory, "--tenant", ""}, "tenant"},
		{"a name that rewrites the terminal", []string{"create", "--data-dir", directory, "--name", "\x1b[2J"}, "control"},
		{"a name without its flag", []string{"create", "--data-dir", directory, "mail"}, "--name"},
		{"a list of what is not there", []string{"list", "--data-dir", filepath.Join(directory, "none")}, "no keys"},
		{"nothing to revoke", []string{"revoke", "--data-dir", directory}, "IDs"},
		{"an ID of no key", []string{"revoke", "--data-dir", directory, "none"}, `"none"`},
		{"an empty ID is not every key's", []string{"revoke", "--data-dir", directory, ""}, `""`},
	} {
		if stdout, stderr, err := key(t, test.arguments...); err == nil || stdout != "" || !strings.Contains(stderr, test.want) {
			t.Errorf("%s: %v, %q, %q; want %q", test.reason, err, stdout, stderr, test.want)
		}
	}
	if stdout, _, err := key(t, "list", "--data-dir", directory); err != nil || strings.Count(stdout, "\n") != 2 {
		t.Errorf("list: %v %q; want the one key still", err, stdout)
	}
}
