package connection

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func ids(prefix string, n int) []string {
	var ids []string
	for i := range n {
		ids = append(ids, fmt.Sprintf("%s-%03d", prefix, i))
	}
	return ids
}

func TestManyJobsCostOneList(t *testing.T) {
	f := newFixture(t)
	f.factory.add(mistral.JobRunning, ids("job", listPageSize)...)
	watchers := f.watch(ids("job", listPageSize)...)
	f.look() // once more, for changes within the second of the first look
	for _, w := range watchers {
		w.expect(mistral.JobRunning, 1)
	}
	f.factory.forgetCalls()

	f.look()
	f.expectCalls("list")
	f.factory.set("job-007", mistral.JobSuccess)
	f.look()
	f.expectCalls("list", "get job-007")
	for _, w := range watchers {
		if w.id == "job-007" {
			w.expect(mistral.JobSuccess, 1)
		} else {
			w.expect(mistral.JobRunning, 0)
		}
	}
}

func TestIntervalGrowsUntilSomethingChanges(t *testing.T) {
	f := newFixture(t)
	f.factory.add(mistral.JobRunning, "a")
	f.watchOne("a")
	shortest, longest := DefaultOptions().MinPollInterval, DefaultOptions().MaxPollInterval
	for round := range 2 {
		var last time.Duration
		for want := shortest; want < 2*longest; want = want * 3 / 2 {
			last = f.untilNextLook()
			if want := min(want, longest); last < want || last > want+want/10+100*time.Millisecond {
				t.Errorf("round %d: the next look came after %s, want %s and up to a tenth more", round, last, want)
			}
		}
		f.factory.change("a", func(job *mistral.DetailedJob) { job.ModifiedAt++ })
		f.look()
	}
}

func TestPollIntervalOfNothingIsTheShortest(t *testing.T) {
	for _, longest := range []time.Duration{0, -time.Second, time.Millisecond} {
		f := newFixtureWith(t, func(o *Options) { o.MaxPollInterval = longest })
		f.factory.add(mistral.JobRunning, "a")
		f.watchOne("a")
		for range 3 {
			if got, want := f.untilNextLook(), DefaultOptions().MinPollInterval; got < want {
				t.Errorf("with at most %s between looks the next one came after %s, want %s", longest, got, want)
			}
		}
	}
}

func TestPages(t *testing.T) {
	for _, test := range []struct {
		reason  string
		watched int
		make    func(*factory)
		want    []string // calls of a look in which nothing changed
	}{
		{"one page", 100, func(*factory) {}, []string{"list"}},
		{"a list longer than one page is read to its end", 250, func(*factory) {}, []string{"list", "list 1", "list 2"}},
		{"a server may give fewer than are asked for", 100, func(f *factory) { f.pageSize = 40 },
			[]string{"list", "list 1", "list 2"}},
		{"one job of the next page is asked for alone", 101, func(*factory) {}, []string{"list", "get watched-000"}},
		{"other clients' newer jobs fill the list: to ask costs less than to read on", 1,
			func(f *factory) { f.add(mistral.JobRunning, ids("foreign", 5000)...) }, []string{"list", "get watched-000"}},
		{"other clients' older jobs are not listed", 2, func(f *factory) {
			f.add(mistral.JobRunning, ids("foreign", 5000)...)
			for _, job := range f.jobs {
				if job.ID[0] == 'f' {
					job.CreatedAt -= 1e6
				}
			}
			slices.Reverse(f.jobs)
		}, []string{"list"}},
		{"a job that the list lacks is asked for alone", 3, func(f *factory) { f.unlisted["watched-001"] = true },
			[]string{"list", "get watched-001"}},
		{"jobs that the list lacks are looked for to its end", 3, func(f *factory) {
			f.unlisted["watched-001"], f.unlisted["watched-002"] = true, true
		}, []string{"list", "list 1", "get watched-001", "get watched-002"}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			f := newFixture(t)
			watched := ids("watched", test.watched)
			f.factory.add(mistral.JobRunning, watched...)
			test.make(f.factory)
			f.watch(watched...)
			for range 3 { // more are watched than the budget lets be asked for at once
				f.look()
			}
			f.factory.forgetCalls()
			f.look()
			f.expectCalls(test.want...)
		})
	}
}

// TestPagesThatShift adds jobs between one page and the next, so that the second
// begins with what the first ended with.
func TestPagesThatShift(t *testing.T) {
	f := newFixture(t)
	f.factory.add(mistral.JobRunning, ids("job", 150)...)
	watchers := f.watch(ids("job", 150)...)
	f.look()
	f.factory.forgetCalls()
	f.factory.set("job-050", mistral.JobSuccess) // the last of the first page
	f.factory.set("job-049", mistral.JobSuccess) // the first of the second
	f.factory.when(func(call string, _ http.ResponseWriter) bool {
		if call == "list 1" {
			f.factory.add(mistral.JobQueued, "new-1", "new-2", "new-3")
		}
		return false
	})
	f.look()
	f.expectCalls("list", "list 1", "get job-050", "get job-049")
	for _, w := range watchers {
		if w.id == "job-049" || w.id == "job-050" {
			w.expect(mistral.JobSuccess, 2)
		} else {
			w.expect(mistral.JobRunning, 1)
		}
	}
}

// TestBudgetIsWaitedFor watches more jobs than the budget has calls: it must not
// be spent on lists, nor asked for in a loop.
func TestBudgetIsWaitedFor(t *testing.T) {
	f := newFixtureWith(t, func(o *Options) { o.CallsPerSecond, o.CallBurst = 10, 5 })
	want := []string{"list"}
	arrived, release := f.factory.hold("list")
	for i := range 20 {
		id := fmt.Sprint("job-", i)
		f.factory.add(mistral.JobRunning, id)
		_, _ = f.watcher(id).now()
		if i == 0 {
			<-arrived // the others come during the first look
			want = append(want, "list")
		}
		want = append(want, "get "+id)
	}
	release()
	for range len(want) - 5 {
		f.rest()
		f.clock.Step(100 * time.Millisecond)
	}
	f.rest()
	f.expectCalls(want...)
}

// TestJobWatchedDuringALook must not wait for the look after the next.
func TestJobWatchedDuringALook(t *testing.T) {
	f := newFixture(t)
	f.factory.add(mistral.JobRunning, "a", "b")
	a := f.watchOne("a")
	arrived, release := f.factory.hold("list")
	f.clock.Step(time.Minute)
	<-arrived
	b := f.watcher("b")
	_, _ = b.now()
	release()
	f.eventually("job b is asked for", func() bool { return b.told.Load() > 0 })
	f.rest()
	a.expect(mistral.JobRunning, 1)
	b.expect(mistral.JobRunning, 1)
}

// TestHurryDoesNotPutOffALook lets watchers' own calls bring news again and again.
func TestHurryDoesNotPutOffALook(t *testing.T) {
	f := newFixture(t)
	f.factory.add(mistral.JobRunning, "a")
	f.watchOne("a")
	f.factory.forgetCalls()
	for i := range 5 {
		f.factory.change("a", func(job *mistral.DetailedJob) { job.ModifiedAt++ })
		if _, err := f.getJob("a"); err != nil {
			t.Fatal(err)
		}
		f.eventually("the poller heard of it", func() bool { return f.clock.Waiters() == 1 })
		f.pass(300 * time.Millisecond)
		if calls := f.factory.forgetCalls(); slices.Contains(calls, "list") {
			return
		} else if i == 4 {
			t.Errorf("no look within %s", 1500*time.Millisecond)
		}
	}
}

// TestNewsOfAWatcherBringsTheNextLookForward covers a start: the job moves on soon.
func TestNewsOfAWatcherBringsTheNextLookForward(t *testing.T) {
	f := newFixture(t)
	f.factory.add(mistral.JobValidated, "a")
	f.watchOne("a")
	for range 10 {
		f.look()
	}
	if _, err := f.startJob("a"); err != nil {
		t.Fatal(err)
	}
	f.factory.forgetCalls()
	f.eventually("the poller looks", func() bool {
		f.clock.Step(10 * time.Millisecond)
		return len(f.factory.forgetCalls()) > 0
	})
	f.rest()
	if passed := f.clock.Since(start); passed > 20*time.Minute+2*time.Second {
		t.Errorf("the look came %s after the start", passed-20*time.Minute)
	}
	if next := f.untilNextLook(); next > 2*time.Second {
		t.Errorf("the look after that came %s later", next)
	}
}

func TestPollerEndsWithItsWork(t *testing.T) {
	for _, test := range []struct {
		reason string
		end    func(f *fixture, a, b *watcher)
	}{
		{"nobody watches any more", func(f *fixture, a, b *watcher) {
			f.connection.UnwatchJob("a", a.who)
			f.connection.UnwatchJob("b", b.who)
			f.connection.UnwatchJob("b", b.who) // twice is no harm
		}},
		{"all jobs have ended, though they are still watched", func(f *fixture, _, _ *watcher) {
			f.factory.set("a", mistral.JobFailed)
			f.factory.set("b", mistral.JobCancelled)
			f.clock.Step(time.Minute)
		}},
		{"the operator ends", func(f *fixture, _, _ *watcher) { f.end() }},
	} {
		t.Run(test.reason, func(t *testing.T) {
			f := newFixture(t)
			f.factory.add(mistral.JobRunning, "a", "b")
			a, b := f.watchOne("a"), f.watchOne("b")
			test.end(f, a, b)
			f.expectEnd()
			f.factory.forgetCalls()
			f.clock.Step(time.Hour)
			f.expectCalls()
			f.factory.Close()
			goleak.VerifyNone(t)
		})
	}
}

func TestPollerStartsAgain(t *testing.T) {
	f := newFixture(t)
	f.factory.add(mistral.JobRunning, "a", "b")
	a := f.watchOne("a")
	f.connection.UnwatchJob("a", a.who)
	f.expectEnd()
	b := f.watchOne("b")
	b.expect(mistral.JobRunning, 1)
	a.expectTold(1)
}

// TestEndOfTheOperatorIsNoNews ends it in the middle of a look.
func TestEndOfTheOperatorIsNoNews(t *testing.T) {
	for _, held := range []string{"list", "get a"} {
		f := newFixture(t)
		f.factory.add(mistral.JobRunning, "a")
		w := f.watchOne("a")
		w.expect(mistral.JobRunning, 1)
		f.factory.set("a", mistral.JobSuccess)
		arrived, release := f.factory.hold(held)
		f.clock.Step(time.Minute)
		<-arrived
		f.end()
		f.expectEnd()
		release()
		if job, err := w.now(); err != nil || job.Status != mistral.JobRunning {
			t.Errorf("known of the job is %+v, %v", job, err)
		}
		w.expectTold(0)
		if err := f.caller("a").Begin(); err != nil {
			t.Errorf("the end closed the connection: %v", err)
		}
	}
}

func TestLostFactoryIsToldOnceAndItsReturnToo(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusForbidden} {
		f := newFixture(t)
		f.factory.add(mistral.JobRunning, "a", "b")
		f.factory.add(mistral.JobFailed, "ended")
		a, b, ended := f.watchOne("a"), f.watchOne("b"), f.watchOne("ended")
		f.look()
		for _, w := range []*watcher{a, b, ended} {
			w.expectTold(1)
		}
		f.factory.answer("", status)
		f.factory.forgetCalls()
		for range 5 {
			f.look()
		}
		f.expectCalls("list", "list", "list", "list", "list")
		for _, w := range []*watcher{a, b} {
			job, err := w.now()
			var answer *mistral.Error
			if !errors.As(err, &answer) || answer.StatusCode != status {
				t.Errorf("the error is %v, want it to say %d", err, status)
			}
			if job == nil || job.Status != mistral.JobRunning {
				t.Errorf("what was known of the job is lost: %+v", job)
			}
			w.expectTold(1)
		}
		ended.expect(mistral.JobFailed, 0)

		f.factory.behave()
		f.factory.forgetCalls()
		f.look()
		f.expectCalls("list")
		if next := f.untilNextLook(); next > 2*time.Second {
			t.Errorf("the look after the factory's return came %s later", next)
		}
		a.expect(mistral.JobRunning, 1)
		b.expect(mistral.JobRunning, 1)
		ended.expect(mistral.JobFailed, 0)
	}
}

func TestFactoryThatIsLostFromTheStart(t *testing.T) {
	f := newFixture(t)
	f.factory.add(mistral.JobRunning, "a")
	f.factory.answer("", http.StatusBadGateway)
	w := f.watchOne("a")
	for range 3 {
		f.look()
	}
	if job, err := w.now(); job != nil || err == nil {
		t.Errorf("known of the job is %+v, with error %v", job, err)
	}
	w.expectTold(1)
	f.factory.behave()
	f.look()
	w.expect(mistral.JobRunning, 2) // the factory is back, and this is the job
}

// TestServerWithoutJobs is what stands before a factory and answers 404 while that
// restarts: no job may be taken for missing.
func TestServerWithoutJobs(t *testing.T) {
	f := newFixture(t)
	f.factory.add(mistral.JobRunning, "a", "b")
	a := f.watchOne("a")
	f.factory.answer("", http.StatusNotFound)
	f.look()
	b := f.watcher("b")
	_, _ = b.now()
	f.look()
	for _, w := range []*watcher{a, b} {
		if _, err := w.now(); !errors.Is(err, ErrNoFactory) || mistral.IsNotFound(err) {
			t.Errorf("the error of job %s is %v, want %v", w.id, err, ErrNoFactory)
		}
	}
	f.factory.behave()
	f.look()
	a.expect(mistral.JobRunning, 3)
	b.expect(mistral.JobRunning, 2)
}
