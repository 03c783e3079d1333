package api

import (
	"context"
	"log/slog"
	"net/http"
	"regexp"

	"github.com/google/uuid"

	"github.com/classifier-factory/classifier-factory/internal/version"
)

const requestIDHeader = "X-Request-Id"

// saneRequestID can stand in a header and in a log, and nobody mistakes it for more.
var saneRequestID = regexp.MustCompile(`^[A-Za-z0-9._:/+=@-]{1,128}$`)

// requestIDKey is a request's ID in its context.
type requestIDKey struct{}

// Identified gives every answer the ID of its request, the client's own if that is
// sane, and the name of the server.
func Identified(next http.Handler) http.Handler {
	server := "classifier-factory/" + version.Number()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Context().Value(requestIDKey{}) != nil { // by a handler around this one
			next.ServeHTTP(w, r)
			return
		}
		id := r.Header.Get(requestIDHeader)
		if !saneRequestID.MatchString(id) {
			id = uuid.NewString()
		}
		w.Header().Set(requestIDHeader, id)
		w.Header().Set("Server", server)
		*r = *r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)) // who has r sees its route later
		next.ServeHTTP(w, r)
	})
}

// identifying adds the request's ID to all that is logged with its context.
type identifying struct{ slog.Handler }

// Handle implements slog.Handler.
func (h identifying) Handle(ctx context.Context, record slog.Record) error {
	if id, ok := ctx.Value(requestIDKey{}).(string); ok {
		record = record.Clone()
		record.AddAttrs(slog.String("request_id", id))
	}
	return h.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (h identifying) WithAttrs(attributes []slog.Attr) slog.Handler {
	return identifying{h.Handler.WithAttrs(attributes)}
}

// WithGroup implements slog.Handler.
func (h identifying) WithGroup(name string) slog.Handler {
	return identifying{h.Handler.WithGroup(name)}
}
