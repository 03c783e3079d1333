//go:build !linux

package processes

import (
	"os/exec"
	"testing"
)

func dieWithParent(*exec.Cmd) {}

// PeakMemory is known on Linux alone.
func (p *Process) PeakMemory(testing.TB) int64 { return 0 }

// Memory is known on Linux alone.
func (p *Process) Memory(testing.TB) int64 { return 0 }

// OpenFiles is known on Linux alone.
func (p *Process) OpenFiles(testing.TB) int { return 0 }
