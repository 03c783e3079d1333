package main

import (
	"os"
	"os/signal"
	"syscall"
	"unsafe"
)

// takeTerminal makes Ctrl-C the demo's alone. It reaches every process in the foreground, and
// make, when it is one of them, calls it an error. The shell takes the terminal back.
func takeTerminal() {
	foreground, err := foregroundOf(os.Stdin)
	if err != nil || foreground != syscall.Getpgrp() {
		return // no terminal, or somebody else's
	}
	// Who is not in the foreground is stopped when it asks for it.
	signal.Ignore(syscall.SIGTTOU)
	if syscall.Setpgid(0, 0) == nil {
		own := int32(syscall.Getpgrp()) //nolint:gosec // processes are numbered with 32 bits
		_, _, _ = syscall.Syscall(syscall.SYS_IOCTL, os.Stdin.Fd(), syscall.TIOCSPGRP, uintptr(unsafe.Pointer(&own)))
	}
}

// foregroundOf is the process group that has a terminal.
func foregroundOf(terminal *os.File) (int, error) {
	var group int32
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, terminal.Fd(), syscall.TIOCGPGRP, uintptr(unsafe.Pointer(&group)))
	if errno != 0 {
		return 0, errno
	}
	return int(group), nil
}
