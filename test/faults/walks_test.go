package faults

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// walks is how many random ways through the specs are gone.
const walks = 40

// walker edits a dataset, a job and their connection's Secret at random.
type walker struct {
	*world
	dataset *classifierv1alpha1.ClassifierDataset
	job     *classifierv1alpha1.ClassifierTrainingJob
	steps   []string
}

// step is an edit that a user may make at any time.
type step struct {
	name string
	take func(w *walker)
}

var steps = []step{
	{"a pause", func(*walker) { time.Sleep(200 * time.Millisecond) }},
	{"more samples", func(w *walker) {
		w.tryEdit(w.dataset, func() { w.dataset.Spec.Source.Inline.Data += sentiments(2) })
	}},
	{"other samples", func(w *walker) {
		w.tryEdit(w.dataset, func() { w.dataset.Spec.Source.Inline.Data = strings.ReplaceAll(sentiments(24), "thing", "gift") })
	}},
	{"samples that are none", func(w *walker) {
		w.tryEdit(w.dataset, func() { w.dataset.Spec.Source.Inline.Data = "none" })
	}},
	{"a split", func(w *walker) {
		w.tryEdit(w.dataset, func() {
			w.dataset.Spec.Preparation.Split = &classifierv1alpha1.DatasetSplit{ValidationPercent: new(int32(30))}
		})
	}},
	{"no split", func(w *walker) { w.tryEdit(w.dataset, func() { w.dataset.Spec.Preparation.Split = nil }) }},
	{"the dataset suspended", func(w *walker) { w.tryEdit(w.dataset, func() { w.dataset.Spec.Suspend = new(true) }) }},
	{"the dataset resumed", func(w *walker) { w.tryEdit(w.dataset, func() { w.dataset.Spec.Suspend = nil }) }},
	{"another dataset of the name", func(w *walker) { w.recreate(w.dataset) }},
	{"the job suspended", func(w *walker) { w.tryEdit(w.job, func() { w.job.Spec.Suspend = new(true) }) }},
	{"the job resumed", func(w *walker) { w.tryEdit(w.job, func() { w.job.Spec.Suspend = nil }) }},
	{"another Secret for the output", func(w *walker) {
		w.tryEdit(w.job, func() { w.job.Spec.Output = &classifierv1alpha1.TrainingOutput{SecretName: "output"} })
	}},
	{"another job of the name", func(w *walker) { w.recreate(w.job) }},
	{"a look asked for", func(w *walker) {
		w.tryEdit(w.dataset, func() {
			metav1.SetMetaDataAnnotation(&w.dataset.ObjectMeta, classifierv1alpha1.ReconcileRequestAnnotation, time.Now().String())
		})
	}},
	{"the key rotated", func(w *walker) { w.putConnection(w.secondKey) }},
	{"a wrong key", func(w *walker) { w.putConnection("wrong") }},
	{"the Secret removed", func(w *walker) {
		if err := client.IgnoreNotFound(cluster.Admin.Delete(w.ctx, w.connection())); err != nil {
			w.Fatal(err)
		}
	}},
	{"the Secret restored", func(w *walker) { w.putConnection(w.apiKey) }},
}

// tryEdit makes an edit that the API may refuse, such as suspending what runs.
func (w *walker) tryEdit(object client.Object, change func()) {
	w.Helper()
	if err := w.TryEdit(object, change); err != nil && !apierrors.IsInvalid(err) {
		w.Fatal(err)
	}
	w.Get(object.GetName(), object)
}

func (w *walker) recreate(object client.Object) {
	w.Helper()
	w.Get(object.GetName(), object)
	w.Delete(object)
	w.WaitUntilGone(object)
	object.SetResourceVersion("")
	object.SetUID("")
	object.SetFinalizers(nil)
	w.Create(object)
}

func (w *walker) putConnection(key string) {
	w.Helper()
	secret := w.connection()
	secret.StringData["api-key"] = key
	err := cluster.Admin.Create(w.ctx, secret)
	if apierrors.IsAlreadyExists(err) {
		err = cluster.Admin.Update(w.ctx, secret)
	}
	if err != nil {
		w.Fatal(err)
	}
}

// TestSpecWalks holds that the way does not matter: whatever was edited, removed and
// put back, the end is that of a fresh object with the last spec.
func TestSpecWalks(t *testing.T) {
	t.Parallel()
	ways := rapid.SliceOfN(rapid.SampledFrom(steps), 3, 10)
	for seed := range walks {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			w := &walker{world: newWorld(t)}
			w.dataset, w.job = w.world.dataset("data"), w.trainingJob("job", "data")
			w.Create(w.dataset)
			w.Create(w.job)
			w.startOperator()
			for _, step := range ways.Example(seed) {
				w.steps = append(w.steps, step.name)
				step.take(w)
			}
			t.Log("the way: ", strings.Join(w.steps, ", "))
			w.arrive()
			if got, want := w.end(), freshEnd(t, w); got != want {
				t.Errorf("the end is\n%s\nand of fresh objects\n%s", got, want)
			}
		})
	}
}

// arrive takes back what keeps everything from being Ready.
func (w *walker) arrive() {
	w.Helper()
	w.putConnection(w.apiKey)
	w.tryEdit(w.dataset, func() {
		w.dataset.Spec.Suspend = nil
		if w.dataset.Spec.Source.Inline.Data == "none" || strings.HasPrefix(w.dataset.Spec.Source.Inline.Data, "none{") {
			w.dataset.Spec.Source.Inline.Data = sentiments(20)
		}
	})
	w.tryEdit(w.job, func() { w.job.Spec.Suspend = nil })
	w.collectGarbage()
	w.waitUntil(w.dataset, classifierv1alpha1.ConditionReady)
	w.waitUntil(w.job, classifierv1alpha1.ConditionReady)
}

// collectGarbage deletes the Secrets of jobs that are gone, late, as a cluster does
// and this control plane does not.
func (w *walker) collectGarbage() {
	w.Helper()
	secrets := &corev1.SecretList{}
	w.List(secrets)
	for i := range secrets.Items {
		owner := metav1.GetControllerOf(&secrets.Items[i])
		if owner != nil && owner.UID != w.job.UID {
			w.Delete(&secrets.Items[i])
		}
	}
}

// end is what fresh objects end like: the dataset's status without its past, and
// the job's conditions. A job keeps the files that it was submitted with.
func (w *walker) end() string {
	w.Helper()
	w.Get(w.dataset.Name, w.dataset)
	w.dataset.Status.History, w.dataset.Status.LastHandledReconcileAt = nil, ""
	slices.SortFunc(w.dataset.Status.Conditions, byType)
	end := w.normal(w.dataset.Status, "")
	w.Get(w.job.Name, w.job)
	slices.SortFunc(w.job.Status.Conditions, byType)
	for _, condition := range w.job.Status.Conditions {
		if condition.Type != classifierv1alpha1.ConditionInputsCurrent {
			end += fmt.Sprintf("\n%s=%s %s", condition.Type, condition.Status, condition.Reason)
		}
	}
	return end + "\n" + w.job.Status.Binding.Name
}

func freshEnd(t *testing.T, walked *walker) string {
	t.Helper()
	w := &walker{world: newWorld(t)}
	w.dataset, w.job = w.world.dataset("data"), w.trainingJob("job", "data")
	w.dataset.Spec, w.job.Spec = walked.dataset.Spec, walked.job.Spec
	w.Create(w.dataset)
	w.Create(w.job)
	w.startOperator()
	w.waitUntil(w.dataset, classifierv1alpha1.ConditionReady)
	w.waitUntil(w.job, classifierv1alpha1.ConditionReady)
	return w.end()
}
