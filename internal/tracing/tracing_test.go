package tracing

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// TestNothingIsTracedUnlessAsked: no span costs anything where nobody wants it.
func TestNothingIsTracedUnlessAsked(t *testing.T) {
	for _, variables := range [][]string{
		{},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318", "OTEL_SDK_DISABLED", "true"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318", "OTEL_TRACES_EXPORTER", "none"},
	} {
		tracer, end, err := Open(t.Context(), "test", environment(variables...))
		if err != nil {
			t.Fatal(err)
		}
		if _, span := tracer.Start(t.Context(), "span"); span.IsRecording() || span.SpanContext().IsValid() {
			t.Errorf("with %v a span is made", variables)
		}
		if err := end(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestSpansReachTheCollector(t *testing.T) {
	for _, test := range []struct {
		reason, variable, path, want string
	}{
		{"of all signals", "OTEL_EXPORTER_OTLP_ENDPOINT", "/tenant", "/tenant/v1/traces"},
		{"of traces alone, which is the whole address", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "/spans", "/spans"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			var path, key string
			var spans tracepb.TracesData
			collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				path, key = r.URL.Path, r.Header.Get("Api-Key")
				body, err := io.ReadAll(r.Body)
				if err == nil {
					err = proto.Unmarshal(body, &spans)
				}
				if err != nil {
					t.Error(err)
				}
			}))
			defer collector.Close()
			tracer, end, err := Open(t.Context(), "a-service", environment(test.variable, collector.URL+test.path, "OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20key,x=y"))
			if err != nil {
				t.Fatal(err)
			}
			_, span := tracer.Start(t.Context(), "a-span")
			span.End()
			if err := end(t.Context()); err != nil {
				t.Error(err)
			}
			if path != test.want || key != "a key" {
				t.Errorf("sent to %s with the key %q", path, key)
			}
			if got := spans.String(); !strings.Contains(got, "a-span") || !strings.Contains(got, "a-service") {
				t.Errorf("sent was %s", got)
			}
		})
	}
}

// TestWhatCannotBe ends the start with a sentence that names the variable, and no secret.
func TestWhatCannotBe(t *testing.T) {
	const secret = "hunter2"
	for _, test := range []struct{ variable, value, want string }{
		{"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "4318"},
		{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", "http/protobuf"},
		{"OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "milliseconds"},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector:4318", "http://"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "key=" + secret + "%", "percent-encoded"},
	} {
		_, _, err := Open(t.Context(), "test", environment("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318", test.variable, test.value))
		if err == nil || !strings.Contains(err.Error(), "OTEL_EXPORTER_OTLP_") || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s=%s: %v", test.variable, test.value, err)
		}
	}
}
