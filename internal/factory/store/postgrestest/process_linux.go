package postgrestest

import (
	"os/exec"
	"syscall"
)

// dieWithParent ends the server also when the tests are killed.
func dieWithParent(command *exec.Cmd, credential *syscall.Credential) {
	command.SysProcAttr = &syscall.SysProcAttr{Credential: credential, Pdeathsig: syscall.SIGQUIT}
}
