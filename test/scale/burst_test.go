package scale

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	// maxReconciles of an object, from its creation to its end. Each wakes up for its
	// creation, its finalizer, its dataset, each change of its remote job, and its turn.
	maxReconciles = 30
	// maxCalls about an object. A dataset cannot do with less than two: it looks for
	// its file, and uploads it. A job cannot do with less than six: it looks for what
	// an earlier life may have created, creates, reads, starts, reads how it ended, and
	// has a key minted for its model.
	// A list for all of them comes on top once a second.
	maxCalls = 13
	// bystanderTime is what a dataset and a training of somebody else may take beside a
	// burst, or on a machine on which even alone they take long, so many times as long.
	bystanderTime  = 3 * time.Second
	bystanderTimes = 4
)

// TestBurst applies everything at once, as GitOps does.
func TestBurst(t *testing.T) {
	const many = 40
	site := install(t, controllertest.StartForTest(t, root))
	site.startFactory(t)
	counted := countCalls(t, site.factoryURL)
	operator := site.startOperator(t, counted.url)
	recording := site.record(t)
	namespace := newNamespace(t, site)

	began, before := time.Now(), operator.figures(t)
	namespace.Create(newDataset(namespace, "data"))
	for n := range many {
		namespace.Create(newJob(namespace, fmt.Sprintf("job-%02d", n), "data"))
	}
	namespace.Eventually("waiting for a quarter of the jobs", func() error {
		if created := counted.of(createJob); created < many/4 {
			return fmt.Errorf("%d were created", created)
		}
		return nil
	})
	beside := timeBystander(t, site)
	awaitJobs(namespace, many)
	checkCosts(t, "a dataset and its jobs", time.Since(began), operator.figures(t).since(before), counted, many+1)
	if created, started := counted.of(createJob), counted.of(startJob); created != many+1 || started != many+1 {
		t.Errorf("%d jobs were created and %d started; want each once", created, started)
	}

	datasets := newNamespace(t, site)
	for n := range many {
		datasets.Create(newDataset(datasets, fmt.Sprintf("data-%02d", n)))
	}
	awaitDatasets(datasets, many, "")
	deleteFiles(t, datasets, site.factory(t, datasets.Name))
	began, before = time.Now(), operator.figures(t)
	list := &classifierv1alpha1.ClassifierDatasetList{}
	datasets.List(list)
	for n := range list.Items {
		requestLook(datasets, &list.Items[n])
	}
	besideUploads := timeBystander(t, site)
	awaitDatasets(datasets, many, again)
	checkCosts(t, "datasets whose files are gone", time.Since(began), operator.figures(t).since(before), counted, many)

	alone := timeBystander(t, site)
	t.Logf("a bystander took %s beside the jobs, %s beside the uploads, %s alone", round(beside), round(besideUploads), round(alone))
	if limit := max(bystanderTime, bystanderTimes*alone); beside > limit || besideUploads > limit {
		t.Errorf("a bystander took more than %s", round(limit))
	}
	recording.verdict(t)
}

// TestBurstOnTightBudget holds that a budget that is less than what everybody wants
// makes everybody slow, and lets everybody through.
func TestBurstOnTightBudget(t *testing.T) {
	const (
		many = 8
		rate = 2
	)
	site := install(t, controllertest.StartForTest(t, root))
	site.startFactory(t)
	counted := countCalls(t, site.factoryURL)
	operator := site.startOperator(t, counted.url, fmt.Sprintf("--factory-qps=%d", rate), fmt.Sprintf("--factory-burst=%d", rate))
	namespace := newNamespace(t, site)

	began, before := time.Now(), operator.figures(t)
	namespace.Create(newDataset(namespace, "data"))
	for n := range many {
		namespace.Create(newJob(namespace, fmt.Sprintf("job-%02d", n), "data"))
	}
	awaitJobs(namespace, many)
	took, spent := time.Since(began), operator.figures(t).since(before)
	checkCosts(t, "a dataset and its jobs", took, spent, counted, many+1)
	if floor := time.Duration(spent.calls / rate * float64(time.Second)); took > floor*3/2 {
		t.Errorf("%.0f calls took %s; at %d a second they need %s", spent.calls, round(took), rate, round(floor))
	}
}

// again is what a look is requested with.
const again = "again"

func requestLook(namespace *controllertest.Namespace, object client.Object) {
	namespace.Edit(object, func() {
		object.SetAnnotations(map[string]string{classifierv1alpha1.ReconcileRequestAnnotation: again})
	})
}

// newNamespace is one where nothing takes longer than the test may.
func newNamespace(t testing.TB, site *installation) *controllertest.Namespace {
	t.Helper()
	namespace := site.NewNamespace(t)
	namespace.Patience = time.Minute
	return namespace
}

// timeBystander is how long somebody else waits for a model.
func timeBystander(t *testing.T, site *installation) time.Duration {
	t.Helper()
	namespace := newNamespace(t, site)
	began := time.Now()
	namespace.Create(newDataset(namespace, "data"))
	namespace.Create(newJob(namespace, "job", "data"))
	awaitJobs(namespace, 1)
	return time.Since(began)
}

// awaitJobs waits until so many jobs are Ready.
func awaitJobs(namespace *controllertest.Namespace, count int) {
	namespace.Eventually("waiting for the jobs", func() error {
		list := &classifierv1alpha1.ClassifierTrainingJobList{}
		namespace.List(list)
		states, ready := map[string]int{}, 0
		for i := range list.Items {
			condition := controllertest.Condition(&list.Items[i], classifierv1alpha1.ConditionReady)
			states[condition.Reason]++
			if condition.Status == metav1.ConditionTrue {
				ready++
			}
		}
		if ready < count {
			return fmt.Errorf("%d of %d are Ready: %v", ready, count, states)
		}
		return nil
	})
}

// awaitDatasets waits until so many datasets are Ready, and have looked since they were asked to.
func awaitDatasets(namespace *controllertest.Namespace, count int, requestedAt string) {
	namespace.Eventually("waiting for the datasets", func() error {
		list := &classifierv1alpha1.ClassifierDatasetList{}
		namespace.List(list)
		states, ready := map[string]int{}, 0
		for i := range list.Items {
			condition := controllertest.Condition(&list.Items[i], classifierv1alpha1.ConditionReady)
			states[condition.Reason]++
			if condition.Status == metav1.ConditionTrue && list.Items[i].Status.LastHandledReconcileAt == requestedAt {
				ready++
			}
		}
		if ready < count {
			return fmt.Errorf("%d of %d are Ready: %v", ready, count, states)
		}
		return nil
	})
}

// deleteFiles deletes the files of all datasets behind their backs.
func deleteFiles(t *testing.T, namespace *controllertest.Namespace, factory *mistral.Client) {
	t.Helper()
	list := &classifierv1alpha1.ClassifierDatasetList{}
	namespace.List(list)
	for _, dataset := range list.Items {
		if err := factory.DeleteFile(t.Context(), dataset.Status.Files[0].ID); err != nil {
			t.Fatal(err)
		}
	}
}

func checkCosts(t *testing.T, what string, took time.Duration, spent figures, counted *calls, objects float64) {
	t.Helper()
	t.Logf("%s: %.0f objects in %s; for each %.1f reconciles, %.1f calls, %.1f writes; at most %d calls about one",
		what, objects, round(took), spent.reconciles/objects, spent.calls/objects, spent.writes/objects, counted.most())
	if spent.reconciles > maxReconciles*objects {
		t.Errorf("%s: %.1f reconciles an object; want %d", what, spent.reconciles/objects, maxReconciles)
	}
	if spent.calls > maxCalls*objects || counted.most() > maxCalls {
		t.Errorf("%s: %.1f calls an object, %d about one; want %d", what, spent.calls/objects, counted.most(), maxCalls)
	}
}

func round(took time.Duration) time.Duration { return took.Round(10 * time.Millisecond) }
