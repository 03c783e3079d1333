package training

import (
	"bytes"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
)

func TestMain(m *testing.M) {
	RunIfChild()
	os.Exit(postgrestest.Tests{M: m}.Run())
}

// TestMemoryBudget: a training that takes more than its budget is ended, and says so in bytes.
func TestMemoryBudget(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the system does not tell what memory a process takes")
	}
	const budget = 64 << 10 // less than any process takes
	p := startIdle(t, budget)
	_, _ = io.Copy(io.Discard, p.output)
	err := p.end()
	over, ok := errors.AsType[*store.OutOfMemoryError](err)
	if !ok || over.Budget != budget || over.Bytes <= budget {
		t.Errorf("%v", err)
	}
}

// TestPeakMemoryIsTheChildsOwn: what the system counts of a process that has ended begins with
// what its parent had.
func TestPeakMemoryIsTheChildsOwn(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the system does not tell what memory a process takes")
	}
	const parents = 256 << 20
	held := bytes.Repeat([]byte{1}, parents)
	p := startIdle(t, 1<<30)
	_ = p.input.Close()
	_, _ = io.Copy(io.Discard, p.output)
	_ = p.end()
	if peak := p.peakMemory(); peak <= 0 || peak > parents/2 {
		t.Errorf("a child that did nothing had %d bytes, beside a parent's %d", peak, len(held))
	}
}

// TestDeathIsTold with what the process said last.
func TestDeathIsTold(t *testing.T) {
	p := startIdle(t, 1<<30)
	_ = p.input.Close() // as when its parent dies
	_, _ = io.Copy(io.Discard, p.output)
	err := p.end()
	if died, ok := errors.AsType[*store.DiedError](err); !ok || !strings.Contains(died.Reason, "is started by the factory") {
		t.Errorf("%v", err)
	}
}

// TestChildrenHaveNoSecrets of their parent's environment.
func TestChildrenHaveNoSecrets(t *testing.T) {
	t.Setenv("FACTORY_API_KEY", "canary")
	if environment := strings.Join(childEnvironment(1<<30), " "); strings.Contains(environment, "canary") {
		t.Error(environment)
	}
}

// startIdle starts a child that is not told what to train.
func startIdle(t *testing.T, budget int64) *process {
	t.Helper()
	p, err := startProcess(t.Context(), budget, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
