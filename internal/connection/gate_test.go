package connection

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/internal/turns"
)

// ask makes a call that needs nothing.
func (f *fixture) ask() error {
	pass := f.caller("asks")
	defer pass.End()
	_, err := pass.ListJobs(f.Context(), mistral.JobFilter{CreatedAfter: start})
	return err
}

// pause says for how long the connection makes no calls.
func (f *fixture) pause() time.Duration {
	f.Helper()
	f.factory.forgetCalls()
	pass := f.caller("pause")
	err := pass.Begin()
	pass.End()
	if err == nil {
		return 0
	}
	var closed *ClosedError
	if !errors.As(err, &closed) || closed.Cause == nil {
		f.Fatalf("the connection is closed by %v", err)
	}
	if asked := f.ask(); asked == nil || asked.Error() != err.Error() {
		f.Errorf("a call that was not made failed with %v, want %v", asked, err)
	}
	f.expectCalls()
	return closed.RetryAfter
}

func TestWhatClosesAConnection(t *testing.T) {
	const quarter = 125 * time.Millisecond // of the first pause: its jitter
	for _, test := range []struct {
		reason     string
		status     int
		retryAfter string
		min, max   time.Duration // of the pause; 0: it stays open
	}{
		{reason: "it works", status: http.StatusOK},
		{reason: "this request is at fault", status: http.StatusBadRequest},
		{reason: "this operation is not allowed", status: http.StatusForbidden},
		{reason: "this object is not there", status: http.StatusNotFound},
		{reason: "this object is in another state", status: http.StatusConflict},
		{reason: "this operation is gone", status: http.StatusGone},
		{reason: "this content is too large", status: http.StatusRequestEntityTooLarge},
		{reason: "this request is at fault, as most servers say it", status: http.StatusUnprocessableEntity, retryAfter: "60"},
		{"every call has this key", http.StatusUnauthorized, "", refusedPause, refusedPause},
		{"the account is empty", http.StatusPaymentRequired, "", refusedPause, refusedPause},
		{"a refused key is not asked about sooner than once a minute", http.StatusUnauthorized, "1", refusedPause, refusedPause},
		{"too many calls", http.StatusTooManyRequests, "", minFailurePause, minFailurePause + quarter},
		{"too many calls, and the factory says for how long", http.StatusTooManyRequests, "7", 7 * time.Second, 7 * time.Second},
		{"a pause of nothing would be none", http.StatusTooManyRequests, "0", minFailurePause, minFailurePause + quarter},
		{"broken", http.StatusInternalServerError, "", minFailurePause, minFailurePause + quarter},
		{"restarting", http.StatusServiceUnavailable, "", minFailurePause, minFailurePause + quarter},
		{"restarting, and it knows for how long", http.StatusServiceUnavailable, "30", 30 * time.Second, 30 * time.Second},
		{"not a factory", http.StatusNoContent, "", minFailurePause, minFailurePause + quarter},
		{"moved: the address is wrong for all", http.StatusMovedPermanently, "", minFailurePause, minFailurePause + quarter},
	} {
		f := newFixture(t)
		if test.status != http.StatusOK {
			f.factory.answer("", test.status, "Retry-After", test.retryAfter)
		}
		_ = f.ask()
		if pause := f.pause(); pause < test.min || pause > test.max {
			t.Errorf("%d, %s: the connection pauses for %s, want %s to %s", test.status, test.reason, pause, test.min, test.max)
		}
		f.factory.behave()
		f.clock.Step(test.max)
		if err := f.ask(); err != nil {
			t.Errorf("%d, %s: after its pause the connection is not open: %v", test.status, test.reason, err)
		}
	}
}

func TestLostFactoryClosesTheConnection(t *testing.T) {
	f := newFixture(t)
	f.factory.Close()
	err := f.ask()
	var answer *mistral.Error
	if !errors.As(err, &answer) || answer.StatusCode != 0 {
		t.Fatalf("a call to a factory that is gone failed with %v", err)
	}
	if f.pause() == 0 {
		t.Error("the connection stays open")
	}
}

func TestPauseGrowsWhileAFactoryFails(t *testing.T) {
	f := newFixture(t)
	f.factory.answer("", http.StatusBadGateway)
	for round := range 2 {
		for want := minFailurePause; want < 2*maxFailurePause; want *= 2 {
			_ = f.ask()
			pause, want := f.pause(), min(want, maxFailurePause)
			if pause < want || pause > want+want/4 {
				t.Errorf("round %d: the pause is %s, want %s and up to a quarter more", round, pause, want)
			}
			f.clock.Step(pause)
		}
		// One good answer, and the next failure is the first again.
		f.factory.behave()
		if err := f.ask(); err != nil {
			t.Fatal(err)
		}
		f.factory.answer("", http.StatusBadGateway)
	}
}

func TestRefusalProvesThatTheFactoryIsThere(t *testing.T) {
	f := newFixture(t)
	for _, status := range []int{http.StatusBadGateway, http.StatusBadGateway, http.StatusNotFound, http.StatusBadGateway} {
		f.clock.Step(f.pause())
		f.factory.answer("", status)
		_ = f.ask()
	}
	if pause := f.pause(); pause > 2*minFailurePause {
		t.Errorf("the first failure after an answer pauses for %s", pause)
	}
}

func TestPausesAreNotOfOneLength(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 10 {
		seen[growingPause(0)] = true
	}
	if len(seen) == 1 {
		t.Error("operators that lost the same factory return together")
	}
}

// TestFailuresAtOnceAreOneFailure lets calls fail that were under way together,
// as all workers' are when a factory restarts.
func TestFailuresAtOnceAreOneFailure(t *testing.T) {
	f := newFixture(t)
	gate := f.connection.gate
	lost := &mistral.Error{StatusCode: http.StatusBadGateway}
	for range 8 {
		gate.leave(lost)
	}
	if pause := f.pause(); pause > 2*minFailurePause {
		t.Errorf("calls that failed together pause for %s", pause)
	}
}

func TestLongerPauseWins(t *testing.T) {
	limited := &mistral.Error{StatusCode: http.StatusTooManyRequests, RetryAfter: time.Hour}
	lost := &mistral.Error{StatusCode: http.StatusBadGateway}
	for _, test := range []struct {
		reason string
		errors []error
	}{
		{"a later failure does not shorten a pause", []error{limited, lost}},
		{"a later failure lengthens a pause", []error{lost, limited}},
		{"a call that came through before the pause does not end it", []error{limited, nil}},
		{"nor does a refusal", []error{limited, &mistral.Error{StatusCode: http.StatusConflict}}},
		{"nor what was cancelled", []error{limited, context.Canceled, errors.New("never sent")}},
	} {
		f := newFixture(t)
		for _, err := range test.errors {
			f.connection.gate.leave(err)
		}
		if pause := f.pause(); pause != time.Hour {
			t.Errorf("%s: the pause is %s", test.reason, pause)
		}
		if err := f.caller("a").Begin(); !mistral.IsTooManyRequests(err) {
			t.Errorf("%s: the pause's cause is %v", test.reason, err)
		}
	}
}

// TestUnreadableContentSaysNothingOfTheFactory loses a file on its way to be
// uploaded. Nobody else has to wait for that.
func TestUnreadableContentSaysNothingOfTheFactory(t *testing.T) {
	f := newFixture(t)
	pass := f.caller("a")
	_, err := pass.UploadFile(t.Context(), mistral.Upload{
		Filename: "a.jsonl",
		Size:     5,
		Content:  iotest.ErrReader(errors.New("disk on fire")),
	})
	pass.End()
	if !mistral.IsUnreadableContent(err) {
		t.Fatalf("the upload failed with %v", err)
	}
	if f.pause() != 0 {
		t.Error("a file that could not be read closed the connection")
	}
}

func TestCancelledCallSaysNothingOfTheFactory(t *testing.T) {
	f := newFixture(t)
	f.factory.answer("", http.StatusBadGateway)
	_ = f.ask()
	f.clock.Step(f.pause())

	arrived, release := f.factory.hold("list")
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	if _, err := f.caller("a").ListJobs(ctx, mistral.JobFilter{CreatedAfter: start}); !errors.Is(err, context.Canceled) {
		t.Fatalf("a cancelled call failed with %v", err)
	}
	if f.pause() != 0 {
		t.Error("a cancelled call closed the connection")
	}
	release()
	f.factory.answer("", http.StatusBadGateway)
	_ = f.ask()
	if pause := f.pause(); pause < 2*minFailurePause {
		t.Errorf("after a second failure the pause is %s: the cancelled call passed for a good one", pause)
	}
}

// expectQueued holds that a call is not made, and that a place is kept for it.
func expectQueued(t *testing.T, err error) {
	t.Helper()
	var closed *ClosedError
	if !errors.As(err, &closed) || !closed.Queued || closed.Cause != nil || closed.RetryAfter != 0 {
		t.Fatalf("a call that is not anybody's turn failed with %#v", err)
	}
}

// TestBudgetIsAQueue spends the budget. Whoever comes then is woken once, in its turn,
// and finds its call free; its pass gets its other calls too.
func TestBudgetIsAQueue(t *testing.T) {
	f := newFixtureWith(t, func(o *Options) { o.CallsPerSecond, o.CallBurst = 2, 3 })
	for range 3 {
		if err := f.ask(); err != nil {
			t.Fatal(err)
		}
	}
	f.expectCalls("list", "list", "list")
	woken := make(chan string, 10)
	pass := func(namespace, object string) *Pass {
		return f.connection.Pass(turns.Who{Namespace: namespace, Object: object}, func() { woken <- object })
	}
	for _, waiting := range []*Pass{pass("many", "first"), pass("many", "second"), pass("one", "third")} {
		for range 2 { // to ask again neither loses a place nor wins one
			expectQueued(t, waiting.Begin())
			waiting.End()
		}
	}
	f.expectCalls()
	if err := f.get(f.factory.URL, "another").Pass(turns.Who{}, nil).Begin(); err != nil {
		t.Errorf("another connection's budget: %v", err)
	}

	f.clock.Step(500 * time.Millisecond)
	first := pass("many", <-woken)
	for range 2 {
		if _, err := first.ListJobs(t.Context(), mistral.JobFilter{CreatedAfter: start}); err != nil {
			t.Fatal(err)
		}
	}
	first.End()
	f.expectCalls("list", "list")
	// The second call was overdrawn: the next one waits for it.
	f.eventually("somebody waits", f.clock.HasWaiters)
	f.clock.Step(500 * time.Millisecond)
	f.eventually("somebody waits", f.clock.HasWaiters)
	if len(woken) > 0 {
		t.Errorf("%s was woken too soon", <-woken)
	}
	f.clock.Step(500 * time.Millisecond)
	if next := <-woken; next != "third" {
		t.Errorf("the next one is the %s: namespaces take turns", next)
	}
}

// TestSilentFactoryHoldsOneWorker asks a factory that never answered. The others see
// what came of the one call that was made.
func TestSilentFactoryHoldsOneWorker(t *testing.T) {
	f := newFixture(t)
	arrived, release := f.factory.hold("list")
	asked := make(chan error, 1)
	go func() { asked <- f.ask() }()
	<-arrived
	var others []*Pass
	woken := make(chan struct{}, 100)
	for i := range maxNamespacePasses {
		other := f.connection.Pass(turns.Who{Namespace: "other", Object: strconv.Itoa(i)}, func() { woken <- struct{}{} })
		expectQueued(t, other.Begin())
		other.End()
		others = append(others, other)
	}
	f.factory.Server.CloseClientConnections()
	release()
	if err := <-asked; err == nil {
		t.Fatal("the call that broke succeeded")
	}
	for _, other := range others {
		<-woken
		if err := other.Begin(); !errors.Is(err, f.connection.gate.cause) {
			t.Errorf("whoever waited is told %v", err)
		}
		other.End()
	}
	f.factory.behave()
	f.clock.Step(f.pause())
	if err := f.ask(); err != nil {
		t.Fatal(err)
	}
	for _, other := range others { // it has answered: all may come
		if err := other.Begin(); err != nil {
			t.Error(err)
		}
	}
}

// TestSilentFactoriesTogetherHoldAPartOfTheWorkers: many connections whose last call
// got no answer share what they hold, and leave a good one alone.
func TestSilentFactoriesTogetherHoldAPartOfTheWorkers(t *testing.T) {
	for _, test := range []struct {
		reason     string
		namespaces int
		most       int
	}{
		{"of one namespace", 1, maxNamespaceSuspects},
		{"of many", 100, maxSuspects},
	} {
		f := newFixture(t)
		inside, calls := 0, 100
		var suspects []*Pass
		for i := range calls {
			silent := f.get(f.factory.URL, strconv.Itoa(i))
			silent.gate.leave(&mistral.Error{})
			who := turns.Who{Namespace: strconv.Itoa(i % test.namespaces), Object: strconv.Itoa(i)}
			suspects = append(suspects, silent.Pass(who, func() {}))
		}
		f.clock.Step(time.Second) // the pauses are over
		for _, suspect := range suspects {
			if suspect.Begin() == nil {
				inside++
			}
		}
		if inside != test.most {
			t.Errorf("%s: %d may be asked at a time, want %d", test.reason, inside, test.most)
		}
		if err := f.ask(); err != nil {
			t.Errorf("%s: a factory that nothing is held against: %v", test.reason, err)
		}
		for _, suspect := range suspects {
			suspect.Forget()
		}
	}
}

// TestPatienceWithASlowFactory grows, or one that answers after six seconds never would be heard.
func TestPatienceWithASlowFactory(t *testing.T) {
	f := newFixture(t)
	gate := f.connection.gate
	for _, want := range []time.Duration{firstPatience, 2 * firstPatience, 4 * firstPatience, callTimeout, callTimeout} {
		if got := gate.patience(); got != want {
			t.Errorf("after %d failures an answer is waited for %s, want %s", gate.failures, got, want)
		}
		gate.leave(&mistral.Error{})
		f.clock.Step(2 * maxFailurePause)
	}
	gate.leave(nil)
	if got := gate.patience(); got != callTimeout {
		t.Errorf("a factory that answers is waited for %s", got)
	}
}

// TestSlowCallIsTold holds that whoever calls can say so while a call is under way.
func TestSlowCallIsTold(t *testing.T) {
	f := newFixture(t)
	if err := f.ask(); err != nil { // it has answered, so that it gets the longer time
		t.Fatal(err)
	}
	arrived, release := f.factory.hold("list")
	pass := f.caller("a")
	said := false
	pass.WhenSlow(func(context.Context) {
		said = true
		release()
	})
	if _, err := pass.ListJobs(t.Context(), mistral.JobFilter{CreatedAfter: start}); err != nil {
		t.Error(err)
	}
	<-arrived
	if !said {
		t.Error("nobody was told")
	}
}

func TestClosedErrorSaysWhy(t *testing.T) {
	cause := &mistral.Error{Operation: "ListJobs", StatusCode: http.StatusUnauthorized}
	for _, test := range []struct {
		reason string
		err    *ClosedError
		want   string
	}{
		{"the budget", &ClosedError{Queued: true}, "others are to be served by the factory first"},
		{"the failure that closed the connection", &ClosedError{RetryAfter: time.Second, Cause: cause}, cause.Error()},
	} {
		if got := test.err.Error(); got != test.want {
			t.Errorf("%s: the error says %q, want %q", test.reason, got, test.want)
		}
	}
	if !mistral.IsUnauthorized(&ClosedError{Cause: cause}) {
		t.Error("the cause is not found in the error")
	}
}

// TestClosedConnectionMakesNoCall holds every method to it, after a creation of
// which nobody knows whether it came through: of those that were not made one does.
func TestClosedConnectionMakesNoCall(t *testing.T) {
	f := newFixture(t)
	f.factory.answer("", http.StatusBadGateway)
	if _, err := f.caller("a").CreateJob(t.Context(), mistral.CreateJobRequest{}); !mistral.OutcomeUnknown(err) {
		t.Fatal(err)
	}
	f.factory.forgetCalls()
	ctx, c := t.Context(), f.caller("a")
	for name, call := range map[string]func() error{
		"UploadFile": func() error {
			_, err := c.UploadFile(ctx, mistral.Upload{Filename: "a", Size: 1, Content: strings.NewReader("a")})
			return err
		},
		"ListFiles":   func() error { _, err := c.ListFiles(ctx, mistral.FileFilter{}); return err },
		"DeleteFile":  func() error { return c.DeleteFile(ctx, "a") },
		"CreateJob":   func() error { _, err := c.CreateJob(ctx, mistral.CreateJobRequest{}); return err },
		"ListJobs":    func() error { _, err := c.ListJobs(ctx, mistral.JobFilter{}); return err },
		"GetJob":      func() error { _, err := c.GetJob(ctx, "a"); return err },
		"StartJob":    func() error { _, err := c.StartJob(ctx, "a"); return err },
		"CancelJob":   func() error { _, err := c.CancelJob(ctx, "a"); return err },
		"DeleteModel": func() error { return c.DeleteModel(ctx, "a") },
	} {
		var closed *ClosedError
		if err := call(); !errors.As(err, &closed) || closed.Cause == nil || mistral.OutcomeUnknown(err) {
			t.Errorf("%s failed with %v", name, err)
		}
	}
	f.expectCalls()
}
