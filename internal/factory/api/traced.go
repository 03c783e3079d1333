package api

import (
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traced begins the span of a request, in the trace of the client's if it tells of one. The span has the
// route and the status, and nothing of what was sent. Probes have none: they would drown the rest.
func (s *Server) traced(r *http.Request) (finish func(status int)) {
	if s.config.Tracer == nil || !strings.HasPrefix(r.URL.Path, "/v1/") {
		return func(int) {}
	}
	ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := s.config.Tracer.Start(ctx, r.Method, trace.WithSpanKind(trace.SpanKindServer))
	*r = *r.WithContext(ctx) // who has r sees its route later
	return func(status int) {
		span.SetName(r.Pattern)
		_, route, _ := strings.Cut(r.Pattern, " ")
		span.SetAttributes(attribute.String("http.request.method", r.Method), attribute.String("http.route", route),
			attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}
