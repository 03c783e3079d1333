package faults

import (
	"context"
	"maps"
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
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const connectionSecret = "connection"

var sentiments = controllertest.Sentiments

// world is a namespace with a factory and operators of its own.
type world struct {
	testing.TB
	*controllertest.Namespace
	ctx          context.Context
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
	operators map[string]*operator
	calls     map[string]int // so far, by their targets and by what they are
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{
		TB:           t,
		Namespace:    cluster.NewNamespace(t),
		ctx:          context.WithoutCancel(t.Context()),
		apiKey:       newSecret(),
		secondKey:    newSecret(),
		strangersKey: newSecret(),
		logger:       ctrl.Log,
		pollInterval: 2 * time.Second,
		judge:        func(call) fault { return fault{} },
		operators:    map[string]*operator{},
		calls:        map[string]int{},
	}
	w.Patience = time.Minute // a script that fails is played again and again, to shorten it
	w.logger = w.logger.WithValues("world", w.Namespace.Name)
	w.startFactory()
	w.Create(w.connection())
	cluster.Monitor.Forbid(w.apiKey)
	t.Cleanup(w.stopOperators)
	return w
}

func (w *world) startFactory() {
	w.Helper()
	server, err := factory.Open(w.ctx, factory.Config{
		Directory: w.TempDir(),
		APIKeys:   []factory.APIKey{factory.NewAPIKey("test", w.apiKey), factory.NewAPIKey("test", w.secondKey), factory.NewAPIKey("stranger", w.strangersKey)},
		Clock:     worldClock.Now,
	})
	if err != nil {
		w.Fatal(err)
	}
	w.proxy = &proxy{world: w, real: server.Handler(), seen: map[string][]byte{}}
	front := httptest.NewServer(w.proxy)
	w.url = front.URL
	w.Cleanup(func() {
		front.Close()
		if err := server.Close(); err != nil {
			w.Error(err)
		}
	})
	w.factory, err = mistral.NewClient(mistral.Config{BaseURL: w.url, Key: mistral.NewKey(w.apiKey)})
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) operator(name string) *operator {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.operators[name]
}

// stopOperators ends the last operator in order, and waits for all.
func (w *world) stopOperators() {
	w.restarts.Wait()
	w.mu.Lock()
	operators := slices.Collect(maps.Values(w.operators))
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
