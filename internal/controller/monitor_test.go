package controller

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// monitor sees every version of every object while the tests run, and holds it
// against the rules that users and tools rely on.
type monitor struct {
	mu       sync.Mutex
	finished map[types.UID]bool
	problems []error
}

func startMonitor(ctx context.Context, watcher client.WithWatch) (*monitor, error) {
	m := &monitor{finished: map[types.UID]bool{}}
	for _, list := range []client.ObjectList{&classifierv1alpha1.ClassifierDatasetList{}, &classifierv1alpha1.ClassifierTrainingJobList{}} {
		events, err := watcher.Watch(ctx, list)
		if err != nil {
			return nil, err
		}
		go func() {
			for event := range events.ResultChan() {
				m.see(event.Object)
			}
		}()
	}
	return m, nil
}

func (m *monitor) see(object runtime.Object) {
	var (
		list       []metav1.Condition
		generation *int64
		meta       client.Object
	)
	switch object := object.(type) {
	case *classifierv1alpha1.ClassifierDataset:
		list, generation, meta = object.Status.Conditions, object.Status.ObservedGeneration, object
	case *classifierv1alpha1.ClassifierTrainingJob:
		list, generation, meta = object.Status.Conditions, object.Status.ObservedGeneration, object
		m.seeTerminal(object)
	default:
		return
	}
	m.report(meta, checkConditions(list))
	m.report(meta, checkKstatus(object, meta, list, generation))
}

// checkConditions holds a status against the rules for conditions.
func checkConditions(list []metav1.Condition) error {
	if len(list) == 0 {
		return nil // not reconciled yet
	}
	isTrue := func(kind string) bool { return meta.IsStatusConditionTrue(list, kind) }
	isThere := func(kind string) bool { return meta.FindStatusCondition(list, kind) != nil }
	var problems []error
	rule := func(holds bool, text string) {
		if !holds {
			problems = append(problems, errors.New(text))
		}
	}
	rule(isThere(classifierv1alpha1.ConditionReady), "Ready is missing")
	ready := meta.FindStatusCondition(list, classifierv1alpha1.ConditionReady)
	if ready == nil {
		return errors.Join(problems...)
	}
	for _, kind := range []string{classifierv1alpha1.ConditionReconciling, classifierv1alpha1.ConditionStalled} {
		rule(isTrue(kind) == isThere(kind), kind+" is there although it is not True")
		rule(!isThere(kind) || meta.FindStatusCondition(list, kind).ObservedGeneration == ready.ObservedGeneration, kind+" speaks of another generation than Ready")
		rule(!(isTrue(classifierv1alpha1.ConditionReady) && isTrue(kind)), kind+" beside Ready")
	}
	rule(!(isTrue(classifierv1alpha1.ConditionReconciling) && isTrue(classifierv1alpha1.ConditionStalled)), "Reconciling beside Stalled")
	rule(!(isTrue(classifierv1alpha1.ConditionComplete) && isTrue(classifierv1alpha1.ConditionFailed)), "Complete beside Failed")
	rule(isTrue(classifierv1alpha1.ConditionFinished) == (isTrue(classifierv1alpha1.ConditionComplete) || isTrue(classifierv1alpha1.ConditionFailed)),
		"Finished is not Complete or Failed")
	for _, condition := range list {
		rule(condition.ObservedGeneration <= ready.ObservedGeneration, condition.Type+" speaks of a later generation than Ready")
		rule(condition.Reason != "" && condition.Message != "", condition.Type+" has no reason or message")
	}
	return errors.Join(problems...)
}

// checkKstatus asks the library that Flux and others wait with.
func checkKstatus(object runtime.Object, meta client.Object, list []metav1.Condition, generation *int64) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return err
	}
	result, err := status.Compute(&unstructured.Unstructured{Object: content})
	if err != nil {
		return err
	}
	if want := expectedKstatus(meta, list, generation); result.Status != want {
		return fmt.Errorf("kstatus says %s (%s), expected %s", result.Status, result.Message, want)
	}
	return nil
}

func expectedKstatus(object client.Object, list []metav1.Condition, generation *int64) status.Status {
	switch {
	case object.GetDeletionTimestamp() != nil:
		return status.TerminatingStatus
	case generation == nil || *generation != object.GetGeneration():
		return status.InProgressStatus
	case meta.IsStatusConditionTrue(list, classifierv1alpha1.ConditionStalled):
		return status.FailedStatus
	case meta.IsStatusConditionTrue(list, classifierv1alpha1.ConditionReady):
		return status.CurrentStatus
	}
	return status.InProgressStatus
}

// seeTerminal reports a job that left a state that never changes again.
func (m *monitor) seeTerminal(job *classifierv1alpha1.ClassifierTrainingJob) {
	m.mu.Lock()
	defer m.mu.Unlock()
	finished := meta.IsStatusConditionTrue(job.Status.Conditions, classifierv1alpha1.ConditionFinished)
	if m.finished[job.UID] && !finished {
		m.problems = append(m.problems, fmt.Errorf("%s/%s: no longer Finished", job.Namespace, job.Name))
	}
	m.finished[job.UID] = m.finished[job.UID] || finished
}

func (m *monitor) report(object client.Object, err error) {
	if err == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.problems = append(m.problems, fmt.Errorf("%s/%s at version %s: %w", object.GetNamespace(), object.GetName(), object.GetResourceVersion(), err))
}

func (m *monitor) verdict() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return errors.Join(m.problems...)
}
