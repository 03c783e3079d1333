package api

import (
	"net/http"
	"time"
)

const (
	// heldBodyBytes is how much of the bodies of requests to classify is held in memory
	// at once: the two largest. Decoded, they were measured to take 4 to 11 times that,
	// which beside a worker and the loaded models fits into 2 GiB.
	heldBodyBytes = 2 * maxClassifyBytes
	// smallBodyBytes do not count: a few texts need not wait behind many thousands.
	smallBodyBytes = 64 << 10

	// What a request that had to wait has from then on, as others have from the start.
	bodyReadTime  = time.Minute
	bodyWriteTime = 5 * time.Minute
)

// inMemory is an operation whose body is held in memory until the answer is
// written. It waits until there is room for it.
func (s *Server) inMemory(operate operation) http.Handler {
	respond := s.responder(maxClassifyBytes, operate)
	return s.authenticated(func(w http.ResponseWriter, r *http.Request, tenant string) {
		held := bytesToHold(r)
		if held == 0 {
			respond(w, r, tenant)
			return
		}
		if !s.bodies.TryAcquire(held) {
			if err := s.bodies.Acquire(r.Context(), held); err != nil {
				s.fail(w, r, err)
				return
			}
			giveTime(w, bodyReadTime, bodyWriteTime)
		}
		defer s.bodies.Release(held)
		respond(w, r, tenant)
	})
}

// bytesToHold is how many bytes of memory to reserve for a body.
func bytesToHold(r *http.Request) int64 {
	switch size := r.ContentLength; {
	case size < 0:
		return maxClassifyBytes // it does not say
	case size <= smallBodyBytes, size > maxClassifyBytes: // the latter is refused unread
		return 0
	default:
		return size
	}
}
