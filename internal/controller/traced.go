package controller

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// traced makes a span of each pass, which tells what object it is of and whether it failed.
type traced struct {
	next   reconcile.Reconciler
	tracer trace.Tracer
	name   string
}

func newTraced(next reconcile.Reconciler, tracer trace.Tracer, kind string) *traced {
	if tracer == nil {
		tracer = noop.Tracer{}
	}
	return &traced{next: next, tracer: tracer, name: "Reconcile " + kind}
}

// Reconcile implements reconcile.Reconciler.
func (t *traced) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	ctx, span := t.tracer.Start(ctx, t.name, trace.WithAttributes(
		attribute.String("k8s.namespace.name", request.Namespace), attribute.String("k8s.object.name", request.Name)))
	defer span.End()
	result, err := t.next.Reconcile(ctx, request)
	if err != nil {
		span.SetStatus(codes.Error, "") // the log has the words
	}
	return result, err
}
