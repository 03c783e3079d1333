package controller

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	ctrlsource "sigs.k8s.io/controller-runtime/pkg/source"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/source"
	"github.com/classifier-factory/classifier-factory/internal/turns"
)

// DatasetReconciler validates the samples of ClassifierDatasets and uploads them.
type DatasetReconciler struct {
	client      client.Client
	sources     source.Readers
	connections *Connections
	refusals    *refusals
	metrics     *metrics
	recorder    events.EventRecorder
	clock       clock.WithTicker
	limits      dataset.Limits
	marks       marks

	looks        *looks
	writes       ownWrites
	staging      *staging
	kept         keptSamples
	preparations *turns.Line
	uploads      *turns.Line
	alarm        alarm
}

// +kubebuilder:rbac:groups=classifierfactory.dev,resources=classifierdatasets,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=classifierfactory.dev,resources=classifierdatasets/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=configmaps,verbs=get;list;watch;create;update;delete
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile brings a dataset one pass closer to what its spec asks for.
func (r *DatasetReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	object := &classifierv1alpha1.ClassifierDataset{}
	lags, err := r.writes.get(ctx, r.client, request.NamespacedName, object)
	if apierrors.IsNotFound(err) {
		r.looks.forget(request.NamespacedName)
		r.kept.drop(request.NamespacedName)
		r.staging.forget(request.NamespacedName)
		r.forgetTurns(request.NamespacedName)
		return ctrl.Result{}, nil
	}
	if err == nil && !lags {
		err = readWhole(ctx, r.sources.Live, object)
	}
	if err != nil || lags {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	defer r.writes.note(object, object.ResourceVersion)
	scope := newDatasetScope(object)
	scope.marks = r.marks
	scope.forgetRestored()
	defer r.end(scope)

	result := r.reconcile(ctx, scope)
	scope.waits = result.brief
	if result.brief || deleted(object) {
		return result.result()
	}
	result = scope.setConditions(result, metav1.NewTime(r.clock.Now()))
	if err := r.writeStatus(ctx, scope); err != nil {
		return retryWrite(err)
	}
	return result.result()
}

// end lets others have what the pass had. Where it waits for its turn, it keeps its place,
// and its samples for a moment.
func (r *DatasetReconciler) end(scope *datasetScope) {
	if !scope.waits || scope.prepared == nil || !r.kept.keep(scope) {
		r.kept.drop(scope.name())
		scope.close()
		r.staging.leave(scope)
	}
	who := whoOf(scope.name())
	r.preparations.Leave(who)
	r.uploads.Leave(who)
	r.connections.end(r.caller(scope.name()), scope.connection)
}

// forgetTurns gives up the places of an object that is gone.
func (r *DatasetReconciler) forgetTurns(name types.NamespacedName) {
	r.preparations.Forget(whoOf(name))
	r.uploads.Forget(whoOf(name))
	r.connections.end(r.caller(name), nil)
}

func (r *DatasetReconciler) caller(name types.NamespacedName) caller {
	return newCaller(kindDataset, name, r.alarm.of(name))
}

func (r *DatasetReconciler) reconcile(ctx context.Context, scope *datasetScope) outcome {
	switch {
	case !scope.object.DeletionTimestamp.IsZero():
		return r.delete(ctx, scope)
	case isTrue(scope.object.Spec.Suspend):
		return wait(0, classifierv1alpha1.ReasonSuspended, "spec.suspend is true; nothing is read or uploaded until it is false")
	}
	result := runSteps(ctx, scope, []step[*datasetScope]{
		{"resolveSource", r.resolveSource},
		{"prepare", r.prepare},
		{"publishReport", r.publishReport},
		{"upload", r.upload},
		{"prune", r.prune},
	})
	if result.after == 0 && result.err == nil {
		result.after = r.looks.untilNext(scope)
	}
	return result
}

// writeStatus writes the status as far as it differs from what the API server has, and
// tells what changed.
func (r *DatasetReconciler) writeStatus(ctx context.Context, scope *datasetScope) error {
	written, err := writeStatus(ctx, r.client, scope.object, scope.written, scope.status)
	if err != nil || !written {
		return err
	}
	before, now := scope.written, scope.status
	logTransition(ctx, before.State, before.Conditions, now.State, now.Conditions)
	r.metrics.sawReady(kindDataset, scope.object, now.Conditions, wasUploaded(before), r.clock.Now())
	tellForgotten(ctx, r.recorder, scope.object, scope.forgotten)
	tell(r.recorder, scope.object, before.Conditions, now.Conditions)
	scope.written, scope.forgotten = now.DeepCopy(), ""
	return nil
}

// SetupWithManager registers the reconciler and what wakes it up.
func (r *DatasetReconciler) SetupWithManager(ctx context.Context, manager ctrl.Manager, options Options) error {
	if err := manager.GetFieldIndexer().IndexField(ctx, &classifierv1alpha1.ClassifierDataset{}, configMapIndex, configMapNames); err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(manager).
		For(&classifierv1alpha1.ClassifierDataset{}, builder.WithPredicates(afterCreation(), predicate.Or(changedByUser(), r.statusRestored(), r.writes.news()))).
		Watches(&classifierv1alpha1.ClassifierDataset{}, unsettledFirst()).
		WatchesMetadata(&corev1.ConfigMap{}, handler.EnqueueRequestsFromMapFunc(r.datasetsOfConfigMap)).
		Watches(&classifierv1alpha1.ClassifierTrainingJob{}, handler.EnqueueRequestsFromMapFunc(datasetsUnpinnedBy), builder.WithPredicates(afterCreation())).
		WatchesRawSource(ctrlsource.Func(r.alarm.accept)).
		WithOptions(options.controller()).
		Complete(newFairly(newTraced(r, options.Tracer, kindDataset), &r.alarm))
}

// lookAtFiles makes sure at once that the factory has a dataset's files.
func (r *DatasetReconciler) lookAtFiles(dataset types.NamespacedName) {
	r.looks.demand(dataset)
	r.alarm.of(dataset)()
}

// configMapIndex finds datasets by the ConfigMaps that they read.
const configMapIndex = "spec.source.configMaps.name"

func configMapNames(object client.Object) []string {
	var names []string
	for _, configMap := range object.(*classifierv1alpha1.ClassifierDataset).Spec.Source.ConfigMaps {
		names = append(names, configMap.Name)
	}
	return names
}

func (r *DatasetReconciler) datasetsOfConfigMap(ctx context.Context, configMap client.Object) []reconcile.Request {
	datasets := &classifierv1alpha1.ClassifierDatasetList{}
	if err := r.client.List(ctx, datasets, client.InNamespace(configMap.GetNamespace()), client.MatchingFields{configMapIndex: configMap.GetName()}); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing the datasets of a ConfigMap", "configMap", client.ObjectKeyFromObject(configMap))
		return nil
	}
	requests := make([]reconcile.Request, 0, len(datasets.Items))
	for i := range datasets.Items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&datasets.Items[i])})
	}
	return requests
}

// datasetsUnpinnedBy are the datasets whose files a job no longer needs.
func datasetsUnpinnedBy(_ context.Context, object client.Object) []reconcile.Request {
	job := object.(*classifierv1alpha1.ClassifierTrainingJob)
	if pinsInputs(job) && job.DeletionTimestamp.IsZero() {
		return nil
	}
	var requests []reconcile.Request
	for _, input := range job.Status.Inputs {
		request := reconcile.Request{NamespacedName: client.ObjectKey{Namespace: job.Namespace, Name: input.Dataset}}
		if !slices.Contains(requests, request) {
			requests = append(requests, request)
		}
	}
	return requests
}

// deleted reports whether the pass let the object go.
func deleted(object client.Object) bool {
	return !object.GetDeletionTimestamp().IsZero() && !controllerutil.ContainsFinalizer(object, finalizer)
}

// retryWrite ends a pass whose status was not written.
func retryWrite(err error) (ctrl.Result, error) {
	if apierrors.IsConflict(err) {
		return failed(err).result()
	}
	return ctrl.Result{}, client.IgnoreNotFound(err)
}

func isTrue(value *bool) bool { return value != nil && *value }
