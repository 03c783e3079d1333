package faults

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/factory"
	"github.com/classifier-factory/classifier-factory/internal/factory/api"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const connectionSecret = "connection"

var sentiments = controllertest.Sentiments

// world is a namespace with a factory and operators of its own.
type world struct {
	testing.TB
	*controllertest.Namespace
	ctx          context.Context
	plane        *plane
	clusterID    string // that its operators are given
	mayEnd       bool   // its operators may end by themselves
	apiKey       string
	secondKey    string // of the same tenant
	strangersKey string // of another one
	url          string
	proxy        *proxy
	factory      *mistral.Client // to the factory, past the faults
	logger       logr.Logger
	registerer   prometheus.Registerer // of the operators' metrics; nil: of none
	pollInterval time.Duration
	judge        func(call) fault // says what becomes of a call; nothing by default

	staleUntil atomic.Int64 // until when watches say nothing, in Unix nanoseconds
	restarts   sync.WaitGroup

	mu        sync.Mutex
	operators []*operator
	calls     map[string]int // so far, by their targets and by what they are
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldIn(t, cluster, worldClock.Now)
}

// newWorldIn is a world in a control plane, with a factory that has a clock of its own.
func newWorldIn(t testing.TB, plane *plane, factoryClock func() time.Time) *world {
	t.Helper()
	w := newWorldOf(t, plane, plane.NewNamespace(t))
	w.apiKey, w.secondKey, w.strangersKey = newSecret(), newSecret(), newSecret()
	w.proxy = &proxy{real: w.openFactory(w.TempDir(), factoryClock), lagTime: shortLag, seen: map[string][]byte{}}
	front := httptest.NewServer(w.proxy)
	w.url = front.URL
	w.Cleanup(front.Close)
	w.factory = w.client()
	w.Create(w.connection())
	plane.Monitor.Forbid(w.apiKey)
	t.Cleanup(w.stopOperators)
	return w
}

// client asks in the name of the world's namespace, as its operators do.
func (w *world) client() *mistral.Client {
	w.Helper()
	client, err := mistral.NewClient(mistral.Config{BaseURL: w.url, Key: mistral.NewKey(w.apiKey), Namespace: w.Namespace.Name})
	if err != nil {
		w.Fatal(err)
	}
	return client
}

// beside is a world whose objects use the same factory and key.
func (w *world) beside(t testing.TB, plane *plane, namespace *controllertest.Namespace) *world {
	t.Helper()
	twin := newWorldOf(t, plane, namespace)
	twin.apiKey, twin.secondKey, twin.url, twin.proxy = w.apiKey, w.secondKey, w.url, w.proxy
	twin.factory = twin.client()
	t.Cleanup(twin.stopOperators)
	return twin
}

func newWorldOf(t testing.TB, plane *plane, namespace *controllertest.Namespace) *world {
	t.Helper()
	w := &world{
		TB:           t,
		Namespace:    namespace,
		ctx:          context.WithoutCancel(t.Context()),
		plane:        plane,
		logger:       ctrl.Log.WithValues("world", namespace.Name),
		pollInterval: 2 * time.Second,
		judge:        func(call) fault { return fault{} },
		calls:        map[string]int{},
	}
	w.Patience = time.Minute // a script that fails is played again and again, to shorten it
	return w
}

// openFactory opens a factory, which may be another one's restored.
func (w *world) openFactory(directory string, clock func() time.Time) http.Handler {
	w.Helper()
	server, err := factory.Open(w.ctx, factory.Config{
		Directory: directory,
		APIKeys:   []api.Key{w.operatorsKey("test", w.apiKey), w.operatorsKey("test", w.secondKey), w.operatorsKey("stranger", w.strangersKey)},
		Clock:     clock,
	})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		if err := server.Close(); err != nil {
			w.Error(err)
		}
	})
	return server.Handler()
}

// operatorsKey has the scopes that an operator needs, and no more.
func (w *world) operatorsKey(tenant, key string) api.Key {
	w.Helper()
	scopes, err := factory.ParseScopes([]string{"classify", "train", "act-for"})
	if err != nil {
		w.Fatal(err)
	}
	made := api.NewKey(tenant, key)
	made.Scopes = scopes
	return made
}

// stopOperators ends the last operator in order, and waits for all.
func (w *world) stopOperators() {
	w.restarts.Wait()
	w.mu.Lock()
	operators := slices.Clone(w.operators)
	w.mu.Unlock()
	for _, operator := range operators {
		operator.stop()
	}
	for _, operator := range operators {
		<-operator.ended
	}
}

func (w *world) connection() *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: w.ObjectMeta(connectionSecret),
		StringData: map[string]string{"uri": w.url, "api-key": w.apiKey},
	}
}

func (w *world) dataset(name string) *classifierv1alpha1.ClassifierDataset {
	dataset := &classifierv1alpha1.ClassifierDataset{
		ObjectMeta: w.ObjectMeta(name),
		Spec:       classifierv1alpha1.ClassifierDatasetSpec{ConnectionSecretRef: &classifierv1alpha1.SecretReference{Name: connectionSecret}},
	}
	dataset.Spec.Source.Inline = &classifierv1alpha1.InlineSource{Data: sentiments(20)}
	return dataset
}

// splitDataset is a dataset of two files.
func (w *world) splitDataset(name string) *classifierv1alpha1.ClassifierDataset {
	dataset := w.dataset(name)
	dataset.Spec.Preparation.Split = &classifierv1alpha1.DatasetSplit{ValidationPercent: new(int32(30))}
	return dataset
}

func (w *world) trainingJob(name, dataset string) *classifierv1alpha1.ClassifierTrainingJob {
	job := &classifierv1alpha1.ClassifierTrainingJob{
		ObjectMeta: w.ObjectMeta(name),
		Spec:       classifierv1alpha1.ClassifierTrainingJobSpec{ConnectionSecretRef: &classifierv1alpha1.SecretReference{Name: connectionSecret}},
	}
	job.Spec.Training.Datasets = []classifierv1alpha1.TrainingDataset{{Name: dataset}}
	return job
}

// waitUntil waits for a condition to speak of the object as it is.
func (w *world) waitUntil(object client.Object, kind string) {
	w.Helper()
	w.Await(object, kind, func() bool {
		condition := controllertest.Condition(object, kind)
		return condition.Status == metav1.ConditionTrue && condition.ObservedGeneration == object.GetGeneration()
	})
}

// waitForReason waits for a reason of Ready.
func (w *world) waitForReason(object client.Object, reason string) {
	w.Helper()
	w.Await(object, reason, func() bool {
		ready := controllertest.Condition(object, classifierv1alpha1.ConditionReady)
		return ready.Reason == reason && ready.ObservedGeneration == object.GetGeneration()
	})
}

// waitForState waits for the remote job to be seen in a state.
func (w *world) waitForState(job *classifierv1alpha1.ClassifierTrainingJob, state string) {
	w.Helper()
	w.Await(job, state, func() bool { return job.Status.RemoteJob != nil && job.Status.RemoteJob.State == state })
}

// remove deletes objects in this order, and waits until they are gone.
func (w *world) remove(objects ...client.Object) {
	w.Helper()
	for _, object := range objects {
		w.Delete(object)
	}
	for _, object := range objects {
		w.WaitUntilGone(object)
	}
}
