package faults

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/factory"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestTimeTravel holds that each run is started once also where time does not go on as
// it should: etcd, objects or the factory are restored from a backup, the cluster is
// cloned, clocks differ, lists tell of long ago.
func TestTimeTravel(t *testing.T) {
	t.Parallel()
	t.Run("the control plane restored and cloned", testRestoredControlPlane)
	t.Run("a status reset", testResetStatus)
	t.Run("another clock", testOtherClock)
	t.Run("lists that lag", testLongLag)
	t.Run("objects restored", testRestoredObjects)
	t.Run("the factory restored", testRestoredFactory)
}

// testRestoredControlPlane takes etcd back to before the operator did anything, and then
// makes a clone of the cluster that uses the same factory and key.
func testRestoredControlPlane(t *testing.T) {
	t.Parallel()
	started := controllertest.StartForTest(t, root)
	original, err := newPlane(started)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorldIn(t, original, worldClock.Now)
	w.mayEnd = true
	dataset, job, held := w.splitDataset("data"), w.trainingJob("job", "data"), w.trainingJob("held", "data")
	held.Spec.Suspend = new(true)
	for _, object := range []client.Object{dataset, job, held} {
		w.Create(object)
	}
	before, after := filepath.Join(t.TempDir(), "before"), filepath.Join(t.TempDir(), "after")
	if err := original.Snapshot(before); err != nil {
		t.Fatal(err)
	}
	operator := w.startOperator()
	ready := func(w *world) {
		w.Helper()
		w.waitUntil(dataset, classifierv1alpha1.ConditionReady)
		w.waitUntil(job, classifierv1alpha1.ConditionReady)
		w.waitForState(held, string(mistral.JobValidated))
	}
	ready(w)
	published := w.published(job)
	if err := original.without(func() error { return original.Restore(before) }); err != nil {
		t.Fatal(err)
	}

	// What it watches begins beyond what there is.
	select {
	case <-operator.ended:
	case <-time.After(w.Patience):
		t.Fatal("the operator goes on with what it knew before the restore")
	}
	if operator.err == nil || !strings.Contains(operator.err.Error(), "went back in time") {
		t.Errorf("it ended with %v", operator.err)
	}
	operator = w.startOperator()
	ready(w)
	if got := w.published(job); got != published {
		t.Errorf("the model was %s and is %s", published, got)
	}
	w.checkFiles()
	w.checkStarts(1)
	if jobs := w.remoteJobs(); len(jobs) != 2 {
		t.Errorf("the factory has %d jobs, want 2: %+v", len(jobs), jobs)
	}
	operator.stop()
	<-operator.ended
	if err := original.Snapshot(after); err != nil {
		t.Fatal(err)
	}

	origin := w.belongings()
	cloned, err := controllertest.StartFrom(root, after)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cloned.Stop(); err != nil {
			t.Error(err)
		}
	})
	clone, err := newPlane(cloned)
	if err != nil {
		t.Fatal(err)
	}
	twin := w.beside(t, clone, clone.Namespace(t, w.Namespace.Name))
	twin.clusterID = "clone"
	twin.startOperator()
	twin.Await(held, "a job of its own", func() bool {
		return held.Status.RemoteJob != nil && held.Status.RemoteJob.State == string(mistral.JobValidated) && !origin.hasJob(held.Status.RemoteJob.ID)
	})
	twin.Await(dataset, "files of its own", func() bool { return ownFiles(dataset, origin) })
	twin.waitUntil(job, classifierv1alpha1.ConditionReady)
	if got := twin.published(job); got != published {
		t.Errorf("the clone publishes %s instead of %s", got, published)
	}
	twin.Edit(job, func() { job.Spec.DeletionPolicy = classifierv1alpha1.TrainingJobCancelAndDeleteModel })
	twin.remove(job, held, dataset)
	w.checkUntouched(origin)
	w.checkStarts(1)
}

// testResetStatus takes away what the operator wrote down, at each stage of a job.
func testResetStatus(t *testing.T) {
	t.Parallel()
	for _, stage := range []string{"VALIDATED", "RUNNING", "SUCCESS"} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			scripted := newScriptedFactory()
			w.proxy.real = scripted
			dataset, job := w.dataset("data"), w.trainingJob("job", "data")
			job.Spec.Suspend = new(stage == "VALIDATED")
			w.Create(dataset)
			w.Create(job)
			w.startOperator()
			if stage == "SUCCESS" {
				w.waitForState(job, "RUNNING")
				scripted.end(mistral.JobSuccess)
				w.waitUntil(job, classifierv1alpha1.ConditionReady)
			}
			w.waitForState(job, stage)
			w.overwriteStatus(job, func() { job.Status = classifierv1alpha1.ClassifierTrainingJobStatus{} })
			w.overwriteStatus(dataset, func() { dataset.Status = classifierv1alpha1.ClassifierDatasetStatus{} })
			w.waitForState(job, stage)
			w.waitUntil(dataset, classifierv1alpha1.ConditionReady)
			if stage == "VALIDATED" {
				w.Edit(job, func() { job.Spec.Suspend = nil })
			}
			if stage != "SUCCESS" {
				w.waitForState(job, "RUNNING")
				scripted.end(mistral.JobSuccess)
			}
			w.waitUntil(job, classifierv1alpha1.ConditionReady)
			if started := controllertest.Condition(job, classifierv1alpha1.ConditionStarted); started.Reason != classifierv1alpha1.ReasonStarted {
				t.Errorf("Started is %+v", started)
			}
			w.checkFiles()
			w.remove(job, dataset)
			w.checkNothingLeft(1, 1)
		})
	}
}

// testOtherClock loses the answer to a creation at a factory whose clock is hours off.
func testOtherClock(t *testing.T) {
	t.Parallel()
	for _, offset := range []time.Duration{-5 * time.Hour, 5 * time.Hour} {
		t.Run(offset.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorldIn(t, cluster, func() time.Time { return worldClock.Now().Add(offset) })
			w.judge = func(made call) fault {
				if made.String() == "factory POST /v1/fine_tuning/jobs" && made.repeat == 1 {
					return fault{kind: loseAnswer}
				}
				return fault{}
			}
			w.startOperator()
			trained.live(w)
			w.checkNothingLeft(1, 1)
		})
	}
}

// testLongLag lets the factory's lists hide a job for longer than its creation is waited
// for, so that there is a second one.
func testLongLag(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		reason string
		until  func(w *world, scripted *scriptedFactory, job *classifierv1alpha1.ClassifierTrainingJob, catchUp func())
		// starts is whether the second job is started
		starts int
	}{
		{reason: "it is seen when the job has ended", starts: 1, until: func(w *world, scripted *scriptedFactory, job *classifierv1alpha1.ClassifierTrainingJob, catchUp func()) {
			w.waitForState(job, "RUNNING")
			catchUp()
			scripted.end(mistral.JobSuccess)
			w.waitUntil(job, classifierv1alpha1.ConditionReady)
			w.Eventually("waiting for the surplus job to be cancelled", func() error {
				if scripted.count(mistral.JobCancelled) != 1 {
					return errors.New("it is not")
				}
				return nil
			})
			w.remove(job)
		}},
		{reason: "it is seen when the finished object is deleted", starts: 1, until: func(w *world, scripted *scriptedFactory, job *classifierv1alpha1.ClassifierTrainingJob, catchUp func()) {
			w.waitForState(job, "RUNNING")
			scripted.end(mistral.JobSuccess)
			w.waitUntil(job, classifierv1alpha1.ConditionReady)
			catchUp()
			w.remove(job)
		}},
		{reason: "it is seen when the running object is deleted", starts: 1, until: func(w *world, _ *scriptedFactory, job *classifierv1alpha1.ClassifierTrainingJob, catchUp func()) {
			w.waitForState(job, "RUNNING")
			catchUp()
			w.remove(job)
		}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			scripted := newScriptedFactory()
			w.proxy.real = scripted
			w.proxy.lagTime = time.Hour
			var caughtUp atomic.Bool
			w.judge = func(made call) fault {
				switch call := made.String(); {
				case call == "factory POST /v1/fine_tuning/jobs" && made.repeat == 1:
					return fault{kind: loseAnswer}
				case call == "factory GET /v1/fine_tuning/jobs" && !caughtUp.Load():
					return fault{kind: lag}
				}
				return fault{}
			}
			dataset, job := w.dataset("data"), w.trainingJob("job", "data")
			w.Create(dataset)
			w.Create(job)
			w.startOperator()
			test.until(w, scripted, job, func() { caughtUp.Store(true) })
			w.remove(dataset)
			w.checkNothingLeft(2, test.starts)
		})
	}
}

// testRestoredObjects restores objects as backup tools do: they are created without a
// status, which is written afterwards, and they have other UIDs than the originals, whose
// operator is at work.
func testRestoredObjects(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		reason string
		// original is the state of the job in the backup.
		original string
		// removed is whether the original is deleted before it is restored.
		removed bool
		// own is the state that the restored object's own job reached before the status came;
		// empty: the operator was not there yet.
		own string
		// ends is the state of the restored object's job in the end.
		ends string
		// jobs is how many the restored object has of its own, and starts how many of them are started.
		jobs, starts int
	}{
		{reason: "finished, before the operator came", original: "SUCCESS", ends: "SUCCESS"},
		{reason: "finished, and a job of its own was created", original: "SUCCESS", own: "VALIDATED", ends: "SUCCESS", jobs: 1},
		{reason: "finished, and a job of its own runs", original: "SUCCESS", own: "RUNNING", ends: "SUCCESS", jobs: 1, starts: 1},
		{reason: "failed, before the operator came", original: "FAILED", ends: "FAILED"},
		{reason: "running, before the operator came", original: "RUNNING", ends: "SUCCESS", jobs: 1, starts: 1},
		{reason: "running, and a job of its own was created", original: "RUNNING", own: "VALIDATED", ends: "SUCCESS", jobs: 1, starts: 1},
		{reason: "running, and a job of its own runs", original: "RUNNING", own: "RUNNING", ends: "SUCCESS", jobs: 1, starts: 1},
		{reason: "running, and a job of its own has ended", original: "RUNNING", own: "SUCCESS", ends: "SUCCESS", jobs: 1, starts: 1},
		{reason: "validated, before the operator came", original: "VALIDATED", ends: "SUCCESS", jobs: 1, starts: 1},
		{reason: "running, and cancelled since", original: "RUNNING", removed: true, ends: "SUCCESS", jobs: 1, starts: 1},
		{reason: "cancelled, before the operator came", original: "CANCELLED", ends: "CANCELLED"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			scripted := newScriptedFactory()
			w.proxy.real = scripted
			dataset, job := w.dataset("data"), w.trainingJob("job", "data")
			job.Spec.Suspend = new(test.original == "VALIDATED")
			w.Create(dataset)
			w.Create(job)
			w.startOperator()
			w.bring(job, scripted, test.original)
			w.waitUntil(dataset, classifierv1alpha1.ConditionReady)
			backup, backupOfDataset := *job.Status.DeepCopy(), *dataset.Status.DeepCopy()
			starts := 1
			if test.original == "VALIDATED" {
				starts = 0
			}
			restored := w.beside(t, cluster, cluster.NewNamespace(t))
			restored.Create(restored.connection())
			dataset, job = copied(restored, dataset), copied(restored, job)
			if test.removed {
				w.remove(w.trainingJob("job", "data"), w.dataset("data"))
			}
			origin := w.belongings()
			job.Spec.Suspend = new(test.own == "VALIDATED")
			restored.Create(dataset)
			restored.Create(job)
			if test.own != "" {
				restored.startOperator()
				restored.bring(job, scripted, test.own)
			}
			restored.overwriteStatus(dataset, func() { dataset.Status = backupOfDataset })
			restored.overwriteStatus(job, func() { job.Status = backup })
			if test.own == "" {
				restored.startOperator()
			}
			if test.own == "VALIDATED" {
				restored.Edit(job, func() { job.Spec.Suspend = nil })
			}
			if test.ends == "SUCCESS" && test.original != "SUCCESS" && test.own != "SUCCESS" {
				restored.Await(job, "a job of its own that runs", func() bool {
					return job.Status.RemoteJob != nil && !origin.hasJob(job.Status.RemoteJob.ID) && job.Status.RemoteJob.State == "RUNNING"
				})
				scripted.endJob(job.Status.RemoteJob.ID, mistral.JobSuccess)
			}
			restored.Await(dataset, "files of its own", func() bool { return ownFiles(dataset, origin) })
			restored.waitUntil(dataset, classifierv1alpha1.ConditionReady)
			restored.waitUntil(job, classifierv1alpha1.ConditionFinished)
			restored.waitForState(job, test.ends)
			if test.ends == "SUCCESS" {
				restored.waitUntil(job, classifierv1alpha1.ConditionReady)
				restored.waitForSecret(job)
			}
			restored.Eventually("waiting until nothing runs untracked", func() error {
				for _, remote := range restored.remoteJobs() {
					if !remote.Status.Finished() && !origin.hasJob(remote.ID) && remote.ID != job.Status.RemoteJob.ID {
						return fmt.Errorf("job %s is %s", remote.ID, remote.Status)
					}
				}
				return nil
			})
			restored.Edit(job, func() { job.Spec.DeletionPolicy = classifierv1alpha1.TrainingJobCancelAndDeleteModel })
			restored.remove(job, dataset)
			w.checkUntouched(origin)
			w.checkStarts(starts + test.starts)
			if jobs := w.remoteJobs(); len(jobs) != 1+test.jobs {
				t.Errorf("%d jobs were created, want %d: %+v", len(jobs), 1+test.jobs, jobs)
			}
		})
	}
}

// testRestoredFactory takes the factory back to before the dataset was uploaded.
func testRestoredFactory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	directory, backup := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	w.proxy.real = w.openFactory(directory, worldClock.Now)
	if err := factory.Backup(w.ctx, factory.Location{Directory: directory}, backup); err != nil {
		t.Fatal(err)
	}
	dataset, job := w.splitDataset("data"), w.trainingJob("job", "data")
	dataset.Spec.RefreshIntervalSeconds = 86400
	w.Create(dataset)
	w.startOperator()
	w.waitUntil(dataset, classifierv1alpha1.ConditionReady)
	lost := dataset.Status.Files[0]
	w.proxy.real = w.openFactory(backup, worldClock.Now)
	w.Create(job)
	w.waitUntil(job, classifierv1alpha1.ConditionReady)
	w.waitUntil(dataset, classifierv1alpha1.ConditionReady)
	w.Eventually("waiting for the event", func() error {
		events := &corev1.EventList{}
		w.List(events)
		for _, event := range events.Items {
			if event.Reason == classifierv1alpha1.ReasonDatasetFileLost && strings.Contains(event.Message, lost.Name) && strings.Contains(event.Message, "ClassifierDataset data (Train)") {
				return nil
			}
		}
		return errors.New("nobody says which file was lost")
	})
	w.checkFiles()
	w.remove(job, dataset)
	w.checkNothingLeft(1, 1)
}

// belongings are what somebody has at the factory.
type belongings struct {
	jobs  map[string]mistral.JobStatus
	files []string
}

func (b belongings) hasJob(id string) bool { _, ok := b.jobs[id]; return ok }

func (b belongings) hasFile(id string) bool { return slices.Contains(b.files, id) }

func (w *world) belongings() belongings {
	w.Helper()
	b := belongings{jobs: map[string]mistral.JobStatus{}}
	for _, job := range w.remoteJobs() {
		b.jobs[job.ID] = job.Status
	}
	for _, file := range w.remoteFiles() {
		b.files = append(b.files, file.ID)
	}
	return b
}

// checkUntouched holds that what was there is there, as it was, and that no file came.
func (w *world) checkUntouched(before belongings) {
	w.Helper()
	now := w.belongings()
	for id, state := range before.jobs {
		if now.jobs[id] != state {
			w.Errorf("job %s was %s and is %s", id, state, now.jobs[id])
		}
	}
	if slices.Sort(before.files); !slices.Equal(slices.Sorted(slices.Values(now.files)), before.files) {
		w.Errorf("the files were %v and are %v", before.files, now.files)
	}
}

// ownFiles reports whether a dataset has files, and none of somebody else's.
func ownFiles(dataset *classifierv1alpha1.ClassifierDataset, others belongings) bool {
	return len(dataset.Status.Files) > 0 && !slices.ContainsFunc(dataset.Status.Files, func(file classifierv1alpha1.DatasetFile) bool {
		return file.ID == "" || others.hasFile(file.ID)
	})
}

// waitForSecret waits until the job's model is in a Secret of the job's.
func (w *world) waitForSecret(job *classifierv1alpha1.ClassifierTrainingJob) {
	w.Helper()
	w.Eventually("waiting for the Secret", func() error {
		secret := &corev1.Secret{}
		err := w.plane.Admin.Get(w.ctx, client.ObjectKeyFromObject(job), secret)
		if err == nil && (!metav1.IsControlledBy(secret, job) || string(secret.Data["model"]) != job.Status.Model.ID) {
			err = fmt.Errorf("it says %s and is owned by %v", secret.Data["model"], secret.OwnerReferences)
		}
		return err
	})
}

// published is the model in a job's Secret.
func (w *world) published(job *classifierv1alpha1.ClassifierTrainingJob) string {
	w.Helper()
	w.Get(job.Name, job)
	if job.Status.Binding == nil {
		return ""
	}
	secret := &corev1.Secret{}
	w.Get(job.Status.Binding.Name, secret)
	if !metav1.IsControlledBy(secret, job) {
		w.Errorf("Secret %s is not the job's", secret.Name)
	}
	return string(secret.Data["model"])
}

// overwriteStatus writes a status as somebody else than the operator.
func (w *world) overwriteStatus(object client.Object, change func()) {
	w.Helper()
	w.plane.Monitor.Allow(object)
	w.Eventually("writing a status", func() error {
		w.Get(object.GetName(), object)
		change()
		err := w.plane.Admin.Status().Update(w.ctx, object)
		if err != nil && !apierrors.IsConflict(err) {
			w.Fatal(err)
		}
		return err
	})
}

// bring lets a job come into a state.
func (w *world) bring(job *classifierv1alpha1.ClassifierTrainingJob, scripted *scriptedFactory, state string) {
	w.Helper()
	switch state {
	case "VALIDATED", "RUNNING":
		w.waitForState(job, state)
		return
	}
	w.waitForState(job, "RUNNING")
	scripted.endJob(job.Status.RemoteJob.ID, mistral.JobStatus(state))
	w.waitUntil(job, classifierv1alpha1.ConditionFinished)
	if state == "SUCCESS" {
		w.waitUntil(job, classifierv1alpha1.ConditionReady)
	}
}

// copied is an object as a backup tool creates it, in another namespace.
func copied[T client.Object](w *world, object T) T {
	object = object.DeepCopyObject().(T)
	object.SetNamespace(w.Namespace.Name)
	object.SetUID("")
	object.SetResourceVersion("")
	object.SetGeneration(0)
	object.SetFinalizers(nil)
	object.SetManagedFields(nil)
	return object
}
