package controller

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// tellLimit makes the factory tell another limit than it has.
func (s *testFactory) tellLimit(name string, limit any) {
	s.distort("/v1/models", func(answer map[string]any) {
		cards, _ := answer["data"].([]any)
		for _, card := range cards {
			if limits, ok := card.(map[string]any)["classifier_limits"].(map[string]any); ok {
				limits[name] = limit
			}
		}
	})
}

// rowsOf has ten samples, each with two targets that begin with a prefix.
func rowsOf(prefix string) string {
	var rows strings.Builder
	for i := range 10 {
		fmt.Fprintf(&rows, `{"text":"sample %d","labels":{"%[2]stone":"label-%[1]d","%[2]stopic":"%[3]c"}}`+"\n", i, prefix, 'a'+rune(i%3))
	}
	return rows.String()
}

func TestWhatTheFactoryCannotTrainOnIsNotUploaded(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		reason string
		limit  string
		number any
		says   string // empty: it is uploaded
	}{
		{"the limits that the factory has", "", 0, ""},
		{"as many targets", "targets", 2, ""},
		{"too many targets", "targets", 1, "there are 2 targets; the factory takes 1 at most. Make several datasets"},
		{"as many labels", "labels", 13, ""},
		{"too many labels", "labels", 12, "the targets have 13 labels together; the factory takes 12 at most"},
		{"as many labels of a target", "labels_per_target", 10, ""},
		{"too many labels of a target", "labels_per_target", 9, `target "tone" has 10 labels; the factory takes 9 at most of a target`},
		{"as many samples", "samples", 10, ""},
		{"too many samples", "samples", 9, "there are 10 samples to train on; the factory takes 9 at most"},
		{"as many bytes", "file_bytes", len(rowsOf("")), ""},
		{"too many bytes", "file_bytes", len(rowsOf("")) - 1, fmt.Sprintf("the Train file has %d bytes; the factory takes %d at most", len(rowsOf("")), len(rowsOf(""))-1)},
		{"a limit that is none", "labels", -1, ""},
		{"a limit that is no number", "labels", "12", ""}, // the list cannot be read, and tells nothing
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			d.factory.tellLimit(test.limit, test.number)
			data := driven(d.inlineDataset("data", rowsOf("")))
			d.Create(data)
			if test.says == "" {
				d.settle(data, classifierv1alpha1.ReasonUploaded)
				return
			}
			d.settle(data, classifierv1alpha1.ReasonFactoryLimitExceeded)
			if uploaded := meta.FindStatusCondition(data.Status.Conditions, classifierv1alpha1.ConditionUploaded); !strings.Contains(uploaded.Message, test.says) {
				t.Errorf("Uploaded is %+v, want %q", uploaded, test.says)
			}
			if files := d.remoteFiles(); len(files) != 0 {
				t.Errorf("the factory has %d files", len(files))
			}
			// The factory is upgraded. Nothing tells of it; the dataset looks from time to time.
			d.factory.behave()
			d.clock.ahead.Add(int64(time.Hour))
			d.settle(data, classifierv1alpha1.ReasonUploaded)
		})
	}
}

// TestFactoryTellsTheLimitsThatItHas takes what the real one refuses when it validates a job.
func TestFactoryTellsTheLimitsThatItHas(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	data := driven(d.dataset("data", ""))
	for part := range 3 {
		var rows strings.Builder
		for i := range 4000 {
			fmt.Fprintf(&rows, `{"text":"sample %d","labels":{"target-%d":"label-%[1]d"}}`+"\n", i, part)
		}
		key := classifierv1alpha1.ConfigMapSource{Name: fmt.Sprintf("samples-%d", part), Key: "samples"}
		d.configMap(key.Name, map[string]string{key.Key: rows.String()})
		data.Spec.Source.ConfigMaps = append(data.Spec.Source.ConfigMaps, key)
	}
	d.Create(data)
	d.settle(data, classifierv1alpha1.ReasonFactoryLimitExceeded)
	const want = "the targets have 12000 labels together; the factory takes 10000 at most"
	if ready := readyOf(data.Status.Conditions); !strings.HasPrefix(ready.Message, want) {
		t.Errorf("Ready is %+v", ready)
	}
}

func TestServersThatTellNoLimits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		reason string
		change func(*testFactory)
	}{
		{"cards without limits", func(s *testFactory) {
			s.distort("/v1/models", func(answer map[string]any) {
				for _, card := range answer["data"].([]any) {
					delete(card.(map[string]any), "classifier_limits")
				}
			})
		}},
		{"no list of models", func(s *testFactory) { s.answer("", "/v1/models", http.StatusNotFound) }},
		{"a list that is forbidden", func(s *testFactory) { s.answer("", "/v1/models", http.StatusForbidden) }},
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			test.change(d.factory)
			data, job := driven(d.inlineDataset("data", rowsOf(""))), driven(d.trainingJob("job", "data"))
			d.Create(data)
			d.settle(data, classifierv1alpha1.ReasonUploaded)
			d.Create(job)
			if _, err := d.pass(job); err != nil || len(d.remoteJobs()) != 1 {
				t.Errorf("there are %d jobs: %v", len(d.remoteJobs()), err)
			}
		})
	}
}

// TestLimitsAreAskedForOnce holds that datasets of a connection share the list.
func TestLimitsAreAskedForOnce(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	var lists atomic.Int64
	d.factory.distort("/v1/models", func(map[string]any) { lists.Add(1) })
	for i := range 5 {
		data := driven(d.inlineDataset(fmt.Sprintf("data-%d", i), rowsOf(fmt.Sprint(i))))
		d.Create(data)
		d.settle(data, classifierv1alpha1.ReasonUploaded)
	}
	if got := lists.Load(); got != 1 {
		t.Errorf("the models were listed %d times", got)
	}
}

func TestJobsOfMoreThanTheFactoryTakes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		reason   string
		prefixes []string // of the targets of each dataset
		limit    string
		number   int
		targets  []classifierv1alpha1.TrainingTarget
		says     string // empty: the job is created
	}{
		{"as many labels together", []string{"a-", "b-"}, "labels", 26, nil, ""},
		{"too many labels together", []string{"a-", "b-"}, "labels", 25, nil, "the targets have 26 labels together; the factory takes 25 at most. Train on fewer datasets"},
		{"the same labels", []string{"a-", "a-"}, "labels", 13, nil, ""},
		{"too many targets together", []string{"a-", "b-"}, "targets", 3, nil, "there are 4 targets; the factory takes 3 at most"},
		{"too many samples together", []string{"a-", "b-"}, "samples", 19, nil, "there are 20 samples to train on; the factory takes 19 at most"},
		{"only some of the targets", []string{"a-", "b-"}, "labels", 25, []classifierv1alpha1.TrainingTarget{{Name: "a-topic", Labels: []string{"a", "b", "c"}}}, ""},
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			job := driven(d.trainingJob("job"))
			job.Spec.Training.Targets = test.targets
			for i, prefix := range test.prefixes {
				data := driven(d.inlineDataset(fmt.Sprintf("data-%d", i), rowsOf(prefix)))
				d.Create(data)
				d.settle(data, classifierv1alpha1.ReasonUploaded)
				job.Spec.Training.Datasets = append(job.Spec.Training.Datasets, classifierv1alpha1.TrainingDataset{Name: data.Name})
			}
			d.factory.tellLimit(test.limit, test.number)
			d.clock.ahead.Add(int64(2 * maxListAge))
			d.Create(job)
			if test.says == "" {
				if _, err := d.pass(job); err != nil || len(d.remoteJobs()) != 1 {
					t.Errorf("there are %d jobs: %v", len(d.remoteJobs()), err)
				}
				return
			}
			d.settle(job, classifierv1alpha1.ReasonFactoryLimitExceeded)
			if submitted := meta.FindStatusCondition(job.Status.Conditions, classifierv1alpha1.ConditionSubmitted); !strings.Contains(submitted.Message, test.says) {
				t.Errorf("Submitted is %+v, want %q", submitted, test.says)
			}
			if jobs := d.remoteJobs(); len(jobs) != 0 {
				t.Errorf("the factory has %d jobs", len(jobs))
			}
			d.factory.behave()
			d.clock.ahead.Add(int64(time.Hour))
			if _, err := d.pass(job); err != nil || len(d.remoteJobs()) != 1 {
				t.Errorf("there are %d jobs: %v", len(d.remoteJobs()), err)
			}
		})
	}
}
