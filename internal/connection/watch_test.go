package connection

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func TestWatcherIsToldOncePerChange(t *testing.T) {
	f := newFixture(t)
	f.factory.add(mistral.JobQueued, "a")
	w := f.watchOne("a")
	w.expect(mistral.JobQueued, 1)
	for _, status := range []mistral.JobStatus{
		mistral.JobValidating, mistral.JobValidated,
		"A_STATE_OF_THE_FUTURE", // the set is open
		mistral.JobQueued, mistral.JobRunning, mistral.JobCancellationRequested, mistral.JobCancelled,
	} {
		f.look()
		w.expectTold(0)
		f.factory.set("a", status)
		f.clock.Step(2 * time.Minute)
		f.eventually("the change is told", func() bool { return w.told.Load() > 0 })
		w.expect(status, 1)
		if status != mistral.JobCancelled {
			f.rest()
		}
	}
}

// TestChangesWithinASecondAreNotMissed changes a job after it was read, without a
// difference that a list could show.
func TestChangesWithinASecondAreNotMissed(t *testing.T) {
	checkpoint := func(job *mistral.DetailedJob) {
		job.Checkpoints = append(job.Checkpoints, mistral.Checkpoint{StepNumber: int64(len(job.Checkpoints) + 1)})
	}
	for _, test := range []struct {
		reason string
		change func(*mistral.DetailedJob)
	}{
		{"a checkpoint", checkpoint},
		{"an event", func(job *mistral.DetailedJob) { job.Events = append(job.Events, mistral.Event{Name: "new"}) }},
		{"a price", func(job *mistral.DetailedJob) { job.Metadata = &mistral.JobMetadata{Cost: new(1.5)} }},
	} {
		f := newFixture(t)
		f.factory.add(mistral.JobRunning, "a")
		w := f.watchOne("a")
		w.expect(mistral.JobRunning, 1)
		f.factory.change("a", test.change)
		f.look()
		w.expectTold(1)
		f.factory.forgetCalls()
		f.look()
		f.expectCalls("list") // that second is over: the list is believed again
		if w.expectTold(0); t.Failed() {
			t.Log(test.reason)
		}
	}
}

// TestSecondIsWaitedFor watches jobs one after the other: what a job is like within
// the second of a change cannot be known from asking again within it.
func TestSecondIsWaitedFor(t *testing.T) {
	f := newFixture(t)
	want := []string{}
	for _, id := range ids("job", 5) {
		f.factory.add(mistral.JobRunning, id)
		f.watchOne(id)
		want = append(want, "list", "get "+id)
	}
	f.expectCalls(want...)
}

// TestSlowAnswerIsOfWhenItWasAskedFor gets an answer from within the second of a
// change when that second is over.
func TestSlowAnswerIsOfWhenItWasAskedFor(t *testing.T) {
	f := newFixture(t)
	f.factory.add(mistral.JobRunning, "a")
	w := f.watchOne("a")
	f.factory.when(func(call string, _ http.ResponseWriter) bool {
		if call == "get a" {
			f.clock.Step(settleTime) // on the way back
		}
		return false
	})
	if _, err := f.getJob("a"); err != nil {
		t.Fatal(err)
	}
	f.factory.behave()
	f.factory.change("a", func(job *mistral.DetailedJob) { job.Events = append(job.Events, mistral.Event{Name: "new"}) })
	w.expectTold(1)
	f.look()
	w.expect(mistral.JobRunning, 1)
}

// TestNewerAnswerStays starts a job while an answer from before is under way.
func TestNewerAnswerStays(t *testing.T) {
	f := newFixture(t)
	f.factory.add(mistral.JobValidating, "a")
	w := f.watchOne("a")
	w.expect(mistral.JobValidating, 1)
	f.factory.set("a", mistral.JobValidated)
	arrived, release := make(chan struct{}), make(chan struct{})
	f.factory.when(func(call string, response http.ResponseWriter) bool {
		if call != "get a" {
			return false
		}
		before := *f.factory.jobs[0]
		close(arrived)
		<-release
		_ = json.NewEncoder(response).Encode(before)
		return true
	})
	f.clock.Step(time.Minute)
	<-arrived
	if job, err := f.startJob("a"); err != nil || job.Status != mistral.JobQueued {
		t.Fatal(job, err)
	}
	close(release)
	f.rest()
	w.expect(mistral.JobQueued, 1)
}

func TestNewsOfOneWatchersCallReachesAll(t *testing.T) {
	f := newFixture(t)
	f.factory.add(mistral.JobValidated, "a")
	first, second := f.watchOne("a"), f.watcher("a")
	second.expect(mistral.JobValidated, 0) // known already, so there is no news to wait for
	f.factory.set("a", mistral.JobCancelled)
	for range 2 {
		if _, err := f.getJob("a"); err != nil {
			t.Fatal(err)
		}
	}
	first.expect(mistral.JobCancelled, 2)
	second.expect(mistral.JobCancelled, 1)
}

func TestWatchersOfOneJob(t *testing.T) {
	f := newFixture(t)
	f.factory.add(mistral.JobRunning, "a")
	first, second := f.watchOne("a"), f.watcher("a")
	second.expect(mistral.JobRunning, 0)
	f.look()
	f.factory.forgetCalls()
	f.factory.set("a", mistral.JobValidating)
	f.look()
	f.expectCalls("list", "get a")
	first.expect(mistral.JobValidating, 2)
	second.expect(mistral.JobValidating, 1)

	f.connection.UnwatchJob("a", first.who)
	f.factory.set("a", mistral.JobRunning)
	f.look()
	first.expectTold(0)
	second.expect(mistral.JobRunning, 1)
}

func TestMissingJobIsToldOnceAndHeals(t *testing.T) {
	f := newFixture(t)
	f.factory.add(mistral.JobRunning, "a", "b")
	w, other := f.watchOne("a"), f.watchOne("b")
	f.look()
	removed := f.factory.remove("a")
	w.expectTold(1)
	f.factory.forgetCalls()
	for range 3 {
		f.look()
	}
	f.expectCalls("list", "get a", "list", "get a", "list", "get a")
	job, err := w.now()
	if !mistral.IsNotFound(err) || job == nil || job.Status != mistral.JobRunning {
		t.Errorf("known of a job that is gone is %+v, with error %v", job, err)
	}
	w.expectTold(1)
	other.expect(mistral.JobRunning, 1)

	f.factory.restore(removed)
	f.look()
	w.expect(mistral.JobRunning, 1)
}

func TestJobThatWasNeverThere(t *testing.T) {
	f := newFixture(t)
	w := f.watchOne("nowhere")
	f.look()
	if job, err := w.now(); job != nil || !mistral.IsNotFound(err) {
		t.Errorf("known of the job is %+v, with error %v", job, err)
	}
	w.expectTold(1)
}

// TestJobThatIsFoundMissingAfterAFailure tells the one trouble from the other: a
// failure passes, and a missing job must be given up some time.
func TestJobThatIsFoundMissingAfterAFailure(t *testing.T) {
	f := newFixture(t)
	f.factory.answer("get a", http.StatusBadGateway)
	w := f.watchOne("a")
	w.expectTold(1)
	f.factory.behave()
	f.look()
	if _, err := w.now(); !mistral.IsNotFound(err) {
		t.Errorf("the error is %v", err)
	}
	w.expectTold(1)
}

// TestMissingJobIsAskedForAnewAfterALoss: what a factory did not know before it was
// lost, it may know when it is back.
func TestMissingJobIsAskedForAnewAfterALoss(t *testing.T) {
	f := newFixture(t)
	f.factory.add(mistral.JobRunning, "a")
	w := f.watchOne("a")
	removed := f.factory.remove("a")
	f.look()
	w.expectTold(2)
	f.factory.answer("", http.StatusBadGateway)
	f.look()
	if _, err := w.now(); err == nil || mistral.IsNotFound(err) {
		t.Errorf("the error is %v, want the factory's loss", err)
	}
	w.expectTold(1)
	f.factory.restore(removed)
	f.factory.behave()
	f.look()
	w.expect(mistral.JobRunning, 1)
}

// TestFailureOfOneJobIsItsOwn lets one job's details fail for good. The others go on.
func TestFailureOfOneJobIsItsOwn(t *testing.T) {
	for _, status := range []int{http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusInternalServerError} {
		f := newFixture(t)
		f.factory.add(mistral.JobRunning, "good", "bad")
		good := f.watchOne("good")
		f.factory.answer("get bad", status)
		bad := f.watchOne("bad")
		f.look()
		good.told.Store(0)
		bad.told.Store(0)
		for range 5 {
			f.factory.change("good", func(job *mistral.DetailedJob) { job.ModifiedAt++ })
			f.look()
			good.expect(mistral.JobRunning, 1)
		}
		var answer *mistral.Error
		if _, err := bad.now(); !errors.As(err, &answer) || answer.StatusCode != status {
			t.Errorf("the job's error is %v, want it to say %d", err, status)
		}
		bad.expectTold(0)
		f.factory.behave()
		f.look()
		bad.expect(mistral.JobRunning, 1)
	}
}

func TestEndedJobsCostNothing(t *testing.T) {
	for _, status := range []mistral.JobStatus{
		mistral.JobFailed, mistral.JobFailedValidation, mistral.JobCancelled, mistral.JobSuccess,
	} {
		f := newFixture(t)
		f.factory.add(mistral.JobRunning, "other")
		f.factory.add(status, "a")
		f.factory.change("a", func(job *mistral.DetailedJob) { job.FineTunedModel = new("ft:classifier:a") })
		f.watchOne("other")
		w := f.watchOne("a")
		f.look()
		f.factory.forgetCalls()
		f.look()
		f.expectCalls("list")
		w.expect(status, 1)
	}
}

// TestSuccessIsFollowedUntilItsModelHasAName: a factory may name the model last.
func TestSuccessIsFollowedUntilItsModelHasAName(t *testing.T) {
	f := newFixture(t)
	f.factory.add(mistral.JobSuccess, "a")
	w := f.watchOne("a")
	f.look()
	f.factory.change("a", func(job *mistral.DetailedJob) { job.FineTunedModel = new("") })
	f.look()
	w.expect(mistral.JobSuccess, 2)
	f.factory.change("a", func(job *mistral.DetailedJob) { job.FineTunedModel = new("ft:classifier:a") })
	f.clock.Step(2 * time.Minute)
	f.eventually("the name is told", func() bool { return w.told.Load() > 0 })
	if job, err := w.now(); err != nil || *job.FineTunedModel == "" {
		t.Errorf("known of the job is %+v, with error %v", job, err)
	}
	f.expectEnd()
}

// TestUnwatchedJobIsNotRead unwatches a job during the look that would read it.
func TestUnwatchedJobIsNotRead(t *testing.T) {
	f := newFixture(t)
	f.factory.add(mistral.JobRunning, "a", "b")
	a, b := f.watchOne("a"), f.watchOne("b")
	f.look()
	f.factory.set("a", mistral.JobValidating)
	f.factory.set("b", mistral.JobValidating)
	f.factory.forgetCalls()
	arrived, release := f.factory.hold("list")
	f.clock.Step(time.Minute)
	<-arrived
	f.connection.UnwatchJob("a", a.who)
	release()
	f.rest()
	f.expectCalls("list", "get b")
	a.expectTold(1)
	b.expect(mistral.JobValidating, 2)
}
