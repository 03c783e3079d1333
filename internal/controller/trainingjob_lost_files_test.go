package controller

import (
	"strings"
	"testing"

	testclock "k8s.io/utils/clock/testing"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestLostFileIsNamedAndBroughtBack takes a file away from the factory that a dataset
// takes to be there.
func TestLostFileIsNamedAndBroughtBack(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	data := d.inlineDataset("data", sentiments(20))
	d.ready(data)
	lost := data.Status.Files[0]
	d.loseFile(data)
	job := driven(d.trainingJob("job", "data"))
	d.Create(job)
	if _, err := d.pass(job); err != nil {
		t.Error(err)
	}
	d.namesLostFile(job, lost.Name, "it is being uploaded again")
	d.settle(data, classifierv1alpha1.ReasonUploaded)
	if data.Status.Files[0].ID == lost.ID {
		t.Fatal("the dataset did not look at its file")
	}
	d.settle(job, classifierv1alpha1.ReasonPublished)
	if jobs := d.remoteJobs(); len(jobs) != 1 || jobs[0].TrainingFiles[0] != data.Status.Files[0].ID {
		t.Errorf("the factory has %+v", jobs)
	}
}

// TestRetryReadsFilesThatCameBack loses the file between two tries: the second one reads
// the same content, which has another ID by now.
func TestRetryReadsFilesThatCameBack(t *testing.T) {
	t.Parallel()
	d, job := backingOff(t)
	data := d.dataset("data", "")
	d.Get("data", data)
	lost := data.Status.Files[0]
	d.loseFile(data)
	broken := job.Status.RemoteJob.ID
	distortJobs(d.factory, func(job map[string]any) {
		if job["id"] == broken {
			job["status"], job["fine_tuned_model"] = mistral.JobFailed, nil
		}
	})
	d.jobs.clock = testclock.NewFakePassiveClock(job.Status.Failures[0].Time.Add(minBackoff))
	if _, err := d.pass(job); err != nil {
		t.Error(err)
	}
	d.namesLostFile(job, lost.Name, "it is being uploaded again")
	d.settle(data, classifierv1alpha1.ReasonUploaded)
	d.settle(job, classifierv1alpha1.ReasonPublished)
	if inputs := job.Status.Inputs; job.Status.Attempt.Number != 2 || inputs[0].FileID != data.Status.Files[0].ID || inputs[0].FileID == lost.ID {
		t.Errorf("the try %+v reads %+v", job.Status.Attempt, inputs)
	}
}

// TestLostFileOfASuspendedDatasetIsNamed says what keeps the file from coming back.
func TestLostFileOfASuspendedDatasetIsNamed(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	data := d.inlineDataset("data", sentiments(20))
	d.ready(data)
	d.Edit(data, func() { data.Spec.Suspend = new(true) })
	if _, err := d.pass(data); err != nil {
		t.Fatal(err)
	}
	d.loseFile(data)
	job := driven(d.trainingJob("job", "data"))
	d.Create(job)
	if _, err := d.pass(job); err != nil {
		t.Error(err)
	}
	d.namesLostFile(job, data.Status.Files[0].Name, "no longer suspended")
}

// loseFile deletes the only file of a dataset behind its back.
func (d *driver) loseFile(data *classifierv1alpha1.ClassifierDataset) {
	d.Helper()
	if err := d.api.DeleteFile(d.ctx, data.Status.Files[0].ID); err != nil {
		d.Fatal(err)
	}
}

func (d *driver) namesLostFile(job *classifierv1alpha1.ClassifierTrainingJob, name, what string) {
	d.Helper()
	d.Get("job", job)
	for _, kind := range []string{classifierv1alpha1.ConditionReady, classifierv1alpha1.ConditionDatasetsReady} {
		condition := d.waitFor(job, kind, "False", classifierv1alpha1.ReasonDatasetFileLost)
		for _, want := range []string{name, "ClassifierDataset data (Train)", what} {
			if !strings.Contains(condition.Message, want) {
				d.Errorf("%s does not name %s: %s", kind, want, condition.Message)
			}
		}
	}
}
