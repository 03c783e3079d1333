package api

import (
	"bytes"
	"io"
	"net/http"
)

const (
	// bodiesInHand is how many bodies of a tenant are in memory at a time. Others wait
	// unread.
	bodiesInHand = 128
	// uploadsInHand is how many files a tenant can send at a time. Each has a buffer;
	// others wait unread.
	uploadsInHand = 32
	// changesInHand is how many changes a tenant makes at a time. The database makes one
	// after the other, whoever's they are.
	changesInHand = 4
)

// handler answers a tenant's request.
type handler = func(w http.ResponseWriter, r *http.Request, tenant string)

// inSlots has a tenant's requests with a body wait for each other.
func (s *Server) inSlots(slots *slots, next handler) handler {
	return func(w http.ResponseWriter, r *http.Request, tenant string) {
		if r.ContentLength == 0 {
			next(w, r, tenant)
			return
		}
		giveBack, err := slots.take(r.Context(), tenant)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		defer giveBack()
		next(w, r, tenant)
	}
}

// inMemory is an operation whose body is held in memory until the answer is written.
func (s *Server) inMemory(maxBytes int64, operate operation) handler {
	return s.inSlots(s.bodySlots, func(w http.ResponseWriter, r *http.Request, tenant string) {
		held := s.bodies.holder(tenant)
		defer held.release()
		s.responder(maxBytes, func(r *http.Request, tenant string) (any, error) {
			held.hold(r, maxBytes)
			return operate(r, tenant)
		})(w, r, tenant)
	})
}

// inChangeSlots has a tenant's changes wait for each other when all of their bodies is there.
func (s *Server) inChangeSlots(operate operation) operation {
	return func(r *http.Request, tenant string) (any, error) {
		if r.Method == http.MethodGet {
			return operate(r, tenant)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, bodyProblem(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		giveBack, err := s.changeSlots.take(r.Context(), tenant)
		if err != nil {
			return nil, err
		}
		defer giveBack()
		return operate(r, tenant)
	}
}

// classification is an operation in memory that works when it is its tenant's turn.
func (s *Server) classification(operate func(r *http.Request, tenant string, turn *turn) (any, error)) http.Handler {
	return s.authenticated(func(w http.ResponseWriter, r *http.Request, tenant string) {
		turn := s.turns.request(tenant)
		defer turn.over()
		s.inMemory(maxClassifyBytes, func(r *http.Request, tenant string) (any, error) {
			r.Body = turn.body(r.Body)
			return operate(r, tenant, turn)
		})(turn.writer(w), r, tenant)
	})
}
