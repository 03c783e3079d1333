package faults

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestReadyIsTrue holds that what is published, uploaded or under way is looked at
// again: Ready says what a user would find who went there. Everything is noticed, and
// heals, by itself. The monitor holds meanwhile that kstatus says the same.
func TestReadyIsTrue(t *testing.T) {
	t.Parallel()
	t.Run("a model that comes and goes", testModelThatComesAndGoes)
	t.Run("one list for all", testOneListForAll)
	t.Run("a file that is gone", testFileThatIsGone)
	t.Run("another tenant's key", testAnotherTenantsKey)
	t.Run("trouble that lasts", testTroubleThatLasts)
}

// noticedWithin is how long it may take until something that no event tells is noticed.
const noticedWithin = 10 * time.Minute

func testModelThatComesAndGoes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, reason string
		vanish, come func(w *world, model string, hidden *atomic.Bool) error
	}{
		{"it vanishes and is restored", classifierv1alpha1.ReasonModelMissing,
			func(_ *world, _ string, hidden *atomic.Bool) error { hidden.Store(true); return nil },
			func(_ *world, _ string, hidden *atomic.Bool) error { hidden.Store(false); return nil }},
		{"it is archived and unarchived", classifierv1alpha1.ReasonModelArchived,
			func(w *world, model string, _ *atomic.Bool) error {
				_, err := w.factory.ArchiveModel(w.ctx, model)
				return err
			},
			func(w *world, model string, _ *atomic.Bool) error {
				_, err := w.factory.UnarchiveModel(w.ctx, model)
				return err
			}},
	} {
		for _, asked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, asked for %t", test.name, asked), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				hidden := w.hideModels()
				w.Create(w.dataset("data"))
				job := w.trainingJob("job", "data")
				w.Create(job)
				w.startOperator()
				w.waitUntil(job, classifierv1alpha1.ConditionReady)
				within := noticedWithin
				if asked {
					within = 2 * time.Minute // of which most is a busy machine's
				}
				for _, happen := range []struct {
					do     func(w *world, model string, hidden *atomic.Bool) error
					reason string
				}{{test.vanish, test.reason}, {test.come, classifierv1alpha1.ReasonPublished}} {
					if err := happen.do(w, job.Status.Model.ID, hidden); err != nil {
						t.Fatal(err)
					}
					began := worldClock.Now()
					if asked {
						w.askForALook(job)
					}
					w.waitForReason(job, happen.reason)
					if took := worldClock.Since(began); took > within {
						t.Errorf("%s was said after %s", happen.reason, took)
					}
					for _, kind := range []string{classifierv1alpha1.ConditionComplete, classifierv1alpha1.ConditionFinished} {
						if controllertest.Condition(job, kind).Status != metav1.ConditionTrue {
							t.Errorf("the job is no longer %s", kind)
						}
					}
				}
			})
		}
	}
}

// hideModels lets models be hidden, as if they had never been.
func (w *world) hideModels() *atomic.Bool {
	hidden, real := &atomic.Bool{}, w.proxy.real
	w.proxy.real = http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		switch {
		case hidden.Load() && r.URL.Path == "/v1/models":
			answer.Header().Set("Content-Type", "application/json")
			_, _ = answer.Write([]byte(`{"object":"list","data":[]}`))
		case hidden.Load() && strings.HasPrefix(r.URL.Path, "/v1/models/"):
			http.Error(answer, `{"detail":"No model matches the given query."}`, http.StatusNotFound)
		default:
			real.ServeHTTP(answer, r)
		}
	})
	return hidden
}

func (w *world) askForALook(object client.Object) {
	w.Helper()
	w.Edit(object, func() {
		object.SetAnnotations(map[string]string{classifierv1alpha1.ReconcileRequestAnnotation: time.Now().String()})
	})
}

// testOneListForAll holds what it costs to keep Ready true.
func testOneListForAll(t *testing.T) {
	t.Parallel()
	const (
		jobs     = 30
		datasets = 10
		period   = 2 * noticedWithin
	)
	w := newWorld(t)
	w.Patience = 10 * time.Minute // for all of them to be trained on a busy machine
	var (
		mu    sync.Mutex
		calls = map[string]int{}
		costs = &costs{}
	)
	w.judge = func(made call) fault {
		mu.Lock()
		defer mu.Unlock()
		if made.to == remote {
			calls[made.method+" "+made.path]++
		}
		return costs.judge(made)
	}
	for i := range datasets {
		w.Create(w.dataset(fmt.Sprintf("data-%d", i)))
	}
	for i := range jobs {
		w.Create(w.trainingJob(fmt.Sprintf("job-%d", i), fmt.Sprintf("data-%d", i%datasets)))
	}
	w.startOperator()
	w.Eventually("waiting for all jobs to be Ready", w.allJobsReady)
	w.waitUntilQuiet(costs, time.Second) // the passes that were under way
	mu.Lock()
	clear(calls)
	mu.Unlock()
	time.Sleep(period / speed)
	mu.Lock()
	defer mu.Unlock()
	t.Logf("calls in %s: %v", period, calls)
	for call, made := range calls {
		// Lists are shared for two minutes.
		if shared := call == "GET /v1/models" || call == "GET /v1/keys" || call == "GET /v1/files"; !shared || made > int(period/(2*time.Minute))+2 {
			t.Errorf("%d times %s", made, call)
		}
	}
	if calls["GET /v1/models"] < int(period/noticedWithin) {
		t.Error("nobody looks at the models")
	}
}

// testFileThatIsGone holds that a dataset is not Ready without its file, and is again
// once that is uploaded.
func testFileThatIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dataset := w.dataset("data")
	w.Create(dataset)
	w.startOperator()
	w.waitUntil(dataset, classifierv1alpha1.ConditionReady)
	gone := dataset.Status.Files[0].ID
	var closed atomic.Bool
	w.judge = func(made call) fault {
		if closed.Load() && made.to == remote && made.method == http.MethodPost {
			return fault{kind: fail}
		}
		return fault{}
	}
	closed.Store(true)
	if err := w.factory.DeleteFile(w.ctx, gone); err != nil {
		t.Fatal(err)
	}
	began := worldClock.Now()
	w.waitForReason(dataset, classifierv1alpha1.ReasonUnreachable)
	if took := worldClock.Since(began); took > noticedWithin*6/5 {
		t.Errorf("that was noticed after %s", took)
	}
	closed.Store(false)
	w.waitUntil(dataset, classifierv1alpha1.ConditionReady)
	if files := w.remoteFiles(); len(files) != 1 || files[0].ID != dataset.Status.Files[0].ID {
		t.Errorf("the dataset has %+v, the factory %+v", dataset.Status.Files, files)
	}
}

// testAnotherTenantsKey holds that a job is not given up because it was looked for with
// a key that does not know it.
func testAnotherTenantsKey(t *testing.T) {
	t.Parallel()
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprintf("restarted %t", restart), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Create(w.dataset("data"))
			job := w.trainingJob("job", "data")
			job.Spec.Suspend = new(true)
			w.Create(job)
			operator := w.startOperator()
			w.waitForState(job, string(mistral.JobValidated))
			w.setKey(w.strangersKey)
			w.askForALook(job)
			w.waitUntil(job, classifierv1alpha1.ConditionStalled)
			stalled := controllertest.Condition(job, classifierv1alpha1.ConditionStalled)
			if stalled.Reason != classifierv1alpha1.ReasonRemoteJobMissing || controllertest.Condition(job, classifierv1alpha1.ConditionFinished).Type != "" {
				t.Errorf("the conditions are %+v", job.Status.Conditions)
			}
			if !strings.Contains(stalled.Message, "spec.importJobID") || strings.Contains(strings.ToLower(stalled.Message), "delete") {
				t.Errorf("the message is %s", stalled.Message)
			}
			if restart {
				operator.crash()
			}
			w.setKey(w.secondKey)
			w.Edit(job, func() { job.Spec.Suspend = new(false) })
			w.waitUntil(job, classifierv1alpha1.ConditionReady)
			w.checkStarts(1)
			if jobs := w.remoteJobs(); len(jobs) != 1 {
				t.Errorf("the factory has %+v", jobs)
			}
		})
	}
}

// setKey gives the connection another key.
func (w *world) setKey(key string) {
	w.Helper()
	secret := w.connection()
	w.Edit(secret, func() { secret.StringData = map[string]string{"api-key": key} })
}

// testTroubleThatLasts holds that trouble is called that after three minutes, although
// the operator is restarted meanwhile, and that it passes.
func testTroubleThatLasts(t *testing.T) {
	t.Parallel()
	const (
		patience = 3 * time.Minute
		slack    = time.Minute // of the worlds, which is 3 s
	)
	answers := func(status int) func(w *world, troubled *atomic.Int32) {
		return func(_ *world, troubled *atomic.Int32) { troubled.Store(int32(status)) }
	}
	heals := func(_ *world, troubled *atomic.Int32) { troubled.Store(0) }
	for _, trouble := range []struct {
		name, reason string
		begin, end   func(w *world, troubled *atomic.Int32)
	}{
		{"401", classifierv1alpha1.ReasonUnauthorized, answers(http.StatusUnauthorized), heals},
		{"402", classifierv1alpha1.ReasonForbidden, answers(http.StatusPaymentRequired), heals},
		{"403", classifierv1alpha1.ReasonForbidden, answers(http.StatusForbidden), heals},
		{"503", classifierv1alpha1.ReasonUnreachable, answers(http.StatusServiceUnavailable), heals},
		{"broken connections", classifierv1alpha1.ReasonUnreachable, answers(-1), heals},
		{"no Secret", classifierv1alpha1.ReasonConnectionNotFound,
			func(w *world, _ *atomic.Int32) { w.Delete(w.connection()) },
			func(w *world, _ *atomic.Int32) { w.Create(w.connection()) }},
		{"a Secret without a key", classifierv1alpha1.ReasonConnectionInvalid,
			func(w *world, _ *atomic.Int32) { w.setKey("") },
			func(w *world, _ *atomic.Int32) { w.setKey(w.apiKey) }},
	} {
		t.Run(trouble.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			troubled := w.answerInstead()
			w.Create(w.dataset("data"))
			job := w.trainingJob("job", "data")
			job.Spec.Suspend = new(true)
			w.Create(job)
			operator := w.startOperator()
			w.waitForState(job, string(mistral.JobValidated))

			trouble.begin(w, troubled)
			late := w.dataset("late")
			w.Create(late)
			w.askForALook(job)
			for _, object := range []client.Object{late, job} {
				w.waitForReason(object, trouble.reason)
			}
			time.Sleep(patience / 2 / speed)
			operator.crash()
			for _, object := range []client.Object{late, job} {
				w.waitUntil(object, classifierv1alpha1.ConditionStalled)
				stalled := controllertest.Condition(object, classifierv1alpha1.ConditionStalled)
				since := controllertest.Condition(object, classifierv1alpha1.ConditionFactoryReachable).LastTransitionTime
				lasted := stalled.LastTransitionTime.Sub(since.Time)
				if stalled.Reason != trouble.reason || lasted < patience || lasted > patience+slack {
					t.Errorf("%s is Stalled after %s: %+v", object.GetName(), lasted, stalled)
				}
			}
			trouble.end(w, troubled)
			w.waitUntil(late, classifierv1alpha1.ConditionReady)
			w.waitForReason(job, classifierv1alpha1.ReasonSuspended)
		})
	}
}

// answerInstead lets the factory answer every operator with a status, or break the
// connection if that is negative.
func (w *world) answerInstead() *atomic.Int32 {
	status, real := &atomic.Int32{}, w.proxy.real
	w.proxy.real = http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		switch instead := status.Load(); {
		case instead == 0 || !strings.HasPrefix(r.UserAgent(), "operator-"):
			real.ServeHTTP(answer, r)
		case instead < 0:
			panic(http.ErrAbortHandler)
		default:
			http.Error(answer, `{"detail":"scripted"}`, int(instead))
		}
	})
	return status
}
