package controller

import (
	"context"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	ctrlsource "sigs.k8s.io/controller-runtime/pkg/source"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/connection"
)

// outputRecheck is how often a published Secret is looked at: Secrets are not
// watched, so this is how one that was deleted or edited is noticed.
const (
	outputRecheck = 10 * time.Minute
	// conflictRecheck is the same for one in the way, which its owner may delete, and
	// collectionRecheck for one that the garbage collector will delete.
	conflictRecheck   = time.Minute
	collectionRecheck = 5 * time.Second
)

// TrainingJobReconciler runs ClassifierTrainingJobs at a factory and publishes their models.
type TrainingJobReconciler struct {
	client      client.Client
	live        client.Reader // asks the API server: Secrets are never cached
	connections *Connections
	refusals    *refusals
	metrics     *metrics
	recorder    events.EventRecorder
	clock       clock.PassiveClock
	marks       marks
	// lookAtFiles lets a dataset make sure that the factory has its files.
	lookAtFiles func(dataset types.NamespacedName)

	looks  *jobLooks
	keys   jobKeys
	writes ownWrites

	alarm   alarm // for changes at the factory, and for turns
	mu      sync.Mutex
	watched map[types.NamespacedName]watchedJob
	// searched are the attempts whose job was looked for in vain, by their
	// pendingSince. It spares repeating that before the grace period is over.
	searched map[types.UID]time.Time
	surplus  map[types.UID]surplusLook
}

// watchedJob is the remote job that an object follows, and where.
type watchedJob struct {
	connection *connection.Connection
	id         string
}

// +kubebuilder:rbac:groups=classifierfactory.dev,resources=classifiertrainingjobs,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=classifierfactory.dev,resources=classifiertrainingjobs/status,verbs=patch
// blockOwnerDeletion is not set on what is published, so that no right on finalizers is needed.
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;create;patch

// Reconcile brings a training job one pass closer to what its spec asks for.
func (r *TrainingJobReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	object := &classifierv1alpha1.ClassifierTrainingJob{}
	lags, err := r.writes.get(ctx, r.client, request.NamespacedName, object)
	if err != nil {
		r.unwatch(request.NamespacedName)
		r.looks.forget(request.NamespacedName)
		r.connections.end(r.caller(request.NamespacedName), nil)
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if lags {
		return ctrl.Result{}, nil
	}
	if err := readWhole(ctx, r.live, object); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	defer r.writes.note(object, object.ResourceVersion)
	scope := newJobScope(object)
	scope.marks = r.marks
	defer func() { r.connections.end(r.caller(request.NamespacedName), scope.connection) }()

	result := r.reconcile(ctx, scope)
	if result.brief || scope.expired || deleted(object) {
		return result.result()
	}
	result = scope.setConditions(result, metav1.NewTime(r.clock.Now()))
	if scope.isFinished() {
		r.unwatch(request.NamespacedName)
	}
	if err := r.writeStatus(ctx, scope); err != nil {
		return retryWrite(err)
	}
	return result.result()
}

func (r *TrainingJobReconciler) reconcile(ctx context.Context, scope *jobScope) outcome {
	if !scope.object.DeletionTimestamp.IsZero() {
		return r.delete(ctx, scope)
	}
	return runSteps(ctx, scope, []step[*jobScope]{
		{"judgeRestored", r.judgeRestored},
		{"resolveInputs", r.resolveInputs},
		{"recoverPending", r.recoverPending},
		{"submit", r.submit},
		{"observe", r.observe},
		{"enforceDeadline", r.enforceDeadline},
		{"start", r.start},
		{"cancelSurplus", r.cancelSurplus},
		{"settle", r.settle},
		{"expire", r.expire},
		{"publish", r.publish},
		{"checkModel", r.checkModel},
		{"conclude", r.conclude},
	})
}

// writeStatus writes the status as far as it differs from what the API server has, and
// tells what changed.
func (r *TrainingJobReconciler) writeStatus(ctx context.Context, scope *jobScope) error {
	written, err := writeStatus(ctx, r.client, scope.object, scope.written, scope.status)
	if err != nil || !written {
		return err
	}
	before, now := scope.written, scope.status
	logTransition(ctx, before.State, before.Conditions, now.State, now.Conditions)
	r.metrics.sawReady(kindTrainingJob, scope.object, now.Conditions, before.Binding != nil, r.clock.Now())
	tellForgotten(ctx, r.recorder, scope.object, scope.forgotten)
	tell(r.recorder, scope.object, before.Conditions, now.Conditions)
	scope.written, scope.forgotten = now.DeepCopy(), ""
	return nil
}

// connect finds the connection once a pass.
func (r *TrainingJobReconciler) connect(ctx context.Context, scope *jobScope) error {
	if scope.connection != nil {
		return nil
	}
	made, err := r.connections.get(ctx, scope.object.Namespace, scope.object.Spec.ConnectionSecretRef)
	if err != nil {
		return scope.factory.learn(err)
	}
	scope.connection = r.connections.begin(made, r.caller(client.ObjectKeyFromObject(scope.object)))
	scope.connection.WhenSlow(func(ctx context.Context) { r.tellSlow(ctx, scope) })
	return nil
}

// SetupWithManager registers the reconciler and what wakes it up.
func (r *TrainingJobReconciler) SetupWithManager(ctx context.Context, manager ctrl.Manager, options Options) error {
	if err := manager.GetFieldIndexer().IndexField(ctx, &classifierv1alpha1.ClassifierTrainingJob{}, datasetIndex, datasetNames); err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(manager).
		For(&classifierv1alpha1.ClassifierTrainingJob{}, builder.WithPredicates(afterCreation(), predicate.Or(changedByUser(), r.statusRestored(), r.writes.news()))).
		Watches(&classifierv1alpha1.ClassifierTrainingJob{}, unsettledFirst()).
		Watches(&classifierv1alpha1.ClassifierDataset{}, handler.EnqueueRequestsFromMapFunc(r.jobsOfDataset), builder.WithPredicates(tellsJobs())).
		WatchesRawSource(ctrlsource.Func(r.alarm.accept)).
		WithOptions(options.controller()).
		Complete(newFairly(newTraced(r, options.Tracer, kindTrainingJob), &r.alarm))
}

func (r *TrainingJobReconciler) caller(name types.NamespacedName) caller {
	return newCaller(kindTrainingJob, name, r.alarm.of(name))
}

// searchedFor reports whether the job of an attempt was looked for in vain.
func (r *TrainingJobReconciler) searchedFor(scope *jobScope) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.searched[scope.object.UID].Equal(scope.status.Attempt.PendingSince.Time)
}

func (r *TrainingJobReconciler) searchFailed(scope *jobScope) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.searched[scope.object.UID] = scope.status.Attempt.PendingSince.Time
}

// forget drops what is remembered of an object that is gone.
func (r *TrainingJobReconciler) forget(object *classifierv1alpha1.ClassifierTrainingJob) {
	r.refusals.forget(object.UID)
	r.keys.set(object.UID, jobKey{})
	r.unwatch(client.ObjectKeyFromObject(object))
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.searched, object.UID)
	delete(r.surplus, object.UID)
}

// watch follows a remote job for an object, and no other one.
func (r *TrainingJobReconciler) watch(name types.NamespacedName, job watchedJob) func() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if earlier, ok := r.watched[name]; ok && earlier != job {
		earlier.connection.UnwatchJob(earlier.id, whoOf(name))
	}
	r.watched[name] = job
	return r.alarm.of(name)
}

func (r *TrainingJobReconciler) unwatch(name types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if job, ok := r.watched[name]; ok {
		job.connection.UnwatchJob(job.id, whoOf(name))
		delete(r.watched, name)
	}
}

// datasetIndex finds jobs by the datasets that they read. An imported one reads none.
const datasetIndex = "spec.training.datasets.name"

func datasetNames(object client.Object) []string {
	spec := object.(*classifierv1alpha1.ClassifierTrainingJob).Spec
	if spec.ImportJobID != "" {
		return nil
	}
	training := spec.Training
	var names []string
	for _, dataset := range training.Datasets {
		names = append(names, dataset.Name)
	}
	for _, dataset := range training.ValidationDatasets {
		names = append(names, dataset.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// jobsOfDataset are the jobs that wait for a dataset, and those for which it
// makes a difference whether it is what they were submitted with.
func (r *TrainingJobReconciler) jobsOfDataset(ctx context.Context, dataset client.Object) []reconcile.Request {
	jobs := &classifierv1alpha1.ClassifierTrainingJobList{}
	if err := r.client.List(ctx, jobs, client.InNamespace(dataset.GetNamespace()), client.MatchingFields{datasetIndex: dataset.GetName()}); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing the jobs of a dataset", "dataset", client.ObjectKeyFromObject(dataset))
		return nil
	}
	var requests []reconcile.Request
	for i := range jobs.Items {
		if job := &jobs.Items[i]; job.Status.Attempt == nil || waitsForLostFile(job) || r.tellsNews(ctx, job) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(job)})
		}
	}
	return requests
}

// tellsNews reports whether a job's datasets are no longer what its status says.
func (r *TrainingJobReconciler) tellsNews(ctx context.Context, job *classifierv1alpha1.ClassifierTrainingJob) bool {
	found, err := r.compareInputs(ctx, job)
	if err != nil || found == nil {
		return false
	}
	told := meta.FindStatusCondition(job.Status.Conditions, classifierv1alpha1.ConditionInputsCurrent)
	return told == nil || told.Message != found.message
}
