package controller

import (
	"context"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// laggingCache has one object, in the version that its watch told of last.
type laggingCache struct {
	client.Reader
	object *classifierv1alpha1.ClassifierDataset
	reads  func() // happens after each read
}

func (c *laggingCache) Get(_ context.Context, _ client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	c.object.DeepCopyInto(object.(*classifierv1alpha1.ClassifierDataset))
	c.reads()
	return nil
}

// TestPassesWaitForTheOperatorsOwnWrites holds that a cache which lags costs no conflicts,
// and that whoever waits for it is woken.
func TestPassesWaitForTheOperatorsOwnWrites(t *testing.T) {
	version := func(uid, version string) *classifierv1alpha1.ClassifierDataset {
		data := &classifierv1alpha1.ClassifierDataset{}
		data.Name, data.Namespace, data.UID, data.ResourceVersion = "data", "test", types.UID(uid), version
		return data
	}
	for _, test := range []struct {
		name   string
		cached *classifierv1alpha1.ClassifierDataset
		comes  *classifierv1alpha1.ClassifierDataset // between two reads; nil: nothing
		lags   bool
		then   *classifierv1alpha1.ClassifierDataset
		woken  bool
	}{
		{"the cache has the write", version("a", "10"), nil, false, version("a", "11"), false},
		{"somebody else wrote later", version("a", "12"), nil, false, version("a", "13"), false},
		{"the cache lags", version("a", "9"), nil, true, version("a", "10"), true},
		{"numbers are compared", version("a", "8"), nil, true, version("a", "100"), true},
		{"what comes is not the write yet", version("a", "8"), nil, true, version("a", "9"), false},
		{"the write comes while the pass begins", version("a", "9"), version("a", "10"), false, version("a", "11"), false},
		{"the object was created anew", version("b", "9"), nil, false, version("b", "11"), false},
		{"it is created anew while it is awaited", version("a", "9"), nil, true, version("b", "11"), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			writes := &ownWrites{}
			writes.note(version("a", "10"), "9")
			cache := &laggingCache{object: test.cached}
			cache.reads = func() {
				if test.comes != nil {
					cache.object = test.comes
				}
			}
			name := client.ObjectKeyFromObject(test.cached)
			lags, err := writes.get(t.Context(), cache, name, &classifierv1alpha1.ClassifierDataset{})
			if err != nil || lags != test.lags {
				t.Errorf("it lags: %t, %v; want %t", lags, err, test.lags)
			}
			if woken := writes.news().Update(event.UpdateEvent{ObjectOld: test.cached, ObjectNew: test.then}); woken != test.woken {
				t.Errorf("it is woken: %t, want %t", woken, test.woken)
			}
		})
	}
	t.Run("a pass that wrote nothing waits for nothing", func(t *testing.T) {
		writes := &ownWrites{}
		writes.note(version("a", "9"), "9")
		if len(writes.written) > 0 {
			t.Errorf("it waits for %+v", writes.written)
		}
	})
}
