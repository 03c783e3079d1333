package scale

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
)

const (
	// neighbours is how many connections a bad neighbour has: many times the workers
	// that it may hold.
	neighbours = 40
	// measured is how often a time is taken.
	measured = 3
	// settling is how long the neighbours are given to get hold of what they can.
	settling = time.Second
	// pastHope is where a good dataset is no longer waited for.
	pastHope = 5 * time.Second
)

// neighbour is who makes trouble, and the namespaces in which it does.
type neighbour struct {
	*testing.T
	site       *installation
	namespaces []*controllertest.Namespace
}

// TestNeighbours holds that servers that are slow or silent cost only those who use
// them: a dataset of somebody else hardly takes longer beside them than alone.
func TestNeighbours(t *testing.T) {
	site := install(t, controllertest.StartForTest(t, root))
	site.startFactory(t)
	bucket := serveBucket(t, 0)
	for _, test := range []struct {
		name, reason string
		namespaces   int
		trouble      func(*neighbour)
	}{
		{"silent factories of one namespace", "a port that accepts is a server that hangs", 1,
			func(n *neighbour) { n.useFactories(serveSilence(n)) }},
		{"silent factories of many namespaces", "a firewall swallows what everybody sends", neighbours,
			func(n *neighbour) { n.useFactories(serveSilence(n)) }},
		{"factories that cannot be connected to", "a firewall drops packets without a word", 1,
			func(n *neighbour) { n.useFactories(serveNobody(n)) }},
		{"factories that send headers alone", "an answer that begins is no answer", 1,
			func(n *neighbour) { n.useFactories(serveHeaders(n)) }},
		{"factories that trickle", "a byte a second keeps a connection from being idle", 1,
			func(n *neighbour) { n.useFactories(serveTrickle(n)) }},
		{"a factory that falls silent in use", "what answered once may hang later", 1,
			(*neighbour).useFactoryThatFallsSilent},
		{"object storage that trickles, of one namespace", "each read holds a slot", 1,
			func(n *neighbour) { n.readBuckets(serveBucket(n, time.Second), serveBucket(n, time.Second)) }},
		{"object storage that trickles, of two namespaces", "each read holds a slot", 2,
			func(n *neighbour) { n.readBuckets(serveBucket(n, time.Second), serveBucket(n, time.Second)) }},
		{"object storage that is silent", "a look for an object holds a worker", 1,
			func(n *neighbour) { n.readManyObjects(serveSilence(n)) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			operator := site.startOperator(t, site.factoryURL)
			n := &neighbour{T: t, site: site}
			t.Cleanup(func() { site.cleanUp(t, operator) })
			for range test.namespaces {
				n.namespaces = append(n.namespaces, newNamespace(t, site))
			}
			inline := func(*classifierv1alpha1.DatasetSource) {}
			stored := func(source *classifierv1alpha1.DatasetSource) {
				source.Inline, source.ObjectStorage = nil, objectIn(bucket)
			}
			inlineAlone, storedAlone := timeDatasets(t, site, inline), timeDatasets(t, site, stored)
			test.trouble(n)
			time.Sleep(settling)
			compare(t, "an inline dataset", test.reason, inlineAlone, timeDatasets(t, site, inline))
			compare(t, "a stored dataset", test.reason, storedAlone, timeDatasets(t, site, stored))
		})
	}
}

// compare holds the longest of the times beside a neighbour against the median alone.
func compare(t *testing.T, what, reason string, alone, beside []time.Duration) {
	t.Helper()
	median, longest := slices.Sorted(slices.Values(alone))[len(alone)/2], slices.Max(beside)
	if median >= pastHope {
		t.Fatalf("%s is not Ready within %s, although it is alone", what, pastHope)
	}
	t.Logf("%s takes %s alone, at most %s beside", what, round(median), round(longest))
	if longest > 2*median+time.Second {
		t.Errorf("%s takes %s beside the neighbours and %s alone, although %s", what, round(longest), round(median), reason)
	}
}

// timeDatasets is how long datasets take to be Ready, one after the other, each in a
// namespace of its own.
func timeDatasets(t *testing.T, site *installation, from func(*classifierv1alpha1.DatasetSource)) (times []time.Duration) {
	t.Helper()
	for range measured {
		namespace := newNamespace(t, site)
		dataset := newDataset(namespace, "data")
		from(&dataset.Spec.Source)
		began := time.Now()
		namespace.Create(dataset)
		for controllertest.Condition(dataset, classifierv1alpha1.ConditionReady).Status != metav1.ConditionTrue && time.Since(began) < pastHope {
			time.Sleep(5 * time.Millisecond)
			namespace.Get(dataset.Name, dataset)
		}
		if times = append(times, time.Since(began)); time.Since(began) >= pastHope {
			break
		}
	}
	return times
}

// useFactories uses a server through many connections: for datasets, and for jobs
// that are to be imported.
func (n *neighbour) useFactories(url string) {
	n.Helper()
	for i := range neighbours {
		namespace, name := n.namespaces[i%len(n.namespaces)], fmt.Sprintf("factory-%02d", i)
		n.connect(namespace, name, url, uuid.NewString())
		dataset, job := newDataset(namespace, name), newJob(namespace, name, name)
		dataset.Spec.ConnectionSecretRef = &classifierv1alpha1.SecretReference{Name: name}
		job.Spec.ConnectionSecretRef = &classifierv1alpha1.SecretReference{Name: name}
		job.Spec.ImportJobID = uuid.NewString()
		namespace.Create(dataset)
		namespace.Create(job)
	}
}

// useFactoryThatFallsSilent uses a factory that is in order, until it hangs.
func (n *neighbour) useFactoryThatFallsSilent() {
	n.Helper()
	namespace := n.namespaces[0]
	url, fallSilent := serveUntilSilent(n, n.site.factoryURL)
	n.connect(namespace, "factory", url, n.site.apiKey)
	for i := range neighbours {
		dataset := newDataset(namespace, fmt.Sprintf("data-%02d", i))
		dataset.Spec.ConnectionSecretRef = &classifierv1alpha1.SecretReference{Name: "factory"}
		namespace.Create(dataset)
	}
	awaitDatasets(namespace, neighbours, "")
	fallSilent()
	list := &classifierv1alpha1.ClassifierDatasetList{}
	namespace.List(list)
	for i := range list.Items {
		requestLook(namespace, &list.Items[i])
		job := newJob(namespace, list.Items[i].Name, list.Items[i].Name)
		job.Spec.ConnectionSecretRef = list.Items[i].Spec.ConnectionSecretRef
		namespace.Create(job)
	}
}

func (n *neighbour) connect(namespace *controllertest.Namespace, name, url, key string) {
	n.Helper()
	namespace.Create(&corev1.Secret{
		ObjectMeta: namespace.ObjectMeta(name),
		StringData: map[string]string{"uri": url, "api-key": key},
	})
}

// readBuckets reads an object of each bucket, the buckets shared out among the namespaces.
func (n *neighbour) readBuckets(endpoints ...string) {
	n.Helper()
	for i, endpoint := range endpoints {
		namespace := n.namespaces[i%len(n.namespaces)]
		namespace.Create(storedDataset(namespace, fmt.Sprintf("data-%02d", i), endpoint))
	}
}

// readManyObjects reads from one endpoint again and again.
func (n *neighbour) readManyObjects(endpoint string) {
	n.Helper()
	for i := range neighbours {
		n.namespaces[0].Create(storedDataset(n.namespaces[0], fmt.Sprintf("data-%02d", i), endpoint))
	}
}

func storedDataset(namespace *controllertest.Namespace, name, endpoint string) *classifierv1alpha1.ClassifierDataset {
	dataset := newDataset(namespace, name)
	dataset.Spec.Source.Inline, dataset.Spec.Source.ObjectStorage = nil, objectIn(endpoint)
	return dataset
}

// cleanUp ends the operator, and takes away at once what it would be long in deleting.
func (i *installation) cleanUp(t *testing.T, operator *operator) {
	operator.End(t, syscall.SIGKILL)
	ctx := context.WithoutCancel(t.Context())
	datasets, jobs := &classifierv1alpha1.ClassifierDatasetList{}, &classifierv1alpha1.ClassifierTrainingJobList{}
	if err := errors.Join(i.Admin.List(ctx, datasets), i.Admin.List(ctx, jobs)); err != nil {
		t.Fatal(err)
	}
	var left []client.Object
	for n := range datasets.Items {
		left = append(left, &datasets.Items[n])
	}
	for n := range jobs.Items {
		left = append(left, &jobs.Items[n])
	}
	// Whatever the operator's last write, which the server may be about to take, makes of it.
	release := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))
	for _, object := range left {
		if err := errors.Join(i.Admin.Patch(ctx, object, release), i.Admin.Delete(ctx, object)); client.IgnoreNotFound(err) != nil {
			t.Error(err)
		}
	}
	if err := i.Admin.DeleteAllOf(ctx, &coordinationv1.Lease{}, client.InNamespace(operatorNamespace)); err != nil {
		t.Error(err)
	}
}
