package controller

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// published is a job whose model is published, and its operator after a restart.
func published(t *testing.T) (*driver, *classifierv1alpha1.ClassifierTrainingJob) {
	t.Helper()
	d := newDriver(t)
	d.ready(d.inlineDataset("data", sentiments(20)))
	job := driven(d.trainingJob("job", "data"))
	d.Create(job)
	d.settle(job, classifierv1alpha1.ReasonPublished)
	return d.restarted(), job
}

// hideModel makes the factory not know a model, in lists or everywhere.
func (s *testFactory) hideModel(id string, everywhere bool) {
	hide := func(w http.ResponseWriter, r *http.Request, real http.Handler) {
		if everywhere && strings.Contains(r.URL.Path, id) {
			http.NotFound(w, r)
			return
		}
		real.ServeHTTP(w, r)
	}
	s.distort("/v1/models", func(answer map[string]any) {
		if models, ok := answer["data"].([]any); ok {
			answer["data"] = slices.DeleteFunc(models, func(model any) bool { return model.(map[string]any)["id"] == id })
		}
	})
	distorted := *s.interfere.Load()
	both := func(w http.ResponseWriter, r *http.Request, real http.Handler) {
		distorted(w, r, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { hide(w, r, real) }))
	}
	s.interfere.Store(&both)
}

// TestReadyFollowsTheModel holds what a published job says when something happens to
// its model, and that what was trained stays trained.
func TestReadyFollowsTheModel(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		happen func(d *driver, model string) error
		reason string
		undo   func(d *driver, model string) error
	}{
		{"missing", func(d *driver, model string) error { d.factory.hideModel(model, true); return nil },
			classifierv1alpha1.ReasonModelMissing, func(d *driver, _ string) error { d.factory.behave(); return nil }},
		{"archived", func(d *driver, model string) error { _, err := d.api.ArchiveModel(d.ctx, model); return err },
			classifierv1alpha1.ReasonModelArchived, func(d *driver, model string) error { _, err := d.api.UnarchiveModel(d.ctx, model); return err }},
		{"deleted", func(d *driver, model string) error { return d.api.DeleteModel(d.ctx, model) }, classifierv1alpha1.ReasonModelMissing, nil},
		{"left out of the list", func(d *driver, model string) error { d.factory.hideModel(model, false); return nil },
			classifierv1alpha1.ReasonPublished, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d, job := published(t)
			model := job.Status.Model.ID
			d.settle(job, classifierv1alpha1.ReasonPublished)
			if err := test.happen(d, model); err != nil {
				t.Fatal(err)
			}
			d.jobsAt(time.Now().Add(modelRecheck + modelRecheck/4))
			if _, err := d.pass(job); err != nil {
				t.Fatal(err)
			}
			d.settle(job, test.reason)
			stalled := meta.IsStatusConditionTrue(job.Status.Conditions, classifierv1alpha1.ConditionStalled)
			if wanted := test.reason != classifierv1alpha1.ReasonPublished; stalled != wanted || wanted && job.Status.State != test.reason {
				t.Errorf("in the state %s it is %+v", job.Status.State, job.Status.Conditions)
			}
			for _, kind := range []string{classifierv1alpha1.ConditionComplete, classifierv1alpha1.ConditionFinished, classifierv1alpha1.ConditionOutputPublished} {
				if !meta.IsStatusConditionTrue(job.Status.Conditions, kind) {
					t.Errorf("%s is %+v", kind, controllertest.Condition(job, kind))
				}
			}
			if test.undo == nil {
				return
			}
			d = d.restarted()
			d.factory.answer("", "/v1/models", http.StatusBadGateway)
			d.settle(job, test.reason) // nobody says that it is back
			d.factory.behave()
			if err := test.undo(d, model); err != nil {
				t.Fatal(err)
			}
			d = d.restarted()
			d.settle(job, classifierv1alpha1.ReasonPublished)
		})
	}
}

// TestModelIsLookedAtWhenAskedFor holds that a request is served by a list that was asked
// for after it, and not said to be handled before.
func TestModelIsLookedAtWhenAskedFor(t *testing.T) {
	t.Parallel()
	d, job := published(t)
	if _, err := d.pass(job); err != nil { // which looks
		t.Fatal(err)
	}
	if err := d.api.DeleteModel(d.ctx, job.Status.Model.ID); err != nil {
		t.Fatal(err)
	}
	d.Edit(job, func() { job.Annotations = map[string]string{classifierv1alpha1.ReconcileRequestAnnotation: "now"} })
	result, err := d.pass(job)
	if err != nil {
		t.Fatal(err)
	}
	d.Get("job", job)
	if handled := job.Status.LastHandledReconcileAt != ""; handled || result.RequeueAfter > 5*time.Second {
		t.Errorf("handled: %t, and the next pass comes after %s", handled, result.RequeueAfter)
	}
	d.settle(job, classifierv1alpha1.ReasonModelMissing)
	if job.Status.LastHandledReconcileAt != "now" {
		t.Errorf("%q is handled", job.Status.LastHandledReconcileAt)
	}
}

// TestFactoryThatDoesNotAnswerUnmakesNoModel holds that what is not known to be gone is
// taken to be there.
func TestFactoryThatDoesNotAnswerUnmakesNoModel(t *testing.T) {
	t.Parallel()
	for status, reachable := range map[int]string{
		http.StatusBadGateway:   classifierv1alpha1.ReasonUnreachable,
		http.StatusUnauthorized: classifierv1alpha1.ReasonUnauthorized,
		http.StatusForbidden:    classifierv1alpha1.ReasonForbidden,
		http.StatusNotFound:     classifierv1alpha1.ReasonReachable, // it has no such list
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			d, job := published(t)
			d.factory.answer("", "/v1/models", status)
			began := time.Now()
			for _, passed := range []time.Duration{0, modelRecheck * 5 / 4, time.Hour} {
				d.jobsAt(began.Add(passed))
				if _, err := d.pass(job); err != nil {
					t.Fatal(err)
				}
				d.settle(job, classifierv1alpha1.ReasonPublished)
				if got := controllertest.Condition(job, classifierv1alpha1.ConditionFactoryReachable); got.Reason != reachable {
					t.Errorf("FactoryReachable is %+v", got)
				}
			}
		})
	}
}

// TestModelsAreListedForAll holds what many finished jobs cost after a restart.
func TestModelsAreListedForAll(t *testing.T) {
	t.Parallel()
	const jobs = 10
	d := newDriver(t)
	d.ready(d.inlineDataset("data", sentiments(20)))
	var all []*classifierv1alpha1.ClassifierTrainingJob
	for i := range jobs {
		job := driven(d.trainingJob(fmt.Sprintf("job-%d", i), "data"))
		d.Create(job)
		d.settle(job, classifierv1alpha1.ReasonPublished)
		all = append(all, job)
	}
	d = d.restarted()
	var calls atomic.Int64
	count := func(w http.ResponseWriter, r *http.Request, real http.Handler) {
		calls.Add(1)
		real.ServeHTTP(w, r)
	}
	d.factory.interfere.Store(&count)
	for range 2 {
		for _, job := range all {
			if _, err := d.pass(job); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := calls.Load(); got != 2 { // for models and for keys
		t.Errorf("%d calls for %d jobs", got, jobs)
	}
}

// TestArchivedModelAnswersNobody holds what ModelArchived says to users.
func TestArchivedModelAnswersNobody(t *testing.T) {
	t.Parallel()
	d, job := published(t)
	if _, err := d.api.ArchiveModel(d.ctx, job.Status.Model.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := d.api.Classify(d.ctx, mistral.ClassifyRequest{Model: job.Status.Model.ID, Input: []string{"a"}}); err == nil {
		t.Error("an archived model classifies")
	}
}
