package controller

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/lru"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/internal/turns"
)

// Keys of a connection's Secret.
const (
	connectionURIKey    = "uri"
	connectionAPIKeyKey = "api-key"
)

// secretError is a Secret that a spec names and that is not there, or not what it
// should be.
type secretError struct{ reason, message string }

func (e *secretError) Error() string { return e.message }

// Connections turns connectionSecretRefs into connections, each of which asks in the
// name of the object's namespace. Both reconcilers share one, so that a factory sees one
// budget of calls.
type Connections struct {
	pool *connection.Pool
	live client.Reader
	// The operator's own connection. Its key goes to its URL only.
	defaultURL string
	defaultKey mistral.Key

	// lastGood is what each Secret made last, for cleaning up when it went first: a
	// *connection.Connection by the Secret's types.NamespacedName.
	lastGood *lru.Cache

	// waiting are those who wait for their turn, and where. Another connection than
	// theirs may be used before it comes.
	mu      sync.Mutex
	waiting map[turns.Who]*connection.Pass
}

// caller is an object on whose behalf calls are made.
type caller struct {
	who  turns.Who
	wake func()
}

func newCaller(kind string, object types.NamespacedName, wake func()) caller {
	return caller{who: turns.Who{Namespace: object.Namespace, Object: kind + "/" + object.Name}, wake: wake}
}

// maxLastGood bounds what is remembered of Secrets that come and go with their namespaces.
const maxLastGood = 1024

// NewConnections makes the operator's connections. live must not be a cache:
// Secrets are read by name, never listed or watched.
func NewConnections(pool *connection.Pool, live client.Reader, defaultURL string, defaultKey mistral.Key) *Connections {
	return &Connections{
		pool:       pool,
		live:       unloggedReader{live},
		defaultURL: defaultURL,
		defaultKey: defaultKey,
		lastGood:   lru.New(maxLastGood),
		waiting:    map[turns.Who]*connection.Pass{},
	}
}

// get gives the connection of a reference; nil means the operator's own. An
// unusable one is a *secretError.
func (c *Connections) get(ctx context.Context, namespace string, reference *classifierv1alpha1.SecretReference) (*connection.Connection, error) {
	if reference == nil {
		return c.own(namespace)
	}
	name := types.NamespacedName{Namespace: namespace, Name: reference.Name}
	secret := &corev1.Secret{}
	if err := c.live.Get(ctx, name, secret); apierrors.IsNotFound(err) {
		return nil, &secretError{classifierv1alpha1.ReasonConnectionNotFound,
			fmt.Sprintf("Secret %s does not exist; create it with the keys %s and %s", name.Name, connectionURIKey, connectionAPIKeyKey)}
	} else if err != nil {
		return nil, err
	}
	key := mistral.NewKey(string(secret.Data[connectionAPIKeyKey]))
	if key == (mistral.Key{}) {
		return nil, &secretError{classifierv1alpha1.ReasonConnectionInvalid,
			fmt.Sprintf("Secret %s has no %s", name.Name, connectionAPIKeyKey)}
	}
	url := string(secret.Data[connectionURIKey])
	if url == "" {
		url = c.defaultURL
	}
	made, err := c.pool.Get(url, key, namespace)
	if err != nil {
		return nil, &secretError{classifierv1alpha1.ReasonConnectionInvalid, fmt.Sprintf("Secret %s: %s", name.Name, err)}
	}
	c.lastGood.Add(name, made)
	return made, nil
}

func (c *Connections) own(namespace string) (*connection.Connection, error) {
	if c.defaultKey == (mistral.Key{}) {
		return nil, &secretError{classifierv1alpha1.ReasonConnectionNotFound,
			"the operator has no connection of its own; name one in connectionSecretRef"}
	}
	made, err := c.pool.Get(c.defaultURL, c.defaultKey, namespace)
	if err != nil {
		return nil, &secretError{classifierv1alpha1.ReasonConnectionInvalid, "the operator's own connection: " + err.Error()}
	}
	return made, nil
}

// begin begins a pass over a connection. One over another connection is given up.
func (c *Connections) begin(made *connection.Connection, caller caller) *connection.Pass {
	c.mu.Lock()
	defer c.mu.Unlock()
	if earlier, ok := c.waiting[caller.who]; ok && earlier.Connection != made {
		earlier.Forget()
		delete(c.waiting, caller.who)
	}
	return made.Pass(caller.who, caller.wake)
}

// end ends an object's pass, which is nil if it came to none: whoever did not ask
// again does not wait any more.
func (c *Connections) end(caller caller, pass *connection.Pass) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if pass == nil {
		if pass = c.waiting[caller.who]; pass == nil {
			return
		}
	}
	if pass.End() {
		c.waiting[caller.who] = pass
		return
	}
	delete(c.waiting, caller.who)
}

// forCleanup also gives a connection whose Secret is gone or spoilt, if this
// process has used it not too long ago.
func (c *Connections) forCleanup(ctx context.Context, namespace string, reference *classifierv1alpha1.SecretReference) (*connection.Connection, error) {
	made, err := c.get(ctx, namespace, reference)
	if err == nil || reference == nil {
		return made, err
	}
	if good, ok := c.lastGood.Get(types.NamespacedName{Namespace: namespace, Name: reference.Name}); ok {
		return good.(*connection.Connection), nil
	}
	return nil, err
}
