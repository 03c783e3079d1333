package controller

import "time"

const (
	// busyRecheck is how soon a dataset tries again that found no slot free.
	busyRecheck = time.Second
	// maxPreparations and maxUploads bound what the manager does at a time, and so
	// its memory, disk and the factory's load. Small datasets take no time worth
	// sharing out, and large ones are bound by the disk and the network.
	maxPreparations = 2
	maxUploads      = 4
)

// slots bounds how many do something at a time. Who finds none free comes back
// later instead of blocking a worker.
type slots chan struct{}

func (s slots) enter() bool {
	select {
	case s <- struct{}{}:
		return true
	default:
		return false
	}
}

func (s slots) leave() { <-s }
