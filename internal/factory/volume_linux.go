package factory

import "syscall"

// volumeBytes tells what a directory's volume has, and how much of it is for this process.
func volumeBytes(directory string) (size, available float64, err error) {
	var volume syscall.Statfs_t
	if err := syscall.Statfs(directory, &volume); err != nil {
		return 0, 0, err
	}
	block := float64(volume.Bsize)
	return float64(volume.Blocks) * block, float64(volume.Bavail) * block, nil
}
