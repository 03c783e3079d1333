package controller

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	corev1 "k8s.io/api/core/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/source"
)

// TestPreparationTellsHowFarItIs holds up the reading of the second of two ConfigMaps.
func TestPreparationTellsHowFarItIs(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	clock := testclock.NewFakeClock(time.Now())
	d.datasets.clock = clock
	arrived, release := make(chan struct{}), make(chan struct{})
	d.datasets.sources.Live = interceptor.NewClient(d.datasets.sources.Live.(client.WithWatch), interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
			if _, isContent := object.(*corev1.ConfigMap); isContent && key.Name == "second" {
				close(arrived)
				<-release
			}
			return c.Get(ctx, key, object, options...)
		},
	})
	d.configMap("first", map[string]string{"data": sentiments(20)})
	d.configMap("second", map[string]string{"data": sentiments(20)})
	data := driven(d.dataset("data", "first", "data"))
	data.Spec.Source.ConfigMaps = append(data.Spec.Source.ConfigMaps, classifierv1alpha1.ConfigMapSource{Name: "second", Key: "data"})
	d.Create(data)
	ended := make(chan error)
	go func() {
		_, err := d.pass(data)
		ended <- err
	}()
	<-arrived
	writes := d.writes.Load()
	clock.Step(progressDelay)
	told := func() bool {
		return data.Status.State == classifierv1alpha1.ReasonPreparing &&
			strings.HasPrefix(controllertest.Condition(data, classifierv1alpha1.ConditionReady).Message, "preparing: ") &&
			!strings.Contains(controllertest.Condition(data, classifierv1alpha1.ConditionReady).Message, ": 0 bytes")
	}
	d.Await(data, "word of the preparation", told)
	d.Eventually("waiting for the next report", func() error { return equal("timers", clock.HasWaiters(), true) })
	clock.Step(progressInterval / 2)
	if got := d.writes.Load() - writes; got != 1 {
		t.Errorf("%d writes told of it", got)
	}
	close(release)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	d.Get("data", data)
	if !isReady(data) || data.Status.State != classifierv1alpha1.ReasonUploaded {
		t.Errorf("in the end it is %+v", data.Status)
	}
}

// TestSmallDatasetsCostNoProgress holds what the usual dataset costs: its files are
// planned, uploaded and recorded in one write, beside that of the finalizer.
func TestSmallDatasetsCostNoProgress(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.datasets.clock = testclock.NewFakeClock(time.Now())
	d.ready(d.inlineDataset("data", sentiments(20)))
	if got := d.writes.Load(); got != 2 {
		t.Errorf("a small dataset costs %d writes", got)
	}
}

func TestPreparationSaysOfHowMuchIfItKnows(t *testing.T) {
	for _, test := range []struct {
		source source.Source
		want   string
	}{
		{sized(5), "preparing: 3 of 5 bytes are read"},
		{sized(0), "preparing: 3 bytes are read"},
	} {
		scope := newDatasetScope(&classifierv1alpha1.ClassifierDataset{})
		scope.source = test.source
		var read atomic.Int64
		read.Store(3)
		if got := scope.preparing(&read)(); got.message != test.want {
			t.Errorf("got %q, want %q", got.message, test.want)
		}
	}
}

// sized is a source of which nothing but its size is asked.
type sized int64

func (s sized) SizeBytes() (int64, bool)          { return int64(s), s > 0 }
func (sized) Identity() string                    { return "" }
func (sized) Open(context.Context) source.Content { return nil }

// TestWhatFailsAgainIsNotUnderWay holds that a dataset which is Stalled does not say so
// and the opposite by turns.
func TestWhatFailsAgainIsNotUnderWay(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	clock := testclock.NewFakeClock(time.Now())
	d.datasets.clock = clock
	scope := newDatasetScope(&classifierv1alpha1.ClassifierDataset{})
	scope.setConditions(stop(classifierv1alpha1.ReasonUnauthorized, "m"), metav1.NewTime(clock.Now()))
	stop := d.datasets.reportProgress(d.ctx, scope, func() outcome {
		t.Error("it is said to be under way")
		return proceed()
	})
	clock.Step(stalledDelay - time.Millisecond)
	stop()
}
