package controller

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"k8s.io/apimachinery/pkg/types"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/marks"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/internal/source"
	"github.com/classifier-factory/classifier-factory/internal/turns"
)

// drivenLabel keeps an object from the shared manager: a test reconciles it pass by pass.
const drivenLabel = "test.classifierfactory.dev/driven"

// testMarks are those of the cluster in which drivers work.
var testMarks = marks.Marks{Cluster: "test", Former: true}

var notDrivenByTest = func() labels.Selector {
	requirement, err := labels.NewRequirement(drivenLabel, selection.DoesNotExist, nil)
	if err != nil {
		panic(err)
	}
	return labels.NewSelector().Add(*requirement)
}()

// driver reconciles objects one pass at a time and counts what a pass does. Its
// poller looks once and then only when told to, so that every call is a pass's own.
type driver struct {
	*fixture
	datasets *DatasetReconciler
	jobs     *TrainingJobReconciler
	recorder *events.FakeRecorder
	writes   *atomic.Int64
	clock    *aheadClock
}

// aheadClock is the real time, or some time after it.
type aheadClock struct {
	clock.RealClock
	ahead atomic.Int64
}

func (c *aheadClock) Now() time.Time                  { return c.RealClock.Now().Add(time.Duration(c.ahead.Load())) }
func (c *aheadClock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

func newDriver(t *testing.T) *driver {
	t.Helper()
	d := &driver{fixture: newFixture(t), recorder: events.NewFakeRecorder(1000), writes: &atomic.Int64{}, clock: &aheadClock{}}
	return d.restarted()
}

// restarted is the driver after a restart of the operator: nothing in memory is left.
func (d *driver) restarted() *driver {
	d.Helper()
	direct, err := client.NewWithWatch(cluster.Operator, client.Options{Scheme: cluster.Scheme})
	if err != nil {
		d.Fatal(err)
	}
	counting := interceptor.NewClient(direct, d.countWrites())
	options := connection.DefaultOptions()
	options.PrivateHosts = []string{"127.0.0.1"}
	options.MinPollInterval, options.MaxPollInterval, options.Clock = time.Hour, time.Hour, d.clock
	connections := NewConnections(connection.NewPool(d.ctx, options), direct, "", mistral.Key{})
	restarted := *d
	restarted.datasets = &DatasetReconciler{
		client:      counting,
		sources:     source.Readers{Metadata: direct, Live: direct, ObjectStorage: source.NewObjectStorage(source.DefaultObjectStorageOptions())},
		connections: connections,
		refusals:    newRefusals(d.clock),
		metrics:     newMetrics(nil, direct),
		recorder:    d.recorder,
		clock:       d.clock,
		limits:      dataset.DefaultLimits(),
		marks:       testMarks,

		looks:        newLooks(d.clock),
		staging:      newStaging(d.TempDir(), DefaultStagingBytes),
		preparations: turns.NewSlots(maxPreparations, maxNamespacePreparations),
		uploads:      turns.NewSlots(maxUploads, maxNamespaceUploads),
	}
	restarted.jobs = &TrainingJobReconciler{
		client:      counting,
		live:        direct,
		connections: connections,
		refusals:    newRefusals(d.clock),
		metrics:     newMetrics(nil, direct),
		recorder:    d.recorder,
		clock:       d.clock,
		alarm:       alarm{queue: workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())},
		looks:       newJobLooks(d.clock),
		watched:     map[types.NamespacedName]watchedJob{},
		searched:    map[types.UID]time.Time{},
		surplus:     map[types.UID]surplusLook{},
		marks:       testMarks,
		lookAtFiles: restarted.datasets.lookAtFiles,
	}
	return &restarted
}

func (d *driver) countWrites() interceptor.Funcs {
	return interceptor.Funcs{
		Apply: func(ctx context.Context, c client.WithWatch, object runtime.ApplyConfiguration, options ...client.ApplyOption) error {
			d.writes.Add(1)
			return c.Apply(ctx, object, options...)
		},
		Patch: func(ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption) error {
			d.writes.Add(1)
			return c.Patch(ctx, object, patch, options...)
		},
		SubResourceApply: func(ctx context.Context, c client.Client, name string, object runtime.ApplyConfiguration, options ...client.SubResourceApplyOption) error {
			d.writes.Add(1)
			return c.SubResource(name).Apply(ctx, object, options...)
		},
	}
}

// driven labels an object so that only this test reconciles it.
func driven[T client.Object](object T) T {
	object.SetLabels(map[string]string{drivenLabel: "true"})
	return object
}

// pass reconciles once.
func (d *driver) pass(object client.Object) (ctrl.Result, error) {
	request := ctrl.Request{NamespacedName: client.ObjectKeyFromObject(object)}
	if _, ok := object.(*classifierv1alpha1.ClassifierDataset); ok {
		return d.datasets.Reconcile(d.ctx, request)
	}
	return d.jobs.Reconcile(d.ctx, request)
}

// settle reconciles until the object is in a state.
func (d *driver) settle(object client.Object, reason string) {
	d.Helper()
	d.Eventually("settling "+object.GetName()+" in "+reason, func() error {
		// A pass that fails is repeated, as the queue would.
		_, _ = d.pass(object)
		d.Get(object.GetName(), object)
		d.refresh(object)
		for _, condition := range controllertest.Conditions(object) {
			if condition.Type == classifierv1alpha1.ConditionReady {
				return equal("the reason of Ready", condition.Reason, reason)
			}
		}
		return equal("the reason of Ready", "", reason)
	})
}

// settleAfterShortWait reconciles until the object is in a state of which it does not
// speak at once.
func (d *driver) settleAfterShortWait(object client.Object, reason string) {
	d.Helper()
	_, _ = d.pass(object)
	d.clock.ahead.Add(int64(shortWait))
	d.settle(object, reason)
}

// passUntilGone reconciles an object that is being deleted until it is let go.
func (d *driver) passUntilGone(object client.Object) {
	d.Helper()
	d.Eventually("deleting "+object.GetName(), func() error {
		_, _ = d.pass(object)
		err := cluster.Admin.Get(d.ctx, client.ObjectKeyFromObject(object), object)
		if err == nil {
			return errors.New("it is there")
		}
		return client.IgnoreNotFound(err)
	})
}

// onStatusWrite stands before each write of a job's status, numbered from 1.
func (d *driver) onStatusWrite(do func(number int64, write func() error) error) {
	var number atomic.Int64
	d.jobs.client = interceptor.NewClient(d.jobs.client.(client.WithWatch), interceptor.Funcs{
		SubResourceApply: func(ctx context.Context, c client.Client, name string, object runtime.ApplyConfiguration, options ...client.SubResourceApplyOption) error {
			return do(number.Add(1), func() error { return c.SubResource(name).Apply(ctx, object, options...) })
		},
	})
}

// limitCalls leaves the operator so many calls, and no more for an hour.
func (d *driver) limitCalls(calls int) {
	options := connection.DefaultOptions()
	options.PrivateHosts = []string{"127.0.0.1"}
	options.CallsPerSecond, options.CallBurst = 1/time.Hour.Seconds(), calls
	options.MinPollInterval, options.MaxPollInterval, options.Clock = time.Hour, time.Hour, d.clock
	d.jobs.connections = NewConnections(connection.NewPool(d.ctx, options), d.jobs.live, "", mistral.Key{})
	d.datasets.connections = d.jobs.connections
}

// told takes the events that were recorded so far, each as its type, reason and message.
func (d *driver) told() []string {
	var told []string
	for len(d.recorder.Events) > 0 {
		told = append(told, <-d.recorder.Events)
	}
	return told
}

// refresh does the poller's work for a job that has one.
func (d *driver) refresh(object client.Object) {
	job, ok := object.(*classifierv1alpha1.ClassifierTrainingJob)
	if !ok || job.Status.RemoteJob == nil {
		return
	}
	if watched, ok := d.jobs.watched[client.ObjectKeyFromObject(job)]; ok {
		pass := watched.connection.Pass(turns.Who{Namespace: d.Namespace.Name, Object: "refresh"}, func() {})
		defer pass.End()
		_, _ = pass.GetJob(d.ctx, watched.id)
	}
}

// largeDataset takes the engine some seconds to learn, on whatever machine.
func (d *driver) largeDataset(name string) {
	d.Helper()
	d.ready(d.fixture.largeDataset(name))
}

// occupy lets other namespaces have all that a line shares out.
func occupy(line *turns.Line) {
	i := 0
	for line.Enter(turns.Who{Namespace: strconv.Itoa(i)}, 1, nil) {
		i++
	}
	line.Forget(turns.Who{Namespace: strconv.Itoa(i)})
}
