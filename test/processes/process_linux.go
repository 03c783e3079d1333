package processes

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// dieWithParent ends the process also when the tests are killed.
func dieWithParent(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// PeakMemory is the most bytes that a running process had resident. What the system
// counts for a process that has ended begins with the memory of its parent.
func (p *Process) PeakMemory(t testing.TB) int64 { return p.status(t, "VmHWM:") << 10 }

// Memory is how many bytes a running process has resident.
func (p *Process) Memory(t testing.TB) int64 { return p.status(t, "VmRSS:") << 10 }

// OpenFiles is how many files, sockets among them, a running process has open.
func (p *Process) OpenFiles(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.command.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func (p *Process) status(t testing.TB, name string) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, figure, runs := strings.Cut(string(status), name)
	if !runs {
		t.Fatalf("%s has ended", p.name)
	}
	value, err := strconv.ParseInt(strings.Fields(figure)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}
