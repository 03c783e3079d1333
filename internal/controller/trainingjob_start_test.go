package controller

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// validated is a job that waits for its start, and that the operator takes for
// VALIDATED whatever becomes of it at the factory.
func validated(t *testing.T) (*driver, *classifierv1alpha1.ClassifierTrainingJob) {
	t.Helper()
	d := newDriver(t)
	d.ready(d.inlineDataset("data", sentiments(20)))
	job := driven(d.trainingJob("job", "data"))
	job.Spec.Suspend = new(true)
	d.Create(job)
	d.settle(job, classifierv1alpha1.ReasonSuspended)
	return d, job
}

// TestJobThatEndedBeforeItsStartIsFinishedAtOnce lets a job end at the factory
// while the operator still takes it for VALIDATED. The pass that is about to
// start it is the last one that anything wakes: it must tell the end.
func TestJobThatEndedBeforeItsStartIsFinishedAtOnce(t *testing.T) {
	t.Parallel()
	for _, end := range []struct {
		status  mistral.JobStatus
		reason  string
		started bool
		why     string
	}{
		{mistral.JobCancelled, classifierv1alpha1.ReasonCancelled, false, "a job is cancelled before its start, too"},
		{mistral.JobFailedValidation, classifierv1alpha1.ReasonValidationFailed, false, "validation comes before the start"},
		{mistral.JobFailed, classifierv1alpha1.ReasonTrainingFailed, true, "only a started job fails"},
		{mistral.JobSuccess, classifierv1alpha1.ReasonSucceeded, true, "only a started job succeeds"},
	} {
		t.Run(string(end.status), func(t *testing.T) {
			t.Parallel()
			d, job := validated(t)
			d.endUnseen(job.Status.RemoteJob.ID, end.status)
			d.Edit(job, func() { job.Spec.Suspend = new(false) })
			if _, err := d.pass(job); err != nil {
				t.Fatal(err)
			}
			d.Get("job", job)
			if finished := meta.FindStatusCondition(job.Status.Conditions, classifierv1alpha1.ConditionFinished); finished == nil || finished.Reason != end.reason {
				t.Errorf("Finished is %+v, want the reason %s", finished, end.reason)
			}
			if started := job.Status.StartTime != nil; started != end.started {
				t.Errorf("a start time is there: %t, because %s", started, end.why)
			}
			if started := meta.FindStatusCondition(job.Status.Conditions, classifierv1alpha1.ConditionStarted); !end.started && started.Reason != end.reason {
				t.Errorf("Started is %+v, as if it might come yet", started)
			}
			if end.status == mistral.JobSuccess {
				d.Get("job", &corev1.Secret{})
			}
		})
	}
}

// endUnseen gives a validated job an end of which the operator does not learn.
func (d *driver) endUnseen(id string, status mistral.JobStatus) {
	d.Helper()
	if status != mistral.JobSuccess {
		d.factory.distort("/v1/fine_tuning/jobs/", func(job map[string]any) { job["status"] = status })
		return
	}
	if _, err := d.api.StartJob(d.ctx, id); err != nil {
		d.Fatal(err)
	}
	d.Eventually("waiting for the training", func() error {
		job, err := d.api.GetJob(d.ctx, id)
		if err != nil {
			return err
		}
		return equal("state", job.Status, mistral.JobSuccess)
	})
}

// TestStartThatTheFactoryPutsOffIsTriedAgain holds that a job whose start is in
// conflict with something does not wait for an event that never comes.
func TestStartThatTheFactoryPutsOffIsTriedAgain(t *testing.T) {
	t.Parallel()
	d, job := validated(t)
	d.factory.answer(http.MethodPost, "/v1/fine_tuning/jobs/"+job.Status.RemoteJob.ID+"/start", http.StatusConflict)
	d.Edit(job, func() { job.Spec.Suspend = new(false) })
	for range 2 {
		if result, err := d.pass(job); err == nil && result.RequeueAfter == 0 {
			t.Error("the pass asks for no other one")
		}
		d.Get("job", job)
		if job.Status.StartTime != nil || job.Status.CompletionTime != nil {
			t.Errorf("the status says that the job was started: %+v", job.Status)
		}
	}
	d.factory.behave()
	d.settle(job, classifierv1alpha1.ReasonPublished)
}

// TestBudgetHoldsTheJobBack holds what is started under a spec.maxCost, and that
// nothing is lost by waiting: a raised one lets the same job start.
func TestBudgetHoldsTheJobBack(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name             string
		amount, currency any // that the factory asks for
		reason           string
	}{
		{"less", 4.99, "EUR", classifierv1alpha1.ReasonPublished},
		{"exactly as much", 5, "EUR", classifierv1alpha1.ReasonPublished},
		{"a cent more", 5.01, "EUR", classifierv1alpha1.ReasonBudgetExceeded},
		{"as much in another currency", 5, "USD", classifierv1alpha1.ReasonBudgetExceeded},
		{"nothing, in another currency", 0, "USD", classifierv1alpha1.ReasonPublished},
		{"no estimate", nil, nil, classifierv1alpha1.ReasonCostUnknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			d.ready(d.inlineDataset("data", sentiments(20)))
			d.price(test.amount, test.currency)
			job := driven(d.trainingJob("job", "data"))
			job.Spec.MaxCost = &classifierv1alpha1.Cost{Amount: "5.00", Currency: "EUR"}
			d.Create(job)
			d.settle(job, test.reason)
			if test.reason == classifierv1alpha1.ReasonPublished {
				return
			}
			first := job.Status.RemoteJob.ID
			if jobs := d.remoteJobs(); jobs[0].Status != mistral.JobValidated || job.Status.StartTime != nil {
				t.Fatalf("the job is %s", jobs[0].Status)
			}
			d.Edit(job, func() { job.Spec.MaxCost = nil })
			d.settle(job, classifierv1alpha1.ReasonPublished)
			if jobs := d.remoteJobs(); len(jobs) != 1 || jobs[0].ID != first {
				t.Errorf("the factory has %d jobs", len(jobs))
			}
		})
	}
}

// TestPriceIsThatOfTheLastMoment raises the price while the job waits, unseen by the
// operator until it is about to start it.
func TestPriceIsThatOfTheLastMoment(t *testing.T) {
	t.Parallel()
	d, job := validated(t)
	d.price(6, "EUR")
	d.Edit(job, func() {
		job.Spec.Suspend = new(false)
		job.Spec.MaxCost = &classifierv1alpha1.Cost{Amount: "5.00", Currency: "EUR"}
	})
	_, _ = d.pass(job)
	d.Get("job", job)
	if err := equal("the reason of Ready", controllertest.Condition(job, classifierv1alpha1.ConditionReady).Reason, classifierv1alpha1.ReasonBudgetExceeded); err != nil {
		t.Error(err)
	}
	if remote := d.remoteJob(job); remote.Status != mistral.JobValidated {
		t.Errorf("the job is %s", remote.Status)
	}
}

// TestStartByAnotherHandIsSaid holds that a job that runs without the operator's
// doing, as at a factory that ignores auto_start, is no secret.
func TestStartByAnotherHandIsSaid(t *testing.T) {
	t.Parallel()
	d, job := validated(t)
	d.told()
	if _, err := d.api.StartJob(d.ctx, job.Status.RemoteJob.ID); err != nil {
		t.Fatal(err)
	}
	d.settle(job, classifierv1alpha1.ReasonPublished)
	started := meta.FindStatusCondition(job.Status.Conditions, classifierv1alpha1.ConditionStarted)
	if started == nil || started.Reason != classifierv1alpha1.ReasonStartedUnasked {
		t.Errorf("Started is %+v", started)
	}
	if err := containsReason(d.told(), classifierv1alpha1.ReasonStartedUnasked, 1); err != nil {
		t.Error(err)
	}
}

// TestStartThatWasCutOffIsTheOperatorsOwn loses the record of a start. The next
// pass must not take the running job for somebody else's doing.
func TestStartThatWasCutOffIsTheOperatorsOwn(t *testing.T) {
	t.Parallel()
	d, job := validated(t)
	d.Edit(job, func() { job.Spec.Suspend = new(false) })
	d.onStatusWrite(func(number int64, write func() error) error {
		if number > 1 {
			return apierrors.NewInternalError(errors.New("cut off"))
		}
		return write()
	})
	_, _ = d.pass(job)
	d = d.restarted()
	d.settle(job, classifierv1alpha1.ReasonPublished)
	started := meta.FindStatusCondition(job.Status.Conditions, classifierv1alpha1.ConditionStarted)
	if started == nil || started.Reason != classifierv1alpha1.ReasonStarted {
		t.Errorf("Started is %+v", started)
	}
}

// TestRunningJobCannotBeSuspended holds that the API server refuses what would
// have no effect, and takes it again when it does no harm.
func TestRunningJobCannotBeSuspended(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.largeDataset("data")
	job := driven(d.trainingJob("job", "data"))
	d.Create(job)
	d.settle(job, classifierv1alpha1.ReasonTraining)
	suspend := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"suspend":true}}`))
	err := cluster.Admin.Patch(d.ctx, job, suspend)
	if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "cannot be suspended any more") {
		t.Errorf("suspending a job that was started: %v", err)
	}
	if _, err := d.api.CancelJob(d.ctx, job.Status.RemoteJob.ID); err != nil {
		t.Fatal(err)
	}
	d.settle(job, classifierv1alpha1.ReasonCancelled)
	if err := cluster.Admin.Patch(d.ctx, job, suspend); err != nil {
		t.Errorf("suspending a job that is over: %v", err)
	}
}

// TestJobThatIsGoneBeforeItsStartIsMissing holds that a job which somebody deleted
// is not taken for a refused request.
func TestJobThatIsGoneBeforeItsStartIsMissing(t *testing.T) {
	t.Parallel()
	d, job := validated(t)
	d.factory.answer("", "/v1/fine_tuning/jobs/"+job.Status.RemoteJob.ID, http.StatusNotFound)
	d.Edit(job, func() { job.Spec.Suspend = new(false) })
	if result, err := d.pass(job); err != nil || result.RequeueAfter != missingGrace {
		t.Errorf("it is looked for again after %s: %v", result.RequeueAfter, err)
	}
	d.settle(job, classifierv1alpha1.ReasonRemoteJobMissing)
	if meta.IsStatusConditionTrue(job.Status.Conditions, classifierv1alpha1.ConditionStalled) {
		t.Error("it is given up at once")
	}
}

// TestRefusedStartIsRepeatedWhenAskedFor holds how a start that the factory refused
// is brought about after all.
func TestRefusedStartIsRepeatedWhenAskedFor(t *testing.T) {
	t.Parallel()
	d, job := validated(t)
	d.factory.refuse("/start", http.StatusUnprocessableEntity)
	d.Edit(job, func() { job.Spec.Suspend = new(false) })
	d.settle(job, classifierv1alpha1.ReasonRejected)
	d.factory.behave()
	_, _ = d.pass(job)
	if remote := d.remoteJob(job); remote.Status != mistral.JobValidated {
		t.Fatalf("the job is %s", remote.Status)
	}
	d.Edit(job, func() { job.Annotations = map[string]string{classifierv1alpha1.ReconcileRequestAnnotation: "now"} })
	d.settle(job, classifierv1alpha1.ReasonPublished)
}
