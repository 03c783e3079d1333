package main

import (
	"net/http"
	"sync/atomic"
)

// leaving is a server that says so before it ends: its /readyz fails, so that nobody sends it anything
// new, and what comes all the same is answered. Each answer is the last of its connection: a client
// that keeps one would send its next request into it in the moment in which it is closed.
type leaving struct {
	http.Handler
	begun atomic.Bool
}

// begin says that the server is about to end.
func (l *leaving) begin() { l.begun.Store(true) }

func (l *leaving) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if l.begun.Load() {
		w.Header().Set("Connection", "close")
		if r.URL.Path == "/readyz" {
			answerUnready(w, "the server is about to end")
			return
		}
	}
	l.Handler.ServeHTTP(w, r)
}
