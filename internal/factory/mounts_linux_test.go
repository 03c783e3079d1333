package factory

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// mayMount reports whether this process may mount file systems. If not, the test was run
// in another that may: in a namespace of its own, where every user is root.
func mayMount(t *testing.T) bool {
	t.Helper()
	directory := t.TempDir()
	refused := syscall.Mount("tmpfs", directory, "tmpfs", 0, "")
	if refused == nil {
		if err := syscall.Unmount(directory, 0); err != nil {
			t.Fatal(err)
		}
		return true
	}
	if os.Getenv("IN_NAMESPACE") == "1" {
		t.Fatalf("not even in a namespace: %v", refused)
	}
	again := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	again.Env = append(os.Environ(), "IN_NAMESPACE=1")
	again.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	output, err := again.CombinedOutput()
	if again.ProcessState == nil {
		t.Skipf("a file system of its own takes the right to mount one (%v) or a user namespace (%v)", refused, err)
	}
	t.Logf("in a user namespace:\n%s", output)
	if err != nil {
		t.Error(err)
	}
	return false
}

// smallDisk is a directory on a file system of its own, with few bytes.
func smallDisk(t *testing.T) string {
	t.Helper()
	directory := t.TempDir()
	if err := syscall.Mount("tmpfs", directory, "tmpfs", 0, "size=8m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// Once nothing is open on it any more, as when the test failed early.
		if err := syscall.Unmount(directory, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return directory
}
