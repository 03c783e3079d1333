package controllertest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// Monitor sees every version of every object while the tests run, and holds it
// against the rules that users and tools rely on.
type Monitor struct {
	end      context.CancelFunc
	watching sync.WaitGroup

	mu       sync.Mutex
	jobs     map[types.UID]*classifierv1alpha1.ClassifierTrainingJob // as last seen
	restored map[types.UID]bool                                      // whose statuses a test writes
	secrets  []string
	problems []error
}

func startMonitor(watcher client.WithWatch) (*Monitor, error) {
	ctx, end := context.WithCancel(context.Background())
	m := &Monitor{end: end, jobs: map[types.UID]*classifierv1alpha1.ClassifierTrainingJob{}, restored: map[types.UID]bool{}}
	for _, list := range []client.ObjectList{&classifierv1alpha1.ClassifierDatasetList{}, &classifierv1alpha1.ClassifierTrainingJobList{}} {
		events, err := watcher.Watch(ctx, list)
		if err != nil {
			end()
			return nil, err
		}
		m.watching.Go(func() {
			err := m.follow(events)
			if ctx.Err() == nil {
				m.report(errors.Join(errors.New("the monitor is blind: its watch ended before the tests"), err))
			}
		})
	}
	return m, nil
}

// stop gives the verdict: what was wrong with what the monitor saw.
func (m *Monitor) stop() error {
	m.end()
	m.watching.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	return errors.Join(m.problems...)
}

// follow looks at all that a watch tells until it ends, with an error or not.
func (m *Monitor) follow(events watch.Interface) (err error) {
	for event := range events.ResultChan() {
		if event.Type == watch.Error {
			err = apierrors.FromObject(event.Object)
			continue
		}
		m.see(event.Object.(client.Object))
	}
	return err
}

func (m *Monitor) see(object client.Object) {
	for _, err := range []error{
		checkConditions(Conditions(object)),
		checkState(object),
		checkKstatus(object),
		m.checkProgress(object),
		m.checkSecrets(object),
	} {
		if err != nil {
			m.report(fmt.Errorf("%s/%s at version %s: %w", object.GetNamespace(), object.GetName(), object.GetResourceVersion(), err))
		}
	}
}

func (m *Monitor) report(problem error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.problems = append(m.problems, problem)
}

// checkConditions holds a status against the rules for conditions.
func checkConditions(list []metav1.Condition) error {
	isTrue := func(kind string) bool { return meta.IsStatusConditionTrue(list, kind) }
	isThere := func(kind string) bool { return meta.FindStatusCondition(list, kind) != nil }
	var problems []error
	rule := func(holds bool, text string) {
		if !holds {
			problems = append(problems, errors.New(text))
		}
	}
	ready := meta.FindStatusCondition(list, classifierv1alpha1.ConditionReady)
	if ready == nil {
		return errors.New("there is no " + classifierv1alpha1.ConditionReady)
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

// checkState holds that no line of `kubectl get` is ever blank.
func checkState(object client.Object) error {
	if State(object) == "" {
		return errors.New("it has no state")
	}
	return nil
}

// checkKstatus asks the library that Flux and others wait with.
func checkKstatus(object client.Object) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return err
	}
	result, err := status.Compute(&unstructured.Unstructured{Object: content})
	if err != nil {
		return err
	}
	if want := expectedKstatus(object); result.Status != want {
		return fmt.Errorf("kstatus says %s (%s), expected %s", result.Status, result.Message, want)
	}
	return nil
}

func expectedKstatus(object client.Object) status.Status {
	generation := observedGeneration(object)
	switch {
	case object.GetDeletionTimestamp() != nil:
		return status.TerminatingStatus
	case generation == nil || *generation != object.GetGeneration():
		return status.InProgressStatus
	case meta.IsStatusConditionTrue(Conditions(object), classifierv1alpha1.ConditionStalled):
		return status.FailedStatus
	case meta.IsStatusConditionTrue(Conditions(object), classifierv1alpha1.ConditionReady):
		return status.CurrentStatus
	}
	return status.InProgressStatus
}

func observedGeneration(object client.Object) *int64 {
	switch object := object.(type) {
	case *classifierv1alpha1.ClassifierDataset:
		return object.Status.ObservedGeneration
	case *classifierv1alpha1.ClassifierTrainingJob:
		return object.Status.ObservedGeneration
	}
	return nil
}

// checkProgress holds a job against how it was seen last.
func (m *Monitor) checkProgress(object client.Object) error {
	job, ok := object.(*classifierv1alpha1.ClassifierTrainingJob)
	if !ok {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	before, known := m.jobs[job.UID]
	m.jobs[job.UID] = job
	if !known || m.restored[job.UID] {
		return nil
	}
	return compareStatus(&before.Status, &job.Status)
}

// compareStatus holds that a job never goes back: what was known of it stays
// known, and an end is an end.
func compareStatus(before, after *classifierv1alpha1.ClassifierTrainingJobStatus) error {
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

func attemptOf(status *classifierv1alpha1.ClassifierTrainingJobStatus) string {
	if status.Attempt == nil {
		return ""
	}
	return fmt.Sprintf("%d %s", status.Attempt.Number, status.Attempt.Marker)
}

// Allow lets the status of an object go back, because a test is about to write it.
func (m *Monitor) Allow(object client.Object) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.restored[object.GetUID()] = true
}

// Forbid lets the monitor report a text that must stand in no object.
func (m *Monitor) Forbid(secrets ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.secrets = append(m.secrets, secrets...)
}

func (m *Monitor) checkSecrets(object client.Object) error {
	encoded, err := json.Marshal(object)
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
