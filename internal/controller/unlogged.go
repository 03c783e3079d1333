package controller

import (
	"context"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// unlogged is the context of a request whose body holds a secret: at its most talkative
// the Kubernetes client writes bodies into the log of its context.
func unlogged(ctx context.Context) context.Context {
	return logr.NewContext(ctx, logr.Discard())
}

// unloggedReader reads what may be Secrets.
type unloggedReader struct{ client.Reader }

// Get implements client.Reader.
func (r unloggedReader) Get(ctx context.Context, name client.ObjectKey, object client.Object, options ...client.GetOption) error {
	return r.Reader.Get(unlogged(ctx), name, object, options...)
}
