package training

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// thisProgram is this program even when another one has taken its place on the disk.
func thisProgram() (string, error) {
	const link = "/proc/self/exe"
	if _, err := os.Stat(link); err == nil {
		return link, nil
	}
	return os.Executable()
}

// memoryOf is how many bytes a process has in memory that the kernel cannot take back, as
// it can those of files. It is zero when the process has ended.
func memoryOf(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(status) {
		if value, ok := bytes.CutPrefix(line, []byte("RssAnon:")); ok {
			kilobytes, err := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(value), []byte("kB")))), 10, 64)
			if err != nil {
				return 0
			}
			return kilobytes << 10
		}
	}
	return 0
}

// maxResident is in bytes.
func maxResident(usage *syscall.Rusage) int64 { return usage.Maxrss << 10 }
