package controller

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestOperatorWritesUnderOneName holds that in whatever it writes during an object's
// life, from the finalizer on until that is gone, the operator is one field manager.
func TestOperatorWritesUnderOneName(t *testing.T) {
	t.Parallel()
	const user, kept = "user", "test.classifierfactory.dev/kept"
	f := newFixture(t)
	dataset, job := f.inlineDataset("data", sentiments(20)), f.trainingJob("job", "data")
	objects := []client.Object{dataset, job}
	for _, object := range objects {
		object.SetFinalizers([]string{kept}) // so that the last write can be looked at, too
		if err := cluster.Admin.Create(f.ctx, object, client.FieldOwner(user)); err != nil {
			t.Fatal(err)
		}
	}
	for _, object := range objects {
		f.waitUntilReady(object)
	}
	secret := &corev1.Secret{}
	f.Get("job", secret)
	f.managers(secret, map[string]bool{string(fieldOwner): true})
	for _, object := range []client.Object{job, dataset} {
		f.managers(object, map[string]bool{user: true, string(fieldOwner): true})
		f.Delete(object)
		f.Await(object, "the operator to let go", func() bool { return len(object.GetFinalizers()) == 1 })
		f.managers(object, map[string]bool{user: true, string(fieldOwner): true})
		before := object.DeepCopyObject().(client.Object)
		object.SetFinalizers(nil)
		if err := cluster.Admin.Patch(f.ctx, object, client.MergeFrom(before), client.FieldOwner(user)); err != nil {
			t.Fatal(err)
		}
		f.WaitUntilGone(object)
	}
}

// managers holds who wrote an object's fields.
func (f *fixture) managers(object client.Object, allowed map[string]bool) {
	f.Helper()
	for _, entry := range object.GetManagedFields() {
		if !allowed[entry.Manager] {
			f.Errorf("%T was written by %q: %s", object, entry.Manager, entry.FieldsV1)
		}
	}
}
