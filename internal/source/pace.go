package source

import (
	"errors"
	"time"
)

// objectAllowance is how long each object may keep one waiting for its first byte
// without that counting as slow. Across a continent that takes half as long.
const objectAllowance = 250 * time.Millisecond

var (
	// errGivenUp ends a stream that is waited for no longer, be it silent or slow.
	errGivenUp = errors.New("the storage is waited for no longer")
	errTooSlow = errors.New("the storage is too slow")
	// errLate is a look at storage that took too long.
	errLate = errors.New("the storage was not done in time")
)

// pace is how long the storage of a source may still be waited for. It is never
// longer than the time-out, gets shorter by waiting, and longer again by what comes.
// A storage that keeps the pace may take as long as it likes; one that sends a byte
// now and then is not waited for any longer than one that is silent. What the reader
// does between its reads does not count.
type pace struct {
	timeout        time.Duration
	bytesPerSecond int64
	left           time.Duration
}

func newPace(options ObjectStorageOptions) *pace {
	return &pace{timeout: options.Timeout, bytesPerSecond: options.MinBytesPerSecond, left: options.Timeout}
}

// opened counts the time that an object took to open.
func (p *pace) opened(waited time.Duration) { p.count(waited, objectAllowance) }

// read counts the time that some bytes took to come.
func (p *pace) read(waited time.Duration, bytes int) {
	p.count(waited, time.Duration(float64(bytes)/float64(p.bytesPerSecond)*float64(time.Second)))
}

func (p *pace) count(waited, allowed time.Duration) {
	p.left = min(p.left-waited+allowed, p.timeout)
}
