package faults

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestCallBudget holds what many jobs cost while nothing changes: a few calls each
// time that the factory is asked, for all of them together, and when they have ended
// nothing but a list of models and of files now and then. It has the machine to itself:
// beside fifteen other worlds its two hundred jobs would measure that.
func TestCallBudget(t *testing.T) {
	const (
		jobs        = 200
		callsALook  = 5 // of which some are the pages of the list
		manyLooks   = 3
		quietPeriod = 5 * time.Second // five times as long as between two looks
	)
	w := newWorld(t)
	w.Patience = 2 * time.Minute // for each step of all of them
	factory := newScriptedFactory()
	w.proxy.real = factory
	w.pollInterval = 20 * time.Second
	costs := &costs{}
	w.judge = costs.judge
	dataset := w.dataset("data")
	dataset.Spec.RefreshIntervalSeconds = 86400
	w.Create(dataset)
	for i := range jobs {
		w.Create(w.trainingJob(fmt.Sprintf("job-%d", i), "data"))
	}
	w.startOperator()
	w.Eventually("waiting for all jobs to run", func() error {
		if running := factory.count(mistral.JobRunning); running < jobs {
			return fmt.Errorf("%d run", running)
		}
		return nil
	})
	w.Eventually("waiting until the details of all jobs are read", func() error {
		costs.reset()
		w.waitForLooks(costs, manyLooks)
		if looks, calls, writes := costs.figures(); writes > 0 || calls > callsALook*looks {
			return fmt.Errorf("%d writes, %d calls in %d looks", writes, calls, looks)
		}
		return nil
	})

	costs.reset()
	began := time.Now()
	w.waitForLooks(costs, manyLooks)
	looks, calls, writes := costs.figures()
	t.Logf("%d running jobs, in %s: %d looks, %d calls, %d writes", jobs, time.Since(began)*speed, looks, calls, writes)
	if calls > callsALook*looks {
		t.Errorf("%d calls in %d looks, more than %d each", calls, looks, callsALook)
	}
	if writes > 0 {
		t.Errorf("%d writes while nothing changed", writes)
	}

	factory.end(mistral.JobSuccess)
	w.Eventually("waiting for all jobs to be Ready", w.allJobsReady)
	w.waitUntilQuiet(costs, quietPeriod)
	if lists := costs.listsThatKeepReady(); lists > 3 {
		t.Errorf("%d lists of models and files for jobs that have ended", lists)
	}
}

func (w *world) allJobsReady() error {
	list := &classifierv1alpha1.ClassifierTrainingJobList{}
	w.List(list)
	for _, job := range list.Items {
		if ready := controllertest.Condition(&job, classifierv1alpha1.ConditionReady); ready.Status != metav1.ConditionTrue {
			return fmt.Errorf("%s is not: %+v", job.Name, ready)
		}
	}
	return nil
}

func (w *world) waitForLooks(costs *costs, many int) {
	w.Helper()
	w.Eventually("waiting for looks", func() error {
		if looks, _, _ := costs.figures(); looks < many {
			return fmt.Errorf("%d came", looks)
		}
		return nil
	})
}

// waitUntilQuiet waits until a period has passed without a write, and without a call other
// than those that keep Ready true.
func (w *world) waitUntilQuiet(costs *costs, period time.Duration) {
	w.Helper()
	w.Eventually("waiting for quiet", func() error {
		costs.reset()
		time.Sleep(period)
		if _, calls, writes := costs.figures(); writes > 0 || calls > 0 {
			return fmt.Errorf("%d writes, %d calls, the last of them %s", writes, calls, costs.lastCall())
		}
		return nil
	})
}

// costs counts what operators do.
type costs struct {
	mu                   sync.Mutex
	looks, calls, writes int
	keepReady            int // lists of models, keys and files, which are no calls of the others'
	last                 string
}

func (c *costs) judge(made call) fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case made.to == remote && (made.path == "/v1/models" || made.method == http.MethodGet && made.path == "/v1/keys" && made.query.Get("name") == "" || made.method == http.MethodGet && made.path == "/v1/files"):
		c.keepReady++
	case made.to == remote:
		c.calls++
		c.last = made.method + " " + made.path
		if made.path == "/v1/fine_tuning/jobs" && made.query.Get("page") == "" {
			c.looks++
		}
	case made.changes():
		c.writes++
		c.last = made.method + " " + made.path
	}
	return fault{}
}

func (c *costs) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.looks, c.calls, c.writes, c.keepReady = 0, 0, 0, 0
}

func (c *costs) figures() (looks, calls, writes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.looks, c.calls, c.writes
}

func (c *costs) lastCall() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

func (c *costs) listsThatKeepReady() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.keepReady
}
