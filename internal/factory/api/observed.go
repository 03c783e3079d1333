package api

import (
	"log/slog"
	"net/http"
	"strconv"
)

// observed measures and logs requests: what was asked for and how it went,
// never what was sent.
func (s *Server) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := s.now()
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(recorder, r)
		duration := s.now().Sub(started)
		s.requestSeconds.WithLabelValues(r.Pattern, strconv.Itoa(recorder.status)).Observe(duration.Seconds())
		level := slog.LevelInfo
		if r.Method == http.MethodGet && recorder.status < http.StatusBadRequest || recorder.status == http.StatusTooManyRequests {
			level = slog.LevelDebug // polling and probes would drown the rest, and floods the disk
		}
		s.logger.Log(r.Context(), level, "request",
			slog.String("method", r.Method), slog.String("route", r.Pattern), slog.Int("status", recorder.status), slog.Duration("duration", duration))
	})
}

// statusRecorder remembers the status of an answer.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusRecorder) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusRecorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
