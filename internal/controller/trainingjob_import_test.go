package controller

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
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
	d.create(job)
	return job
}

// TestImportedJobIsPublishedAndLeftAlone holds that an import gives the Secret and
// changes nothing at the factory, not even when the object is deleted.
func TestImportedJobIsPublishedAndLeftAlone(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	remote := d.elsewhere(true)
	job := d.imported(remote.ID)
	d.settle(job, classifierv1alpha1.ReasonPublished)
	secret := &corev1.Secret{}
	d.get("job", secret)
	if string(secret.Data["job-id"]) != remote.ID || string(secret.Data["base-model"]) != remote.Model || len(secret.Data["dataset-digest"]) > 0 {
		t.Errorf("the Secret has %v", secret.Data)
	}
	if len(job.Finalizers) > 0 || job.Status.Attempt != nil {
		t.Errorf("the object claims the job: %v, %+v", job.Finalizers, job.Status.Attempt)
	}
	d.delete(job)
	d.waitUntilGone(job)
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
	d.delete(job)
	d.waitUntilGone(job)
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
	if err := cluster.admin.Get(d.ctx, client.ObjectKeyFromObject(job), &corev1.Secret{}); err == nil {
		t.Error("a Secret was published")
	}
}
