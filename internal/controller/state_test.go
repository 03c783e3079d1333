package controller

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestStateIsTheFactorysWordAsLongAsItTellsAll holds what the column STATUS says of a job.
func TestStateIsTheFactorysWordAsLongAsItTellsAll(t *testing.T) {
	for _, test := range []struct {
		remote  mistral.JobStatus
		missing bool
		result  outcome
		want    string
		reason  string
	}{
		{"", false, wait(0, classifierv1alpha1.ReasonDatasetNotReady, "m"), classifierv1alpha1.ReasonDatasetNotReady, "there is no job yet"},
		{mistral.JobRunning, false, wait(0, classifierv1alpha1.ReasonTraining, "m"), "RUNNING", "the factory's word is the more exact one"},
		{mistral.JobValidated, false, wait(0, classifierv1alpha1.ReasonSuspended, "m"), "VALIDATED", "READY says that it is not done"},
		{mistral.JobSuccess, false, proceed(), "SUCCESS", "that is the end that was wished for"},
		{mistral.JobValidated, false, stop(classifierv1alpha1.ReasonBudgetExceeded, "m"), classifierv1alpha1.ReasonBudgetExceeded, "somebody must act, and the factory does not say so"},
		{mistral.JobRunning, true, wait(0, classifierv1alpha1.ReasonRemoteJobMissing, "m"), classifierv1alpha1.ReasonRemoteJobMissing, "the factory says nothing any more"},
		{mistral.JobFailed, false, wait(0, classifierv1alpha1.ReasonBackingOff, "m"), classifierv1alpha1.ReasonBackingOff, "the job ended, but not the run"},
		{mistral.JobCancelled, false, stop(classifierv1alpha1.ReasonDeadlineExceeded, "m"), classifierv1alpha1.ReasonDeadlineExceeded, "this is why it was cancelled"},
		{mistral.JobSuccess, false, stop(classifierv1alpha1.ReasonSecretConflict, "m"), classifierv1alpha1.ReasonSecretConflict, "SUCCESS is not enough"},
	} {
		scope := newJobScope(&classifierv1alpha1.ClassifierTrainingJob{})
		scope.remoteMissing = test.missing
		if test.remote != "" {
			scope.status.RemoteJob = &classifierv1alpha1.RemoteJob{ID: "job", State: string(test.remote)}
		}
		scope.setConditions(test.result, metav1.Now())
		if scope.status.State != test.want {
			t.Errorf("%s, %s: the state is %s, want %s, because %s", test.remote, test.result.reason, scope.status.State, test.want, test.reason)
		}
	}
}

// TestNothingIsLeftOfPending holds that what the API server says of a fresh object is
// no longer there once the operator has looked at it, and what it waits for had the time
// to arrive.
func TestNothingIsLeftOfPending(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.clock.ahead.Store(int64(arrival))
	for _, object := range []client.Object{driven(d.inlineDataset("data", sentiments(20))), driven(d.trainingJob("job", "nothing"))} {
		d.Create(object)
		ready := controllertest.Condition(object, classifierv1alpha1.ConditionReady)
		if ready.Status != metav1.ConditionUnknown || ready.Reason != classifierv1alpha1.ReasonPending || controllertest.State(object) != classifierv1alpha1.ReasonPending {
			t.Errorf("a fresh object has %+v in the state %q", ready, controllertest.State(object))
		}
		if _, err := d.pass(object); err != nil {
			t.Fatal(err)
		}
		d.Get(object.GetName(), object)
		ready = controllertest.Condition(object, classifierv1alpha1.ConditionReady)
		if ready.Status == metav1.ConditionUnknown || time.Since(ready.LastTransitionTime.Time) > time.Hour || controllertest.State(object) != ready.Reason {
			t.Errorf("after a look it has %+v in the state %q", ready, controllertest.State(object))
		}
	}
}

// TestTransitionsAreLogged holds that the log tells what became of an object, once.
func TestTransitionsAreLogged(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	var lines []string
	d.ctx = ctrl.LoggerInto(d.ctx, funcr.New(func(_, line string) {
		if strings.Contains(line, `"transition"`) {
			lines = append(lines, line)
		}
	}, funcr.Options{}))
	data, job := driven(d.inlineDataset("data", sentiments(20))), driven(d.trainingJob("job", "data"))
	d.Create(job)
	d.settle(job, classifierv1alpha1.ReasonDatasetNotFound)
	d.Create(data)
	d.settle(data, classifierv1alpha1.ReasonUploaded)
	d.settle(job, classifierv1alpha1.ReasonPublished)
	for _, object := range []client.Object{data, job} {
		if _, err := d.pass(object); err != nil {
			t.Fatal(err)
		}
	}
	story := strings.Join(lines, "\n")
	for _, told := range []struct{ from, to, ready, reason string }{
		{"Pending", "DatasetNotFound", "False", "DatasetNotFound"},
		{"Pending", "Uploaded", "True", "Uploaded"},
		{"", "SUCCESS", "True", "Published"},
	} {
		line := fmt.Sprintf(`"to"=%q "ready"=%q "reason"=%q`, told.to, told.ready, told.reason)
		if told.from != "" {
			line = fmt.Sprintf(`"from"=%q `, told.from) + line
		}
		if strings.Count(story, line) != 1 {
			t.Errorf("the log does not tell %s once:\n%s", line, story)
		}
	}
}

// TestWaitingJobRepeatsWhyItsDatasetIsNotReady holds that nobody has to look twice to
// learn what to do.
func TestWaitingJobRepeatsWhyItsDatasetIsNotReady(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		make  func(*driver) *classifierv1alpha1.ClassifierDataset // nil: there is none
		state string                                              // that the dataset settles in; empty: nobody looks at it
		want  string
	}{
		{"no dataset", func(*driver) *classifierv1alpha1.ClassifierDataset { return nil }, "", "ClassifierDataset data does not exist"},
		{"nobody has looked at it", func(d *driver) *classifierv1alpha1.ClassifierDataset {
			return d.inlineDataset("data", sentiments(20))
		}, "", "ClassifierDataset data is not ready: Pending"},
		{"a ConfigMap is missing", func(d *driver) *classifierv1alpha1.ClassifierDataset { return d.dataset("data", "samples", "key") },
			classifierv1alpha1.ReasonSourceNotFound, "ClassifierDataset data is not ready: SourceNotFound: ConfigMap samples does not exist"},
		{"it is suspended", func(d *driver) *classifierv1alpha1.ClassifierDataset {
			data := d.inlineDataset("data", sentiments(20))
			data.Spec.Suspend = new(true)
			return data
		}, classifierv1alpha1.ReasonSuspended, "ClassifierDataset data is not ready: Suspended: spec.suspend is true"},
		{"its samples are bad", func(d *driver) *classifierv1alpha1.ClassifierDataset { return d.inlineDataset("data", "{}") },
			classifierv1alpha1.ReasonInvalidSamples, "ClassifierDataset data is not ready: InvalidSamples: 1 of 1 samples are invalid"},
		{"it waits for its turn", func(d *driver) *classifierv1alpha1.ClassifierDataset {
			occupy(d.datasets.preparations)
			return d.inlineDataset("data", sentiments(20))
		}, classifierv1alpha1.ReasonWaiting, "ClassifierDataset data is not ready: Waiting"},
		{"another connection", func(d *driver) *classifierv1alpha1.ClassifierDataset {
			data := d.inlineDataset("data", sentiments(20))
			data.Spec.ConnectionSecretRef.Name = "another"
			return data
		}, "", "uploaded through another connection"},
		{"it is being deleted", func(d *driver) *classifierv1alpha1.ClassifierDataset {
			data := d.inlineDataset("data", sentiments(20))
			data.Finalizers = []string{"test.classifierfactory.dev/kept"}
			d.Create(driven(data))
			d.settle(data, classifierv1alpha1.ReasonUploaded)
			d.Delete(data)
			t.Cleanup(func() { d.Edit(data, func() { data.Finalizers = nil }) })
			return nil
		}, "", "ClassifierDataset data is not ready: it is being deleted"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			if data := test.make(d); data != nil {
				d.Create(driven(data))
				if test.state != "" {
					d.settleAfterShortWait(data, test.state)
				}
			}
			job := driven(d.trainingJob("job", "data"))
			d.Create(job)
			d.clock.ahead.Store(int64(shortWait))
			if _, err := d.pass(job); err != nil {
				t.Fatal(err)
			}
			d.Get("job", job)
			ready := controllertest.Condition(job, classifierv1alpha1.ConditionReady)
			if !strings.Contains(ready.Message, test.want) || job.Status.State != ready.Reason {
				t.Errorf("the job is %s: %+v", job.Status.State, ready)
			}
		})
	}
}

// TestShortWaitsAreNotTold holds that what is over in a moment costs no write: many
// objects that were applied together mostly wait for some moments.
func TestShortWaitsAreNotTold(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		busy func(*driver)
	}{
		{"the dataset that was applied with it has not arrived", func(*driver) {}},
		{"the operator has not looked at the dataset yet", func(d *driver) { d.Create(driven(d.inlineDataset("data", sentiments(20)))) }},
		{"others call the factory first", func(d *driver) {
			d.ready(d.inlineDataset("data", sentiments(20)))
			d.limitCalls(0)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			test.busy(d)
			job := driven(d.trainingJob("job", "data"))
			d.Create(job)
			writes := d.writes.Load()
			result, err := d.pass(job)
			if err != nil || result.RequeueAfter <= 0 || result.RequeueAfter > shortWait {
				t.Errorf("the pass ends in %+v, %v; want a look when the wait is no longer short", result, err)
			}
			if got := d.writes.Load() - writes; got != 0 {
				t.Errorf("the pass made %d writes", got)
			}
		})
	}
}

// TestProgressWakesNoWaitingJob holds that a thousand jobs do not look at each report
// of how far their dataset is, but at every other news of it.
func TestProgressWakesNoWaitingJob(t *testing.T) {
	dataset := func(reason, message string) *classifierv1alpha1.ClassifierDataset {
		data := &classifierv1alpha1.ClassifierDataset{ObjectMeta: metav1.ObjectMeta{Name: "data"}}
		status := metav1.ConditionFalse
		if reason == classifierv1alpha1.ReasonUploaded {
			status = metav1.ConditionTrue
		}
		meta.SetStatusCondition(&data.Status.Conditions, metav1.Condition{Type: classifierv1alpha1.ConditionReady, Status: status, Reason: reason, Message: message})
		return data
	}
	deleted := dataset(classifierv1alpha1.ReasonPreparing, "1 byte")
	deleted.DeletionTimestamp = new(metav1.Now())
	for _, test := range []struct {
		before, after *classifierv1alpha1.ClassifierDataset
		want          bool
		reason        string
	}{
		{dataset(classifierv1alpha1.ReasonPreparing, "1 byte"), dataset(classifierv1alpha1.ReasonPreparing, "2 bytes"), false, "that is progress"},
		{dataset(classifierv1alpha1.ReasonUploading, "1 byte"), dataset(classifierv1alpha1.ReasonUploading, "2 bytes"), false, "that is progress, too"},
		{dataset(classifierv1alpha1.ReasonPreparing, "1 byte"), dataset(classifierv1alpha1.ReasonUploading, "1 byte"), true, "it is told in the job's message"},
		{dataset(classifierv1alpha1.ReasonUploading, "1 byte"), dataset(classifierv1alpha1.ReasonUploaded, "done"), true, "the job can go on"},
		{dataset(classifierv1alpha1.ReasonUploaded, "done"), dataset(classifierv1alpha1.ReasonUploaded, "done"), true, "its files may be others"},
		{dataset(classifierv1alpha1.ReasonSourceNotFound, "a"), dataset(classifierv1alpha1.ReasonSourceNotFound, "b"), true, "another ConfigMap is missing"},
		{dataset(classifierv1alpha1.ReasonPreparing, "1 byte"), deleted, true, "it is about to go"},
	} {
		if got := tellsJobs().Update(event.UpdateEvent{ObjectOld: test.before, ObjectNew: test.after}); got != test.want {
			t.Errorf("from %+v to %+v: %t, but %s", test.before.Status, test.after.Status, got, test.reason)
		}
	}
}

func TestScoreIsTheMeanOfWhatWasMeasured(t *testing.T) {
	target := func(f1 float64) mistral.TargetEvaluation {
		return mistral.TargetEvaluation{Metrics: map[string]float64{"f1_macro": f1, "accuracy": 1}}
	}
	for _, test := range []struct {
		evaluation *mistral.Evaluation
		want       classifierv1alpha1.Decimal
		reason     string
	}{
		{nil, "", "the factory measures nothing"},
		{&mistral.Evaluation{}, "", "there was nothing to measure on"},
		{&mistral.Evaluation{Targets: mistral.List[mistral.TargetEvaluation]{target(0.912345)}}, "0.9123", "four digits are enough"},
		{&mistral.Evaluation{Targets: mistral.List[mistral.TargetEvaluation]{target(0.5), target(1)}}, "0.75", "each target counts the same"},
		{&mistral.Evaluation{Targets: mistral.List[mistral.TargetEvaluation]{target(0.5), {Metrics: map[string]float64{"accuracy": 1}}}}, "0.5", "one was not measured"},
		{&mistral.Evaluation{Targets: mistral.List[mistral.TargetEvaluation]{target(-3), target(1e300)}}, "", "no F1 is like that"},
		{&mistral.Evaluation{Targets: mistral.List[mistral.TargetEvaluation]{target(0)}}, "0", "as bad as can be"},
	} {
		if got := score(test.evaluation); got != test.want {
			t.Errorf("got %q, want %q: %s", got, test.want, test.reason)
		}
	}
}

func TestLearningCurvesAreThoseOfTheFactory(t *testing.T) {
	curve := func(name string, f1 ...float64) mistral.TargetEvaluation {
		target := mistral.TargetEvaluation{Name: name, Samples: 1000}
		for i, value := range f1 {
			target.LearningCurve = append(target.LearningCurve, mistral.CurvePoint{Rows: 100 << i, F1Micro: value})
		}
		return target
	}
	measured := func(targets ...mistral.TargetEvaluation) *mistral.Evaluation {
		return &mistral.Evaluation{Targets: targets}
	}
	lying := curve("intent", 0.75, 0.8, 0.84)
	lying.Outlook = "Visit https://example.com"
	many := make([]mistral.TargetEvaluation, 40)
	for i := range many {
		many[i] = curve(strconv.Itoa(i), 0.5, 0.6, 0.7)
	}
	for _, test := range []struct {
		reason     string
		evaluation *mistral.Evaluation
		want       int
	}{
		{"nothing was measured", nil, 0},
		{"no curve was drawn", measured(curve("intent")), 0},
		{"one target", measured(curve("intent", 0.75, 0.8, 0.84)), 1},
		{"two of one name", measured(curve("intent", 0.75, 0.8, 0.84), curve("intent", 0.1, 0.2, 0.3)), 1},
		{"what a factory says of it is not repeated", measured(lying), 1},
		{"no F1 is like that", measured(curve("intent", 0.75, 0.8, 1.84), curve("mood", -1, 0, 1)), 0},
		{"more than there is room for", measured(many...), maxLearningCurves},
	} {
		got := learningCurves(test.evaluation)
		if len(got) != test.want {
			t.Errorf("%s: %d curves, want %d", test.reason, len(got), test.want)
		}
		if test.want == 1 && (got[0].Outlook != "Twice the rows would probably bring about 3 points." || len(got[0].Points) != 3 || got[0].Points[2].F1Micro != "0.84") {
			t.Errorf("%s: %+v", test.reason, got[0])
		}
	}
}
