package faults

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestKubectlWait holds that one command, started before anything happens, returns
// for every end that a job can have.
func TestKubectlWait(t *testing.T) {
	t.Parallel()
	for _, end := range []struct {
		reason string // of Finished
		spec   func(*classifierv1alpha1.ClassifierTrainingJobSpec)
		// scripted is whether the factory does what the test says.
		scripted bool
		happens  func(*world, *scriptedFactory, *classifierv1alpha1.ClassifierTrainingJob)
	}{
		{reason: classifierv1alpha1.ReasonSucceeded},
		{reason: classifierv1alpha1.ReasonTrainingFailed, scripted: true, happens: func(w *world, factory *scriptedFactory, job *classifierv1alpha1.ClassifierTrainingJob) {
			w.waitForState(job, string(mistral.JobRunning))
			factory.end(mistral.JobFailed)
		}},
		{reason: classifierv1alpha1.ReasonCancelled, scripted: true, happens: func(w *world, factory *scriptedFactory, job *classifierv1alpha1.ClassifierTrainingJob) {
			w.waitForState(job, string(mistral.JobRunning))
			factory.end(mistral.JobCancelled)
		}},
		{reason: classifierv1alpha1.ReasonValidationFailed, spec: func(spec *classifierv1alpha1.ClassifierTrainingJobSpec) {
			spec.Training.Targets = []classifierv1alpha1.TrainingTarget{{Name: "sentiment", Labels: []string{"happy", "sad"}}}
		}},
		{reason: classifierv1alpha1.ReasonDeadlineExceeded, scripted: true, spec: func(spec *classifierv1alpha1.ClassifierTrainingJobSpec) {
			spec.ActiveDeadlineSeconds = new(int64(30))
		}},
		{reason: classifierv1alpha1.ReasonSucceeded + " once the budget is raised", scripted: true, spec: func(spec *classifierv1alpha1.ClassifierTrainingJobSpec) {
			spec.MaxCost = &classifierv1alpha1.Cost{Amount: "1", Currency: "EUR"}
		}, happens: func(w *world, factory *scriptedFactory, job *classifierv1alpha1.ClassifierTrainingJob) {
			w.waitForReason(job, classifierv1alpha1.ReasonBudgetExceeded)
			w.Edit(job, func() { job.Spec.MaxCost.Amount = "10" })
			w.waitForState(job, string(mistral.JobRunning))
			factory.end(mistral.JobSuccess)
		}},
	} {
		t.Run(end.reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			factory := newScriptedFactory()
			factory.cost = 5
			if end.scripted {
				w.proxy.real = factory
			}
			job := w.trainingJob("job", "data")
			if end.spec != nil {
				end.spec(&job.Spec)
			}
			w.Create(job)
			waited := w.kubectl("wait", "--for=condition=Finished", "ctj/job", "--timeout=60s")
			w.Create(w.dataset("data"))
			w.startOperator()
			if end.happens != nil {
				end.happens(w, factory, job)
			}
			if err := <-waited; err != nil {
				t.Error(err)
			}
			w.Get(job.Name, job)
			finished := controllertest.Condition(job, classifierv1alpha1.ConditionFinished)
			if reason, _, _ := strings.Cut(end.reason, " "); finished.Reason != reason {
				t.Errorf("Finished is %+v", finished)
			}
		})
	}
}

// kubectl starts the real one in the namespace.
func (w *world) kubectl(arguments ...string) chan error {
	w.Helper()
	config := filepath.Join(w.TempDir(), "kubeconfig")
	if err := os.WriteFile(config, cluster.KubeConfig, 0o600); err != nil {
		w.Fatal(err)
	}
	command := exec.CommandContext(w.ctx, filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"),
		append([]string{"--kubeconfig", config, "--namespace", w.Namespace.Name, "--cache-dir", w.TempDir()}, arguments...)...)
	ended := make(chan error, 1)
	go func() {
		begun := time.Now()
		output, err := command.CombinedOutput()
		w.Logf("kubectl %s, after %s: %s", strings.Join(arguments, " "), time.Since(begun).Round(time.Millisecond), output)
		ended <- err
	}()
	return ended
}
