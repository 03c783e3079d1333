package controller

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/connection"
)

// registrations keeps what is registered.
type registrations struct {
	prometheus.Registerer
	collectors []prometheus.Collector
}

func (r *registrations) MustRegister(collectors ...prometheus.Collector) {
	r.collectors = append(r.collectors, collectors...)
}

var description = regexp.MustCompile(`fqName: "([^"]+)", help: "([^"]*)".* variableLabels: \{([^}]*)\}`)

// TestEveryMetricIsDocumented holds the page against the registry: a row for each
// metric with its labels and what it says of itself.
func TestEveryMetricIsDocumented(t *testing.T) {
	t.Parallel()
	registered := &registrations{}
	newMetrics(registered, nil)
	options := connection.DefaultOptions()
	options.Registerer = registered
	connection.NewPool(t.Context(), options)

	var want []string
	for _, collector := range registered.collectors {
		descriptions := make(chan *prometheus.Desc, 10)
		collector.Describe(descriptions)
		close(descriptions)
		for each := range descriptions {
			parts := description.FindStringSubmatch(each.String())
			if parts == nil {
				t.Fatalf("cannot read %s", each)
			}
			want = append(want, fmt.Sprintf("| `%s` | %s | %s |", parts[1], strings.ReplaceAll(parts[3], ",", ", "), parts[2]))
		}
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "| `classifier_factory_operator_") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the page has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestStatesOfJobsAreBounded holds that a server cannot make up values of labels.
func TestStatesOfJobsAreBounded(t *testing.T) {
	t.Parallel()
	scheme := runtime.NewScheme()
	if err := classifierv1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	objects := fake.NewClientBuilder().WithScheme(scheme)
	for i, state := range []string{"", "RUNNING", "RUNNING", "MADE-UP", "MADE-UP-TOO"} {
		job := &classifierv1alpha1.ClassifierTrainingJob{}
		job.Name = fmt.Sprint("job-", i)
		if state != "" {
			job.Status.RemoteJob = &classifierv1alpha1.RemoteJob{ID: "id", State: state}
		}
		objects = objects.WithObjects(job)
	}
	registry := prometheus.NewRegistry()
	newMetrics(registry, objects.Build())
	want := `
# HELP classifier_factory_operator_training_jobs ClassifierTrainingJobs, by the state of their remote job: none before it is submitted, other if the protocol does not name it.
# TYPE classifier_factory_operator_training_jobs gauge
classifier_factory_operator_training_jobs{state="RUNNING"} 2
classifier_factory_operator_training_jobs{state="none"} 1
classifier_factory_operator_training_jobs{state="other"} 2
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "classifier_factory_operator_training_jobs"); err != nil {
		t.Error(err)
	}
}

// TestObjectsAreCounted holds what alerts stand on: how many objects wait for somebody, and why.
func TestObjectsAreCounted(t *testing.T) {
	t.Parallel()
	scheme := runtime.NewScheme()
	if err := classifierv1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	dataset := func(name string, result outcome) client.Object {
		object := &classifierv1alpha1.ClassifierDataset{}
		object.Name = name
		conditions{list: &object.Status.Conditions}.summarise(result, classifierv1alpha1.ReasonUploaded, "")
		return object
	}
	job := &classifierv1alpha1.ClassifierTrainingJob{}
	job.Name = "new"
	registry := prometheus.NewRegistry()
	newMetrics(registry, fake.NewClientBuilder().WithScheme(scheme).WithObjects(job,
		dataset("good", proceed()), dataset("bad", stop(classifierv1alpha1.ReasonInvalidSamples, "")),
		dataset("late", wait(0, classifierv1alpha1.ReasonUnreachable, "")), dataset("lost", wait(0, classifierv1alpha1.ReasonUnreachable, ""))).Build())
	want := `
# HELP classifier_factory_operator_objects Objects, by kind, by status, which is Ready, Reconciling or Stalled, and by the reason of their condition Ready.
# TYPE classifier_factory_operator_objects gauge
classifier_factory_operator_objects{kind="ClassifierDataset",reason="InvalidSamples",status="Stalled"} 1
classifier_factory_operator_objects{kind="ClassifierDataset",reason="Unreachable",status="Reconciling"} 2
classifier_factory_operator_objects{kind="ClassifierDataset",reason="Uploaded",status="Ready"} 1
classifier_factory_operator_objects{kind="ClassifierTrainingJob",reason="Pending",status="Reconciling"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "classifier_factory_operator_objects"); err != nil {
		t.Error(err)
	}
}

// TestWorkIsCounted follows a dataset and a job whose creation is not recorded.
func TestWorkIsCounted(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.ready(d.inlineDataset("data", sentiments(20)))
	job := driven(d.trainingJob("job", "data"))
	d.Create(job)
	d.factory.loseAnswer("POST", "/v1/fine_tuning/jobs", &atomic.Bool{})
	_, _ = d.pass(job)
	d.factory.behave()
	metrics := d.datasets.metrics
	d = d.restarted()
	d.settle(job, classifierv1alpha1.ReasonPublished)

	for _, counted := range []struct {
		what string
		got  float64
		want float64
	}{
		{"uploads", testutil.ToFloat64(metrics.uploads.WithLabelValues(outcomeUploaded)), 1},
		{"bytes", testutil.ToFloat64(metrics.uploadedBytes), float64(len(sentiments(20)))},
		{"orphans", testutil.ToFloat64(d.jobs.metrics.orphans.WithLabelValues(outcomeAdopted)), 1},
		{"kinds that were ready", float64(testutil.CollectAndCount(d.jobs.metrics.readySeconds)), 1},
	} {
		if counted.got != counted.want {
			t.Errorf("%s: got %v, want %v", counted.what, counted.got, counted.want)
		}
	}
}
