package processes

import (
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// logged is how many lines of its log a process shows when the test fails.
const logged = 30

// Process is a program that runs.
type Process struct {
	name    string
	log     string
	command *exec.Cmd
}

// Start starts a program and waits until it is ready. It ends with the test if not
// before, and with the tests however they end.
func Start(t testing.TB, binary, address string, environment []string, arguments ...string) *Process {
	t.Helper()
	log, err := os.CreateTemp(t.TempDir(), "log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p := &Process{name: filepath.Base(binary), log: log.Name(), command: exec.Command(binary, arguments...)}
	p.command.Env = append(os.Environ(), environment...)
	p.command.Stdout, p.command.Stderr = log, log
	dieWithParent(p.command)
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of the log of %s:\n%s", p.name, p.endOfLog(t))
		}
		if p.Runs() {
			p.End(t, syscall.SIGTERM)
		}
	})
	waitUntilReady(t, address)
	return p
}

// Runs reports whether nobody has ended the process.
func (p *Process) Runs() bool { return p.command.ProcessState == nil }

// End waits until the process is gone: only then may another use its directory.
func (p *Process) End(t testing.TB, signal syscall.Signal) {
	t.Helper()
	err := errors.Join(p.command.Process.Signal(signal), p.command.Wait())
	var exit *exec.ExitError
	if errors.As(err, &exit) && signal == syscall.SIGKILL {
		return
	}
	if err != nil {
		t.Errorf("%s ended with %v", p.name, err)
	}
}

// Send sends a signal that does not end the process, such as SIGSTOP.
func (p *Process) Send(t testing.TB, signal syscall.Signal) {
	t.Helper()
	if err := p.command.Process.Signal(signal); err != nil {
		t.Error(err)
	}
}

// Log is what the process has written until now, a line each.
func (p *Process) Log(t testing.TB) []string {
	t.Helper()
	log, err := os.ReadFile(p.log)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(log)), "\n")
}

func (p *Process) endOfLog(t testing.TB) string {
	lines := p.Log(t)
	return strings.Join(lines[max(len(lines)-logged, 0):], "\n")
}

// FreeAddress gives an address on loopback that nobody listens at.
func FreeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return listener.Addr().String()
}

func waitUntilReady(t testing.TB, address string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		response, err := http.Get("http://" + address + "/readyz")
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not become ready: %v", address, err)
		}
	}
}
