package monitoring

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector takes spans by OTLP over HTTP, as OpenTelemetry's does.
type collector struct {
	url   string
	mutex sync.Mutex
	spans []*tracepb.Span
}

func startCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var sent tracepb.TracesData
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = proto.Unmarshal(body, &sent)
		}
		if err != nil {
			t.Error(err)
		}
		c.mutex.Lock()
		defer c.mutex.Unlock()
		for _, resource := range sent.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				c.spans = append(c.spans, scope.Spans...)
			}
		}
	}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// find gives the first span of a name.
func (c *collector) find(t *testing.T, name string, kind tracepb.Span_SpanKind) *tracepb.Span {
	t.Helper()
	for _, span := range c.spans {
		if span.Name == name && span.Kind == kind {
			return span
		}
	}
	t.Fatalf("no span is called %q, of %d", name, len(c.spans))
	return nil
}

// followACreation goes from the factory's request back to the pass of the operator that made it.
func (c *collector) followACreation(t *testing.T) {
	t.Helper()
	byID := map[string]*tracepb.Span{}
	for _, span := range c.spans {
		byID[hex.EncodeToString(span.SpanId)] = span
	}
	request := c.find(t, "POST /v1/fine_tuning/jobs", tracepb.Span_SPAN_KIND_SERVER)
	for _, want := range []string{"CreateJob", "Reconcile ClassifierTrainingJob"} {
		parent := byID[hex.EncodeToString(request.ParentSpanId)]
		if parent == nil || parent.Name != want || string(parent.TraceId) != string(request.TraceId) {
			t.Fatalf("%s is part of %v, not of %s", request.Name, parent, want)
		}
		request = parent
	}
	for _, stage := range []string{"job VALIDATING", "job RUNNING"} {
		if span := c.find(t, stage, tracepb.Span_SPAN_KIND_INTERNAL); len(span.Attributes) != 1 || span.Attributes[0].Key != "classifier_factory.job.id" {
			t.Errorf("%s has the attributes %v", stage, span.Attributes)
		}
	}
	for _, span := range c.spans {
		if strings.Contains(span.Name, "healthz") || strings.Contains(span.Name, "readyz") {
			t.Errorf("a probe is traced: %s", span.Name)
		}
	}
}

// holdsNothingOf keys, texts, labels and addresses.
func (c *collector) holdsNothingOf(t *testing.T, secrets ...string) {
	t.Helper()
	for _, span := range c.spans {
		for _, secret := range secrets {
			if strings.Contains(span.String(), secret) {
				t.Errorf("a span tells %s: %s", secret, span)
			}
		}
	}
}
