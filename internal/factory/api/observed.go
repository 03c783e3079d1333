package api

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
)

// observed measures and logs requests: what was asked for and how it went,
// never what was sent.
func (s *Server) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := s.now()
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		finish := s.traced(r)
		defer func() {
			finish(recorder.status)
			duration := s.now().Sub(started)
			s.requestSeconds.WithLabelValues(r.Pattern, strconv.Itoa(recorder.status)).Observe(duration.Seconds())
			level := slog.LevelInfo
			if r.Method == http.MethodGet && recorder.status < http.StatusBadRequest || recorder.status == http.StatusTooManyRequests {
				level = slog.LevelDebug // polling and probes would drown the rest, and floods the disk
			}
			s.logger.Log(r.Context(), level, "request",
				slog.String("method", r.Method), slog.String("route", r.Pattern), slog.Int("status", recorder.status), slog.Float64("duration_seconds", duration.Seconds()))
		}()
		s.recovered(next, recorder, r)
	})
}

// recovered answers also when a handler panics, unless its answer has begun: then the
// connection ends.
func (s *Server) recovered(next http.Handler, w *statusRecorder, r *http.Request) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		s.logger.ErrorContext(r.Context(), "request panicked", slog.String("route", r.Pattern), slog.Any("cause", cause), slog.String("stack", string(debug.Stack())))
		if w.begun {
			panic(http.ErrAbortHandler)
		}
		s.answer(w, r, http.StatusInternalServerError, errInternal)
	}()
	next.ServeHTTP(w, r)
}

// statusRecorder remembers the status of an answer.
type statusRecorder struct {
	http.ResponseWriter
	status int
	begun  bool
}

// WriteHeader implements http.ResponseWriter.
func (w *statusRecorder) WriteHeader(status int) {
	w.status, w.begun = status, true
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusRecorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
