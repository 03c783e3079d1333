package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// attending is a process that hears and may lead.
type attending struct {
	heard chan Change
	led   chan bool // true when it becomes the leader
	leave func()    // and waits
}

func attend(t *testing.T, s *Store) *attending {
	t.Helper()
	a := &attending{heard: make(chan Change, 100), led: make(chan bool, 10)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Attend(ctx, func(c Change) { a.heard <- c }, func(ctx context.Context) {
			a.led <- true
			<-ctx.Done()
			a.led <- false
		}, func(error) {})
	}()
	a.leave = func() { cancel(); <-done }
	t.Cleanup(a.leave)
	return a
}

func (a *attending) await(t *testing.T, want Change) {
	t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		select {
		case got := <-a.heard:
			if got == want {
				return
			}
		case <-timeout:
			t.Fatalf("nothing was heard of %v", want)
		}
	}
}

// TestChangesAreTold to every process, whoever makes them.
func TestChangesAreTold(t *testing.T) {
	s := openAt(t, Location{Directory: t.TempDir(), DatabaseURL: postgrestest.URL(t)})
	a := attend(t, s)
	a.await(t, Change{Kind: AnyChanged})
	now := time.Now()
	job := s.add(t, "alice", "one", Training)
	a.await(t, Change{Kind: JobQueued})
	held, err := s.ClaimJob(t.Context(), Training, Holder{ID: "w", Lease: time.Minute}, now)
	if err == nil {
		err = s.UpdateJobOf(t.Context(), "alice", job.ID, func(j *Job) error { j.Cancel(now); return nil })
	}
	if err != nil {
		t.Fatal(err)
	}
	a.await(t, Change{JobCancelled, held.ID})
	key, _, err := s.CreateKey(t.Context(), Key{Tenant: "alice", Scopes: ScopeClassify}, now)
	if err == nil {
		err = s.RevokeKey(t.Context(), key.ID, KeyFilter{})
	}
	if err != nil {
		t.Fatal(err)
	}
	a.await(t, Change{Kind: KeyChanged})

	s.add(t, "bob", "two", Training)
	held, err = s.ClaimJob(t.Context(), Training, Holder{ID: "w", Lease: time.Minute}, now)
	if err != nil {
		t.Fatal(err)
	}
	staged, err := s.blobs.Stage()
	if err != nil {
		t.Fatal(err)
	}
	defer staged.Discard()
	digest, err := staged.Sync()
	if err = errors.Join(err, s.KeepModel(t.Context(), held.Lease(), staged, digest, nil, now)); err != nil {
		t.Fatal(err)
	}
	model := modelID(&held)
	if _, err := s.UpdateModel(t.Context(), "bob", model, func(m *Model) { m.Archived = true }); err != nil {
		t.Fatal(err)
	}
	a.await(t, Change{ModelChanged, model})
	if err := s.DeleteModel(t.Context(), "bob", model); err != nil {
		t.Fatal(err)
	}
	a.await(t, Change{ModelChanged, model})
	if found, err := s.Job(t.Context(), "bob", held.ID); err != nil || found.Status != mistral.JobSuccess {
		t.Error(found.Status, err)
	}
}

// TestOneLeads, and another when that one leaves, or PostgreSQL restarts.
func TestOneLeads(t *testing.T) {
	at := Location{Directory: t.TempDir(), DatabaseURL: postgrestest.URL(t)}
	s := openAt(t, at)
	first := attend(t, s)
	if !<-first.led {
		t.Fatal("the first does not lead")
	}
	second := attend(t, s)
	second.await(t, Change{Kind: AnyChanged})
	select {
	case <-second.led:
		t.Fatal("two lead")
	case <-time.After(2 * sessionInterval):
	}
	first.leave()
	if <-first.led || !<-second.led {
		t.Fatal("the second does not follow")
	}
	postgrestest.Restart(t)
	if <-second.led {
		t.Fatal("it leads on, although another may have its place")
	}
	second.await(t, Change{Kind: AnyChanged}) // whatever happened meanwhile
	if !<-second.led {
		t.Fatal("it does not lead again")
	}
}
