//go:build !linux

package training

import (
	"os"
	"syscall"
)

func thisProgram() (string, error) { return os.Executable() }

// memoryOf is not known here: a training's budget is kept by its collector alone.
func memoryOf(int) int64 { return 0 }

// maxResident is in bytes.
func maxResident(usage *syscall.Rusage) int64 { return usage.Maxrss }
