package controller

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// A published Secret has a key of its own, which may classify with its model and do
// nothing else. The factory tells a key once. One that did not reach the Secret, because
// an answer was lost or the operator ended, is of no use to anybody: it is found by its
// name, revoked, and another one minted.

// outputAPIKey is the Secret's key for it.
const outputAPIKey = "api-key"

// jobKeys remembers of each object what spares calls about its key. It is a memory of
// this process only.
type jobKeys struct {
	mu      sync.Mutex
	entries map[types.UID]jobKey
}

type jobKey struct {
	none bool // at the factory, for certain
	lost bool // the factory has forgotten the one that is published
	// minted is the key that has yet to be written into the Secret, and of what.
	minted            mistral.Key
	connection, model string
}

func (k *jobKeys) of(object types.UID) jobKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.entries[object]
}

// set remembers an entry; the zero one is nothing to remember.
func (k *jobKeys) set(object types.UID, entry jobKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if entry == (jobKey{}) {
		delete(k.entries, object)
		return
	}
	if k.entries == nil {
		k.entries = map[types.UID]jobKey{}
	}
	k.entries[object] = entry
}

// keyName is that of every key of an object.
func (s *jobScope) keyName() string { return s.marks.KeyName(s.object.UID) }

// wantsKey reports whether a key is to be published.
func (s *jobScope) wantsKey() bool {
	output := s.object.Spec.Output
	return output == nil || output.APIKey != classifierv1alpha1.OutputAPIKeyNone
}

// keyless says why a Secret has no key although it is to have one.
type keyless struct {
	error
	message string
}

func (e *keyless) Unwrap() error { return e.error }

// publishedKey is the key that the Secret is to have, which may be the one that was held
// so far. Of one that is not to be had the error is a *keyless.
func (r *TrainingJobReconciler) publishedKey(ctx context.Context, scope *jobScope, held []byte) ([]byte, error) {
	if scope.wantsKey() {
		if len(held) > 0 {
			return held, nil
		}
		key, err := r.mint(ctx, scope)
		return key.Bytes(), err
	}
	if scope.status.APIKeyName == "" && len(held) == 0 {
		return nil, nil
	}
	if err := r.connect(ctx, scope); err != nil {
		return nil, err
	}
	if err := r.revoke(ctx, scope, scope.connection); err != nil && !mintsNone(err) {
		return nil, scope.factory.learn(err)
	}
	return nil, nil
}

// mint makes a key for the object's model. No earlier one stays.
func (r *TrainingJobReconciler) mint(ctx context.Context, scope *jobScope) (mistral.Key, error) {
	if err := r.connect(ctx, scope); err != nil {
		return mistral.Key{}, err
	}
	object, model, through := scope.object.UID, scope.status.Model.ID, scope.connection.ID()
	if known := r.keys.of(object); known.model == model && known.connection == through {
		return known.minted, nil
	}
	request := fingerprint(outputAPIKey, model, scope.requestedAt(), through)
	if err := r.refusals.check(object, request); err != nil {
		return mistral.Key{}, asKeyless(err)
	}
	if err := scope.connection.Begin(); err != nil {
		return mistral.Key{}, scope.factory.learn(err)
	}
	if err := addFinalizer(ctx, r.client, scope.object); err != nil {
		return mistral.Key{}, err
	}
	created, err := r.mintAnew(ctx, scope, model)
	if mintsNone(err) {
		_ = scope.factory.learn(nil)
		r.refusals.remember(object, request, err, terminalRetry)
		return mistral.Key{}, asKeyless(err)
	}
	if scope.factory.learn(err) != nil {
		return mistral.Key{}, err
	}
	r.keys.set(object, jobKey{minted: created.Key, connection: through, model: model})
	return created.Key, nil
}

// mintAnew makes a key in the place of those that there are.
func (r *TrainingJobReconciler) mintAnew(ctx context.Context, scope *jobScope, model string) (*mistral.CreatedKey, error) {
	if err := r.revoke(ctx, scope, scope.connection); err != nil {
		return nil, err
	}
	r.keys.set(scope.object.UID, jobKey{}) // from now on there may be one
	return scope.connection.CreateKey(ctx, mistral.CreateKeyRequest{
		Name:   scope.keyName(),
		Scopes: []string{mistral.ScopeClassify},
		Models: []string{model},
	})
}

// revoke revokes every key of the object, by their name.
func (r *TrainingJobReconciler) revoke(ctx context.Context, scope *jobScope, factory *connection.Pass) error {
	if r.keys.of(scope.object.UID).none {
		return nil
	}
	name := scope.keyName()
	for range maxPages {
		list, err := factory.ListKeys(ctx, mistral.KeyFilter{Name: name})
		if err != nil {
			return err
		}
		found := slices.DeleteFunc(list.Data, func(key mistral.KeyInfo) bool { return key.Name != name })
		for _, key := range found {
			if err := factory.RevokeKey(ctx, key.ID); err != nil && !mistral.IsNotFound(err) {
				return err
			}
		}
		if len(found) < pageSize {
			break
		}
	}
	r.keys.set(scope.object.UID, jobKey{none: true})
	return nil
}

// mintsNone reports whether a server gives this connection no keys: it has none, as the
// hosted service, or the connection's own key has no say in them.
func mintsNone(err error) bool {
	remote, ok := errors.AsType[*mistral.Error](err)
	if !ok {
		return false
	}
	switch remote.StatusCode {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed,
		http.StatusGone, http.StatusUnprocessableEntity, http.StatusNotImplemented:
		return true
	}
	return false
}

// asKeyless tells a key that is not to be had from one that is to be had later.
func asKeyless(err error) error {
	switch {
	case mistral.IsForbidden(err):
		return &keyless{err, "but no " + outputAPIKey + ", for the factory lets the connection's key make none; give the application a key of its own"}
	case mintsNone(err):
		return &keyless{err, "but no " + outputAPIKey + ", for the factory mints none; give the application a key of its own"}
	}
	return err
}

// checkKey notices that the factory has forgotten the published key, as one has that was
// restored to an earlier state. Then it is published anew.
func (r *TrainingJobReconciler) checkKey(ctx context.Context, scope *jobScope, since time.Time) error {
	name := scope.status.APIKeyName
	if name == "" {
		return nil
	}
	keys, err := scope.connection.Keys(ctx, since)
	if err == nil && !keys[name] {
		var list *mistral.KeyList // the one before may have been read while the key came
		list, err = scope.connection.ListKeys(ctx, mistral.KeyFilter{Name: name})
		if err == nil && len(list.Data) == 0 {
			r.keys.set(scope.object.UID, jobKey{lost: true})
		}
	}
	if mintsNone(err) {
		return nil // what it does not tell is taken to be there
	}
	return scope.factory.learn(err)
}

// revokeForDeletion revokes the keys of an object that is deleted. It says what is left
// if the outcome is not to proceed.
func (r *TrainingJobReconciler) revokeForDeletion(ctx context.Context, scope *jobScope) (string, outcome) {
	if r.keys.of(scope.object.UID).none {
		return "", proceed()
	}
	if !r.hasKey(ctx, scope) {
		return "", r.revokeUnknown(ctx, scope)
	}
	left := fmt.Sprintf("API key %s at the factory", scope.keyName())
	factory, err := r.connectForCleanup(ctx, scope)
	if unusable(err) {
		return leftWithout(left), proceed()
	}
	if err == nil {
		err = r.revoke(ctx, scope, factory)
	}
	switch {
	case err == nil:
		return "", proceed()
	case mintsNone(err):
		return left + ", which the connection's key has no say in any more", proceed()
	}
	return left, failed(err)
}

// revokeUnknown revokes a key that an operator may have minted which ended in the same
// moment. Its value is lost, so that nobody is held up for it.
func (r *TrainingJobReconciler) revokeUnknown(ctx context.Context, scope *jobScope) outcome {
	if scope.status.RemoteJob == nil || scope.status.Binding != nil || scope.isOver() && scope.status.Model == nil {
		return proceed()
	}
	ctx, cancel := context.WithTimeout(ctx, surplusTimeout)
	defer cancel()
	factory, err := r.connectForCleanup(ctx, scope)
	if err == nil {
		err = r.revoke(ctx, scope, factory)
	}
	if closed, ok := errors.AsType[*connection.ClosedError](err); ok && closed.Cause == nil {
		return failed(err) // it is the operator's own turn that is waited for
	}
	return proceed()
}

// leftWithout says that what is left is so for want of a connection.
func leftWithout(left string) string {
	return left + ", because there is no connection to it any more"
}

// hasKey reports whether a key was published, by the status or else by the Secret.
func (r *TrainingJobReconciler) hasKey(ctx context.Context, scope *jobScope) bool {
	if scope.status.APIKeyName != "" || scope.status.Binding == nil {
		return scope.status.APIKeyName != ""
	}
	secret := &corev1.Secret{}
	name := client.ObjectKey{Namespace: scope.object.Namespace, Name: scope.status.Binding.Name}
	return r.live.Get(ctx, name, secret) == nil && metav1.IsControlledBy(secret, scope.object) && len(secret.Data[outputAPIKey]) > 0
}
