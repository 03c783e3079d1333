package faults

import (
	"context"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/factory"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// settleTimeout is in real time, and many times what anything here takes on a busy machine.
const settleTimeout = 60 * time.Second

const connectionSecret = "connection"

// world is a namespace with a factory and operators of its own.
type world struct {
	testing.TB
	ctx          context.Context
	namespace    string
	apiKey       string
	secondKey    string // of the same tenant
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
		ctx:          context.WithoutCancel(t.Context()),
		apiKey:       newSecret(),
		secondKey:    newSecret(),
		logger:       ctrl.Log,
		pollInterval: 2 * time.Second,
		judge:        func(call) fault { return fault{} },
		operators:    map[string]*operator{},
		calls:        map[string]int{},
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "world-"}}
	w.create(namespace)
	w.namespace = namespace.Name
	w.logger = w.logger.WithValues("world", w.namespace)
	w.startFactory()
	w.create(w.connection())
	cluster.monitor.Forbid(w.apiKey)
	t.Cleanup(w.stopOperators)
	return w
}

func (w *world) startFactory() {
	w.Helper()
	server, err := factory.Open(w.ctx, factory.Config{
		Directory: w.TempDir(),
		APIKeys:   []factory.APIKey{factory.NewAPIKey("test", w.apiKey), factory.NewAPIKey("test", w.secondKey)},
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
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: connectionSecret},
		StringData: map[string]string{"uri": w.url, "api-key": w.apiKey},
	}
}

func (w *world) dataset(name string) *classifierv1alpha1.ClassifierDataset {
	dataset := &classifierv1alpha1.ClassifierDataset{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name},
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
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name},
		Spec:       classifierv1alpha1.ClassifierTrainingJobSpec{ConnectionSecretRef: &classifierv1alpha1.SecretReference{Name: connectionSecret}},
	}
	job.Spec.Training.Datasets = []classifierv1alpha1.TrainingDataset{{Name: dataset}}
	return job
}

// sentiments are a few samples, enough to train on.
func sentiments(samples int) string {
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

func (w *world) create(object client.Object) {
	w.Helper()
	if err := cluster.Admin.Create(w.ctx, object); err != nil {
		w.Fatal(err)
	}
}

func (w *world) get(object client.Object) {
	w.Helper()
	if err := cluster.Admin.Get(w.ctx, client.ObjectKeyFromObject(object), object); err != nil {
		w.Fatal(err)
	}
}

func (w *world) delete(object client.Object) {
	w.Helper()
	if err := cluster.Admin.Delete(w.ctx, object); err != nil {
		w.Fatal(err)
	}
}

// edit changes an object as a user would.
func (w *world) edit(object client.Object, change func()) {
	w.Helper()
	w.get(object)
	before := object.DeepCopyObject().(client.Object)
	change()
	if err := cluster.Admin.Patch(w.ctx, object, client.MergeFrom(before)); err != nil {
		w.Fatal(err)
	}
}

// eventually waits until the check returns no error.
func (w *world) eventually(what string, check func() error) {
	w.Helper()
	var err error
	for deadline := time.Now().Add(settleTimeout); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if err = check(); err == nil {
			return
		}
	}
	w.Fatalf("%s: %v", what, err)
}

func conditionsOf(object client.Object) []metav1.Condition {
	switch object := object.(type) {
	case *classifierv1alpha1.ClassifierDataset:
		return object.Status.Conditions
	case *classifierv1alpha1.ClassifierTrainingJob:
		return object.Status.Conditions
	}
	return nil
}

// waitUntil waits for a condition to speak of the object as it is.
func (w *world) waitUntil(object client.Object, kind string) {
	w.Helper()
	w.eventually(fmt.Sprintf("waiting until %s is %s", object.GetName(), kind), func() error {
		w.get(object)
		condition := meta.FindStatusCondition(conditionsOf(object), kind)
		if condition == nil || condition.Status != metav1.ConditionTrue || condition.ObservedGeneration != object.GetGeneration() {
			return fmt.Errorf("the conditions are %s", describe(conditionsOf(object)))
		}
		return nil
	})
}

func describe(list []metav1.Condition) string {
	var texts []string
	for _, condition := range list {
		texts = append(texts, fmt.Sprintf("%s=%s %s (%s)", condition.Type, condition.Status, condition.Reason, condition.Message))
	}
	return strings.Join(texts, "; ")
}

func (w *world) waitUntilGone(object client.Object) {
	w.Helper()
	w.eventually("waiting until "+object.GetName()+" is gone", func() error {
		err := cluster.Admin.Get(w.ctx, client.ObjectKeyFromObject(object), object)
		if err == nil {
			return fmt.Errorf("it is there, with the conditions %s", describe(conditionsOf(object)))
		}
		return client.IgnoreNotFound(err)
	})
}

// waitForState waits for the remote job to be seen in a state.
func (w *world) waitForState(job *classifierv1alpha1.ClassifierTrainingJob, state string) {
	w.Helper()
	w.eventually("waiting for "+state, func() error {
		w.get(job)
		if remote := job.Status.RemoteJob; remote == nil || remote.State != state {
			return fmt.Errorf("the remote job is %+v, the conditions are %s", remote, describe(conditionsOf(job)))
		}
		return nil
	})
}

// waitForReason waits for a reason of Ready.
func (w *world) waitForReason(object client.Object, reason string) {
	w.Helper()
	w.eventually("waiting for "+reason, func() error {
		w.get(object)
		ready := meta.FindStatusCondition(conditionsOf(object), classifierv1alpha1.ConditionReady)
		if ready == nil || ready.Reason != reason || ready.ObservedGeneration != object.GetGeneration() {
			return fmt.Errorf("the conditions are %s", describe(conditionsOf(object)))
		}
		return nil
	})
}
