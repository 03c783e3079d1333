package objectservers

import (
	"os/exec"
	"syscall"
)

// dieWithParent ends the server also when the tests are killed.
func dieWithParent(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
