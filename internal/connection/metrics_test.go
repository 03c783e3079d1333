package connection

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestCallsAreCountedByTheirClass holds the labels, of which a server may not make
// up any.
func TestCallsAreCountedByTheirClass(t *testing.T) {
	t.Parallel()
	m := newMetrics(nil, nil)
	for _, call := range []struct {
		reason string
		err    error
		class  string
	}{
		{"an answer", nil, "2xx"},
		{"a refusal", &mistral.Error{StatusCode: 422}, "4xx"},
		{"a fault", &mistral.Error{StatusCode: 503}, "5xx"},
		{"no answer", &mistral.Error{}, "none"},
		{"no status", &mistral.Error{StatusCode: 999}, "none"},
		{"the operator ends", context.Canceled, "none"},
	} {
		before := testutil.ToFloat64(m.calls.WithLabelValues("GetJob", call.class))
		m.called("GetJob", time.Second, call.err)
		if got := testutil.ToFloat64(m.calls.WithLabelValues("GetJob", call.class)); got != before+1 {
			t.Errorf("%s is not counted as %s", call.reason, call.class)
		}
	}
	m.notCalled(&ClosedError{})
	m.notCalled(&ClosedError{Cause: errors.New("the factory fails")})
	m.notCalled(&ClosedError{Cause: errors.New("the factory fails")})
	if budget, pause := testutil.ToFloat64(m.throttled.WithLabelValues(causeBudget)), testutil.ToFloat64(m.throttled.WithLabelValues(causePause)); budget != 1 || pause != 2 {
		t.Errorf("%v for the budget and %v for a pause", budget, pause)
	}
}
