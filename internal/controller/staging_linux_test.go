package controller

import (
	"strings"
	"syscall"
	"testing"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// TestVolumeSmallerThanTheFlagSays fills the disk before the budget is used up.
func TestVolumeSmallerThanTheFlagSays(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.datasets.staging.directory = t.TempDir()
	if err := syscall.Mount("tmpfs", d.datasets.staging.directory, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a file system that can be full takes the right to mount one: %v", err)
	}
	mounted := d.datasets.staging.directory
	t.Cleanup(func() {
		if err := syscall.Unmount(mounted, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	large := d.sorted("large")
	d.Create(large)
	ready := d.readyAfterPass(large)
	if ready.Reason != classifierv1alpha1.ReasonStagingFull || !strings.Contains(ready.Message, "is full") || !strings.Contains(ready.Message, "--staging-bytes") {
		t.Errorf("it is %s: %s", ready.Reason, ready.Message)
	}
	d.datasets.staging.directory = t.TempDir()
	d.settle(large, classifierv1alpha1.ReasonUploaded)
}
