//go:build !linux

package postgrestest

import (
	"os/exec"
	"syscall"
)

// dieWithParent cannot keep its promise here.
func dieWithParent(command *exec.Cmd, credential *syscall.Credential) {
	command.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
}
