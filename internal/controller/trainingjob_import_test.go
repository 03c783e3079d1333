package controller

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// elsewhere creates a job at the factory that no object made.
func (d *driver) elsewhere(autoStart bool) *mistral.Job {
	d.Helper()
	data := d.inlineDataset("data", sentiments(20))
	d.ready(data)
	suffix := "elsewhere"
	job, err := d.api.CreateJob(d.ctx, mistral.CreateJobRequest{
		Model:         "ministral-3b-latest",
		JobType:       mistral.JobTypeClassifier,
		TrainingFiles: []mistral.TrainingFile{{FileID: data.Status.Files[0].ID, Weight: 1}},
		Suffix:        &suffix,
		AutoStart:     autoStart,
	})
	if err != nil {
		d.Fatal(err)
	}
	return job
}

func (d *driver) imported(id string) *classifierv1alpha1.ClassifierTrainingJob {
	d.Helper()
	job := driven(d.trainingJob("job", "data"))
	job.Spec.ImportJobID = id
	d.Create(job)
	return job
}

// TestImportedJobIsPublishedAndLeftAlone holds that an import gives the Secret and
// changes nothing of the job, not even when the object is deleted.
func TestImportedJobIsPublishedAndLeftAlone(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	remote := d.elsewhere(true)
	job := d.imported(remote.ID)
	d.settle(job, classifierv1alpha1.ReasonPublished)
	secret := &corev1.Secret{}
	d.Get("job", secret)
	if string(secret.Data["job-id"]) != remote.ID || string(secret.Data["base-model"]) != remote.Model || len(secret.Data["dataset-digest"]) > 0 {
		t.Errorf("the Secret has %v", secret.Data)
	}
	if job.Status.Attempt != nil {
		t.Errorf("the object claims the job: %+v", job.Status.Attempt)
	}
	d.Delete(job)
	d.passUntilGone(job)
	if jobs := d.remoteJobs(); len(jobs) != 1 || jobs[0].Status != mistral.JobSuccess {
		t.Errorf("the factory has %+v", jobs)
	}
}

// TestImportedJobIsNotStarted holds that whoever created a job decides about it.
func TestImportedJobIsNotStarted(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	remote := d.elsewhere(false)
	job := d.imported(remote.ID)
	d.settle(job, classifierv1alpha1.ReasonAwaitingStart)
	d.Delete(job)
	d.WaitUntilGone(job)
	if jobs := d.remoteJobs(); jobs[0].Status != mistral.JobValidated {
		t.Errorf("the factory has %+v", jobs)
	}
}

// TestImportOfAnotherTypeOfJobIsRefused holds that a completion's job is not taken
// for a classifier's.
func TestImportOfAnotherTypeOfJobIsRefused(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	remote := d.elsewhere(true)
	d.factory.distort("/v1/fine_tuning/jobs/", func(job map[string]any) { job["job_type"] = mistral.JobTypeCompletion })
	job := d.imported(remote.ID)
	d.settle(job, classifierv1alpha1.ReasonImportMismatch)
	if err := cluster.Admin.Get(d.ctx, client.ObjectKeyFromObject(job), &corev1.Secret{}); err == nil {
		t.Error("a Secret was published")
	}
}

// TestImportFollowsTheConnection corrects a Secret that led to another factory.
// Secrets are not watched: the next look must find the job.
func TestImportFollowsTheConnection(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	remote := d.elsewhere(true)
	other := newDriver(t)
	secret := d.connection("")
	right := *secret.DeepCopy()
	d.Edit(secret, func() {
		secret.Data[connectionURIKey], secret.Data[connectionAPIKeyKey] = []byte(other.factory.URL), []byte(other.apiKey)
	})
	job := d.imported(remote.ID)
	result, err := d.pass(job)
	if err != nil || result.RequeueAfter == 0 || result.RequeueAfter > credentialRecheck {
		t.Errorf("the Secret is read again after %s: %v", result.RequeueAfter, err)
	}
	d.settle(job, classifierv1alpha1.ReasonImportNotFound)
	d.Edit(secret, func() {
		secret.Data[connectionURIKey], secret.Data[connectionAPIKeyKey] = []byte(right.StringData[connectionURIKey]), []byte(d.apiKey)
	})
	d.settle(job, classifierv1alpha1.ReasonPublished)
}

// TestImportedJobThatRanWasStarted cancels an imported job in the middle of its
// training. It has been started all the same.
func TestImportedJobThatRanWasStarted(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	remote := d.elsewhere(false)
	show := func(state mistral.JobStatus) {
		distortJobs(d.factory, func(job map[string]any) { job["status"] = state })
	}
	show(mistral.JobRunning)
	job := d.imported(remote.ID)
	d.settle(job, classifierv1alpha1.ReasonTraining)
	for _, end := range []struct {
		state  mistral.JobStatus
		reason string
	}{
		{mistral.JobCancellationRequested, classifierv1alpha1.ReasonTraining},
		{mistral.JobCancelled, classifierv1alpha1.ReasonCancelled},
	} {
		show(end.state)
		d.refresh(job)
		_, _ = d.pass(job)
		d.Get("job", job)
		if err := equal("the reason of Ready", controllertest.Condition(job, classifierv1alpha1.ConditionReady).Reason, end.reason); err != nil {
			t.Errorf("%s: %v", end.state, err)
		}
		if started := controllertest.Condition(job, classifierv1alpha1.ConditionStarted); started.Status != metav1.ConditionTrue {
			t.Errorf("%s: Started is %+v", end.state, started)
		}
	}
}

// TestImportedJobIsNotCancelledWhoeverAddsAFinalizer deletes an imported job whose
// object was copied together with the finalizer of another one.
func TestImportedJobIsNotCancelledWhoeverAddsAFinalizer(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	remote := d.elsewhere(false)
	job := d.imported(remote.ID)
	d.settle(job, classifierv1alpha1.ReasonAwaitingStart)
	d.Edit(job, func() { job.Finalizers = []string{finalizer} })
	d.Delete(job)
	d.passUntilGone(job)
	if jobs := d.remoteJobs(); jobs[0].Status != mistral.JobValidated {
		t.Errorf("the factory has the job as %s", jobs[0].Status)
	}
}

// TestDatasetsWakeNoImportedJob holds that an imported job, which reads no dataset,
// is not looked at with each of its changes.
func TestDatasetsWakeNoImportedJob(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	job := f.trainingJob("job", "data")
	job.Spec.ImportJobID = "some-job"
	reader := fake.NewClientBuilder().WithScheme(cluster.Scheme).WithObjects(job).
		WithIndex(job, datasetIndex, datasetNames).Build()
	reconciler := &TrainingJobReconciler{client: reader}
	if woken := reconciler.jobsOfDataset(t.Context(), f.inlineDataset("data", "")); len(woken) != 0 {
		t.Errorf("these are woken: %v", woken)
	}
}
