package api

import (
	"cmp"
	"context"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
)

const (
	// bodyShare is how much of the bodies of one tenant's requests is held in memory at
	// once: the largest one. Decoded, bodies were measured to take 4 to 11 times that.
	bodyShare = maxClassifyBytes
	// heldBodyBytes is how much of everybody's is: two shares, which beside a worker and
	// the loaded models fits into 2 GiB.
	heldBodyBytes = 2 * bodyShare
	// smallBodyBytes of each body do not count: a few texts need not wait behind many
	// thousands. How many there are at once is bounded by bodiesInHand.
	smallBodyBytes = 64 << 10
	// bodyStep is how much memory is taken at a time.
	bodyStep = 256 << 10
)

// bodyMemory is what bodies take of memory as their bytes arrive. Whoever has begun
// must be able to end, so that it gives what everybody inside needs to end, one after
// the other, and lets others wait (Dijkstra's banker).
type bodyMemory struct {
	mutex  sync.Mutex
	bodies map[*heldBody]struct{}
	freed  chan struct{} // closed when there is more
}

func newBodyMemory() *bodyMemory {
	return &bodyMemory{bodies: map[*heldBody]struct{}{}, freed: make(chan struct{})}
}

// heldBody is a body that stays in memory until it is released.
type heldBody struct {
	io.ReadCloser
	context context.Context
	memory  *bodyMemory
	tenant  string
	size    int64 // the most that it can have
	read    int64
	held    int64
}

func (m *bodyMemory) holder(tenant string) *heldBody { return &heldBody{memory: m, tenant: tenant} }

// hold counts the body of a request, which has at most maxBytes, as it is read.
func (b *heldBody) hold(r *http.Request, maxBytes int64) {
	b.ReadCloser, b.context, b.size = r.Body, r.Context(), maxBytes
	if r.ContentLength >= 0 {
		b.size = r.ContentLength
	}
	r.Body = b
}

func (b *heldBody) Read(p []byte) (int, error) {
	room := smallBodyBytes + b.held - b.read
	if room == 0 && b.read < b.size {
		if err := b.take(min(bodyStep, b.size-b.read)); err != nil {
			return 0, err
		}
		room = smallBodyBytes + b.held - b.read
	}
	if room > 0 {
		p = p[:min(int64(len(p)), room)]
	}
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if err != nil {
		b.complete()
	}
	return n, err
}

// take waits for memory.
func (b *heldBody) take(bytes int64) error {
	for {
		freed, ok := b.tryTake(bytes)
		if ok {
			return nil
		}
		select {
		case <-freed:
		case <-b.context.Done():
			return b.context.Err()
		}
	}
}

func (b *heldBody) tryTake(bytes int64) (freed <-chan struct{}, ok bool) {
	b.memory.mutex.Lock()
	defer b.memory.mutex.Unlock()
	b.memory.bodies[b] = struct{}{}
	b.held += bytes
	if b.memory.allCanEnd() {
		return nil, true
	}
	b.held -= bytes
	if b.held == 0 {
		delete(b.memory.bodies, b)
	}
	return b.memory.freed, false
}

// complete gives up what the body could still have become.
func (b *heldBody) complete() {
	if b.held > 0 {
		b.memory.change(func() { b.size = b.read })
	}
}

// release gives back what the body has.
func (b *heldBody) release() {
	if b.held > 0 {
		b.memory.change(func() { delete(b.memory.bodies, b) })
	}
}

// change lets those who wait try again.
func (m *bodyMemory) change(change func()) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	change()
	close(m.freed)
	m.freed = make(chan struct{})
}

// rest is what the body can still need.
func (b *heldBody) rest() int64 { return max(b.size-smallBodyBytes-b.held, 0) }

// allCanEnd says whether what is there is enough for all bodies, when those that need
// least end first and give back what they have.
func (m *bodyMemory) allCanEnd() bool {
	bodies := slices.SortedFunc(maps.Keys(m.bodies), func(a, b *heldBody) int { return cmp.Compare(a.rest(), b.rest()) })
	free, taken := int64(heldBodyBytes), map[string]int64{}
	for _, body := range bodies {
		free -= body.held
		taken[body.tenant] += body.held
	}
	for _, body := range bodies {
		if body.rest() > min(free, bodyShare-taken[body.tenant]) {
			return false
		}
		free += body.held
		taken[body.tenant] -= body.held
	}
	return true
}
