package controller

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestMemoryOfSecretsIsBounded uses the Secrets of many namespaces that come and
// go. Only the last ones can still be cleaned up with.
func TestMemoryOfSecretsIsBounded(t *testing.T) {
	secret := func(namespace int) *corev1.Secret {
		return &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: fmt.Sprint("namespace-", namespace), Name: connectionSecret},
			Data:       map[string][]byte{connectionURIKey: []byte("http://factory.example"), connectionAPIKeyKey: fmt.Append(nil, "key-", namespace)},
		}
	}
	live := fake.NewClientBuilder().Build()
	connections := NewConnections(connection.NewPool(t.Context(), connection.DefaultOptions()), live, "", mistral.Key{})
	reference := &classifierv1alpha1.SecretReference{Name: connectionSecret}
	for namespace := range maxLastGood + 1 {
		if err := live.Create(t.Context(), secret(namespace)); err != nil {
			t.Fatal(err)
		}
		if _, err := connections.get(t.Context(), secret(namespace).Namespace, reference); err != nil {
			t.Fatal(err)
		}
		if err := live.Delete(t.Context(), secret(namespace)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := connections.forCleanup(t.Context(), secret(maxLastGood).Namespace, reference); err != nil {
		t.Errorf("the last Secret is forgotten: %v", err)
	}
	if _, err := connections.forCleanup(t.Context(), secret(0).Namespace, reference); !unusable(err) {
		t.Errorf("the first Secret is remembered: %v", err)
	}
}
