package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// reboot loses what a node loses with its power: kubelet, containerd, every container, and what was mounted or lay in
// /run. The control plane stays, as if it were another machine.
func (n *node) reboot() error {
	if err := n.cutPower(); err != nil {
		return err
	}
	if err := errors.Join(unmountBelow("/var/lib/kubelet/"), unmountBelow("/run/"), empty("/run")); err != nil {
		return err
	}
	return errors.Join(n.startRuntime(), n.startKubelet(), n.waitUntilReady())
}

func (n *node) cutPower() error {
	for _, name := range []string{"kubelet", "containerd"} {
		if err := n.running[name].Process.Kill(); err != nil {
			return fmt.Errorf("killing %s: %w", name, err)
		}
		_ = n.running[name].Wait() // says that it was killed
	}
	return eventually(time.Minute, func() error {
		left, err := containerProcesses()
		for _, process := range left {
			_ = syscall.Kill(process, syscall.SIGKILL) // it may have ended
		}
		if err == nil && len(left) > 0 {
			err = fmt.Errorf("the processes %v do not end", left)
		}
		return err
	})
}

// containerProcesses are those of the machine that neither are this one, nor the first, nor started by this one.
func containerProcesses() (processes []int, err error) {
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		stat, readError := os.ReadFile(path)
		if readError != nil {
			continue // it has ended
		}
		process, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		// After the name, which may have any character: the state and the parent.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if process != 1 && process != os.Getpid() && fields[1] != strconv.Itoa(os.Getpid()) && fields[0] != "Z" {
			processes = append(processes, process)
		}
	}
	return processes, err
}

func unmountBelow(folder string) error {
	mounts, err := os.ReadFile("/proc/self/mounts")
	problems := []error{err}
	for line := range strings.Lines(string(mounts)) {
		place := strings.Fields(line)[1]
		if !strings.HasPrefix(place, folder) {
			continue
		}
		// Lazily: one with others in it goes before them.
		if output, err := exec.Command("umount", "--lazy", place).CombinedOutput(); err != nil && !strings.Contains(string(output), "not mounted") {
			problems = append(problems, fmt.Errorf("unmounting %s: %w\n%s", place, err, output))
		}
	}
	return errors.Join(problems...)
}

func empty(folder string) error {
	entries, err := os.ReadDir(folder)
	problems := []error{err}
	for _, entry := range entries {
		problems = append(problems, os.RemoveAll(filepath.Join(folder, entry.Name())))
	}
	return errors.Join(problems...)
}
