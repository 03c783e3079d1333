package faults

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// life is a course of things that an operator has to see through.
type life struct {
	name string
	// live does what users do, and gives a portrait of what came of it.
	live func(*world) string
	// jobs are created, and so many of them started.
	jobs, starts int
	// trainsNothing makes a scripted factory of the real one. Its trainings do not end,
	// unless so many are to fail before the others succeed.
	trainsNothing bool
	failures      int
	// slowUpload makes each upload take long enough for its progress to be reported.
	slowUpload bool
}

func (l life) disturbed(judge func(call) fault) func(call) fault {
	return func(made call) fault {
		f := judge(made)
		if l.slowUpload && f.kind == none && made.method == http.MethodPost && made.path == "/v1/files" {
			return fault{kind: slow}
		}
		return f
	}
}

var trained = life{name: "trained", jobs: 1, starts: 1, live: func(w *world) string {
	dataset, job := w.splitDataset("data"), w.trainingJob("job", "data")
	w.Create(dataset)
	w.Create(job)
	w.waitUntil(job, classifierv1alpha1.ConditionReady)
	w.waitUntil(dataset, classifierv1alpha1.ConditionReady)
	w.checkFiles()
	w.checkKey(job)
	portrait := w.portrait(dataset, job)
	w.remove(job, dataset)
	return portrait
}}

var lives = []life{
	trained,
	{name: "cancelled before its start", jobs: 1, live: func(w *world) string {
		dataset, job := w.dataset("data"), w.trainingJob("job", "data")
		job.Spec.Suspend = new(true)
		w.Create(dataset)
		w.Create(job)
		w.waitForState(job, "VALIDATED")
		w.waitUntil(dataset, classifierv1alpha1.ConditionReady)
		w.checkFiles()
		portrait := w.portrait(dataset)
		// As when a namespace is deleted: the file stays while the job may read it.
		w.remove(dataset, job)
		return portrait
	}},
	{name: "tried again", jobs: 2, starts: 2, trainsNothing: true, failures: 1, live: func(w *world) string {
		dataset, job := w.dataset("data"), w.trainingJob("job", "data")
		job.Spec.BackoffLimit = new(int32(1))
		w.Create(dataset)
		w.Create(job)
		w.waitUntil(job, classifierv1alpha1.ConditionReady)
		portrait := w.portrait(dataset, job)
		w.remove(job, dataset)
		return portrait
	}},
	{name: "too late", jobs: 1, starts: 1, trainsNothing: true, live: func(w *world) string {
		dataset, job := w.dataset("data"), w.trainingJob("job", "data")
		job.Spec.ActiveDeadlineSeconds = new(int64(20))
		w.Create(dataset)
		w.Create(job)
		w.waitForReason(job, classifierv1alpha1.ReasonDeadlineExceeded)
		w.waitUntil(job, classifierv1alpha1.ConditionFinished)
		portrait := w.portrait(dataset, job)
		w.remove(job, dataset)
		return portrait
	}},
	{name: "expired", jobs: 1, starts: 1, live: func(w *world) string {
		dataset, job := w.dataset("data"), w.trainingJob("job", "data")
		job.Spec.TTLSecondsAfterFinished = new(int32(20))
		w.Create(dataset)
		w.Create(job)
		w.WaitUntilGone(job)
		portrait := w.portrait(dataset)
		w.remove(dataset)
		return portrait
	}},
	{name: "uploaded slowly", slowUpload: true, live: func(w *world) string {
		dataset := w.dataset("data")
		w.Create(dataset)
		w.waitUntil(dataset, classifierv1alpha1.ConditionReady)
		w.checkFiles()
		portrait := w.portrait(dataset)
		w.remove(dataset)
		return portrait
	}},
}

// recordings is how often a life is looked at undisturbed, because the number of
// its calls varies with what the poller happens to see.
const recordings = 2

// maxRepeats of a call for reading are crashed at; more of them are polling.
const maxRepeats = 2

// TestCrashMatrix crashes the operator right before and right after each call that
// it makes to the API server and to the factory, starts another one, and holds
// that nothing of it is seen in the end.
func TestCrashMatrix(t *testing.T) {
	t.Parallel()
	for _, life := range lives {
		t.Run(life.name, func(t *testing.T) {
			t.Parallel()
			points, portrait := record(t, life)
			table := make(table, 2*len(points))
			t.Run("crashes", func(t *testing.T) {
				for i, point := range points {
					for j, kind := range []kind{crashBefore, crashAfter} {
						t.Run(fmt.Sprintf("%s %s", kind, point), func(t *testing.T) {
							t.Parallel()
							came := true // unless it is known to have not
							defer func() { table[2*i+j] = row{point, kind, came, t.Failed()} }()
							came = crashAt(t, life, point, kind, portrait)
						})
					}
				}
			})
			t.Log(table)
			if missed := table.missed(); missed > len(table)/5 {
				t.Errorf("%d of %d crashes did not happen", missed, len(table))
			}
		})
	}
}

// crashPoint is a call: the nth of those that look the same.
type crashPoint struct {
	call    string
	repeat  int
	changes bool
}

func (p crashPoint) String() string { return fmt.Sprintf("%s #%d", p.call, p.repeat) }

// record lives a life undisturbed, and gives all of its calls in their order and
// a portrait of its end.
func record(t *testing.T, life life) (points []crashPoint, portrait string) {
	t.Helper()
	for range recordings {
		w := newWorld(t)
		diary := &diary{}
		w.judge = life.disturbed(diary.judge)
		portrait = w.run(life)
		for _, point := range diary.points() {
			if !slices.Contains(points, point) {
				points = append(points, point)
			}
		}
	}
	return points, portrait
}

// crashAt lives a life with a crash, and reports whether the call came.
func crashAt(t *testing.T, life life, point crashPoint, kind kind, portrait string) bool {
	t.Helper()
	const tries = 3
	for range tries {
		w := newWorld(t)
		diary := &diary{crash: point, kind: kind}
		w.judge = life.disturbed(diary.judge)
		if got := w.run(life); got != portrait {
			t.Errorf("with the crash the end is\n%s\nand without\n%s", got, portrait)
		}
		if diary.crashed() || t.Failed() {
			return true
		}
	}
	if point.repeat == 1 && point.changes {
		t.Errorf("in %d lives there was no such call", tries)
	}
	return false // there was less to look at than in the recordings
}

// run lets an operator see a life through and looks at what is left.
func (w *world) run(life life) string {
	w.Helper()
	if life.trainsNothing {
		factory := newScriptedFactory()
		if life.failures > 0 {
			factory.failures = new(life.failures)
		}
		w.proxy.real = factory
	}
	w.startOperator()
	portrait := life.live(w)
	w.checkNothingLeft(life.jobs, life.starts)
	return portrait
}

// diary notes the calls that are made, and has the operator crash at one.
type diary struct {
	crash crashPoint
	kind  kind

	mu    sync.Mutex
	calls []crashPoint
	done  bool
}

func (d *diary) judge(made call) fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	point := crashPoint{call: made.String(), repeat: made.repeat, changes: made.changes()}
	if made.changes() || made.repeat <= maxRepeats {
		d.calls = append(d.calls, point)
	}
	if point != d.crash {
		return fault{}
	}
	d.done = true
	return fault{kind: d.kind}
}

func (d *diary) points() []crashPoint {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.calls)
}

func (d *diary) crashed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.done
}

// table is the verdicts, in the order of the calls.
type table []row

type row struct {
	point  crashPoint
	kind   kind
	came   bool
	failed bool
}

func (t table) missed() (missed int) {
	for _, row := range t {
		if !row.came {
			missed++
		}
	}
	return missed
}

func (t table) String() string {
	var text strings.Builder
	for i, row := range t {
		verdict := "same end"
		if row.failed {
			verdict = "ENDS DIFFERENTLY"
		} else if !row.came {
			verdict = "did not come"
		}
		fmt.Fprintf(&text, "\n%3d  %-12s  %-62s  %s", i/2+1, row.kind, row.point, verdict)
	}
	return text.String()
}
