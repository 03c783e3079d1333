package controllertest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// Namespace is one of a test's own, and what a user does there.
type Namespace struct {
	Name string
	// Patience is how long something may take, in real time: by default many times
	// what anything does on a busy machine.
	Patience time.Duration

	t       testing.TB
	ctx     context.Context
	cluster client.Client
}

// NewNamespace makes a namespace that the test's cleanups can use, too.
func (p *ControlPlane) NewNamespace(t testing.TB) *Namespace {
	t.Helper()
	if len(p.Namespaces) > 0 {
		return p.Namespace(t, p.takeNamespace(t))
	}
	n := p.Namespace(t, "")
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	n.Create(namespace)
	n.Name = namespace.Name
	return n
}

// takeNamespace hands out one of those that the operator may work in.
func (p *ControlPlane) takeNamespace(t testing.TB) string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.unused) == 0 {
		t.Fatalf("the tests need more than %d namespaces", len(p.Namespaces))
	}
	name := p.unused[0]
	p.unused = p.unused[1:]
	return name
}

// Namespace is one that is there.
func (p *ControlPlane) Namespace(t testing.TB, name string) *Namespace {
	return &Namespace{Name: name, Patience: 2 * time.Minute, t: t, ctx: context.WithoutCancel(t.Context()), cluster: p.Admin}
}

// ObjectMeta is that of an object in the namespace.
func (n *Namespace) ObjectMeta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: n.Name, Name: name}
}

// Create creates an object.
func (n *Namespace) Create(object client.Object) {
	n.t.Helper()
	if err := n.cluster.Create(n.ctx, object); err != nil {
		n.t.Fatal(err)
	}
}

// Get reads an object.
func (n *Namespace) Get(name string, object client.Object) {
	n.t.Helper()
	if err := n.cluster.Get(n.ctx, client.ObjectKey{Namespace: n.Name, Name: name}, object); err != nil {
		n.t.Fatal(err)
	}
}

// List reads all objects of a kind.
func (n *Namespace) List(list client.ObjectList) {
	n.t.Helper()
	if err := n.cluster.List(n.ctx, list, client.InNamespace(n.Name)); err != nil {
		n.t.Fatal(err)
	}
}

// Delete deletes an object, and does not wait until it is gone.
func (n *Namespace) Delete(object client.Object) {
	n.t.Helper()
	if err := n.cluster.Delete(n.ctx, object); err != nil {
		n.t.Fatal(err)
	}
}

// Edit changes an object that may have changed since the test saw it.
func (n *Namespace) Edit(object client.Object, change func()) {
	n.t.Helper()
	if err := n.TryEdit(object, change); err != nil {
		n.t.Fatal(err)
	}
}

// TryEdit is an edit that the API may refuse.
func (n *Namespace) TryEdit(object client.Object, change func()) error {
	n.t.Helper()
	n.Get(object.GetName(), object)
	before := object.DeepCopyObject().(client.Object)
	change()
	return n.cluster.Patch(n.ctx, object, client.MergeFrom(before))
}

// Eventually waits until the check returns no error.
func (n *Namespace) Eventually(what string, check func() error) {
	n.t.Helper()
	var problem error
	if err := wait.PollUntilContextTimeout(n.ctx, 50*time.Millisecond, n.Patience, true, func(context.Context) (bool, error) {
		problem = check()
		return problem == nil, nil
	}); err != nil {
		n.t.Fatalf("%s: %v", what, problem)
	}
}

// Await looks at an object until what is awaited has come.
func (n *Namespace) Await(object client.Object, awaited string, come func() bool) {
	n.t.Helper()
	n.Eventually("waiting for "+awaited, func() error {
		n.Get(object.GetName(), object)
		if !come() {
			return fmt.Errorf("the status of %s is %s", object.GetName(), describe(object))
		}
		return nil
	})
}

// WaitUntilGone waits until an object that was deleted is gone.
func (n *Namespace) WaitUntilGone(object client.Object) {
	n.t.Helper()
	n.Eventually("waiting for "+object.GetName()+" to be gone", func() error {
		err := n.cluster.Get(n.ctx, client.ObjectKeyFromObject(object), object)
		if err == nil {
			return fmt.Errorf("it is there, with the status %s", describe(object))
		}
		return client.IgnoreNotFound(err)
	})
}

// Conditions are those of a dataset or a job.
func Conditions(object client.Object) []metav1.Condition {
	switch object := object.(type) {
	case *classifierv1alpha1.ClassifierDataset:
		return object.Status.Conditions
	case *classifierv1alpha1.ClassifierTrainingJob:
		return object.Status.Conditions
	}
	return nil
}

// State is what the column STATUS shows of a dataset or a job.
func State(object client.Object) string {
	switch object := object.(type) {
	case *classifierv1alpha1.ClassifierDataset:
		return object.Status.State
	case *classifierv1alpha1.ClassifierTrainingJob:
		return object.Status.State
	}
	return ""
}

// Condition is one of a dataset or a job, or empty if there is none.
func Condition(object client.Object, kind string) metav1.Condition {
	if condition := meta.FindStatusCondition(Conditions(object), kind); condition != nil {
		return *condition
	}
	return metav1.Condition{}
}

// describe is what a failure says of an object: its status.
func describe(object client.Object) string {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return err.Error()
	}
	status, err := json.Marshal(content["status"])
	if err != nil {
		return err.Error()
	}
	return string(status)
}

// Sentiments are a few samples, enough to train on.
func Sentiments(samples int) string {
	var lines strings.Builder
	for i := range samples {
		text, label := "what a lovely and useful thing", "positive"
		if i%2 == 1 {
			text, label = "a sad and broken waste of money", "negative"
		}
		fmt.Fprintf(&lines, "{\"text\": \"%s, number %d\", \"labels\": {\"sentiment\": \"%s\"}}\n", text, i, label)
	}
	return lines.String()
}
