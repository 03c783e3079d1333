package controllertest

import (
	"bytes"
	"context"
	"encoding/json"
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

// Monitor sees every version of every object while the tests run, and holds it
// against the rules that users and tools rely on.
type Monitor struct {
	mu       sync.Mutex
	jobs     map[types.UID]*classifierv1alpha1.ClassifierTrainingJob // as last seen
	secrets  []string
	problems []error
}

// StartMonitor watches until the context ends.
func StartMonitor(ctx context.Context, watcher client.WithWatch) (*Monitor, error) {
	m := &Monitor{jobs: map[types.UID]*classifierv1alpha1.ClassifierTrainingJob{}}
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

func (m *Monitor) see(object runtime.Object) {
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
		m.report(object, m.seeProgress(object))
	default:
		return
	}
	m.report(meta, checkConditions(list))
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		m.report(meta, err)
		return
	}
	m.report(meta, checkKstatus(content, meta, list, generation))
	m.report(meta, m.checkSecrets(content))
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
func checkKstatus(content map[string]any, meta client.Object, list []metav1.Condition, generation *int64) error {
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

// seeProgress holds a job against how it was seen last.
func (m *Monitor) seeProgress(job *classifierv1alpha1.ClassifierTrainingJob) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, known := m.jobs[job.UID]
	m.jobs[job.UID] = job
	if !known {
		return nil
	}
	return checkProgress(&before.Status, &job.Status)
}

// checkProgress holds that a job never goes back: what was known of it stays
// known, and an end is an end.
func checkProgress(before, after *classifierv1alpha1.ClassifierTrainingJobStatus) error {
	var problems []error
	for _, kind := range []string{classifierv1alpha1.ConditionFinished, classifierv1alpha1.ConditionComplete, classifierv1alpha1.ConditionFailed} {
		if was, is := meta.FindStatusCondition(before.Conditions, kind), meta.FindStatusCondition(after.Conditions, kind); was != nil && was.Status == metav1.ConditionTrue {
			if is == nil || is.Status != was.Status || is.Reason != was.Reason {
				problems = append(problems, fmt.Errorf("it was %s (%s) and no longer is", kind, was.Reason))
			}
		}
	}
	if attemptOf(before) != attemptOf(after) {
		return errors.Join(problems...) // another attempt begins anew
	}
	for name, lost := range map[string]bool{
		"startTime":      before.StartTime != nil && !before.StartTime.Equal(after.StartTime),
		"completionTime": before.CompletionTime != nil && !before.CompletionTime.Equal(after.CompletionTime),
		"model":          before.Model != nil && (after.Model == nil || *after.Model != *before.Model),
		"remoteJob":      before.RemoteJob != nil && (after.RemoteJob == nil || after.RemoteJob.ID != before.RemoteJob.ID),
		"cost":           before.Cost != nil && after.Cost == nil,
		"progress":       before.Progress != nil && (after.Progress == nil || after.Progress.Percent < before.Progress.Percent || after.Progress.Step < before.Progress.Step),
	} {
		if lost {
			problems = append(problems, fmt.Errorf("%s was lost or went back", name))
		}
	}
	return errors.Join(problems...)
}

func attemptOf(status *classifierv1alpha1.ClassifierTrainingJobStatus) int32 {
	if status.Attempt == nil {
		return 0
	}
	return status.Attempt.Number
}

// Forbid lets the monitor report a text that must stand in no object.
func (m *Monitor) Forbid(secrets ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.secrets = append(m.secrets, secrets...)
}

func (m *Monitor) checkSecrets(content map[string]any) error {
	encoded, err := json.Marshal(content)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, secret := range m.secrets {
		if bytes.Contains(encoded, []byte(secret)) {
			return errors.New("it shows a secret")
		}
	}
	return nil
}

func (m *Monitor) report(object client.Object, err error) {
	if err == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.problems = append(m.problems, fmt.Errorf("%s/%s at version %s: %w", object.GetNamespace(), object.GetName(), object.GetResourceVersion(), err))
}

// Verdict is what was wrong with what the monitor saw so far.
func (m *Monitor) Verdict() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return errors.Join(m.problems...)
}
