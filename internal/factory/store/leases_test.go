package store

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// add queues a job for a stage.
func (s *Store) add(t testing.TB, tenant, suffix string, stage Stage) Job {
	t.Helper()
	created, err := s.CreateJob(t.Context(), tenant, Limits{}, time.Unix(1000, 0), func(func(string) (File, error)) (Job, error) {
		return Job{Job: mistral.Job{Suffix: &suffix, Model: "engine", Metadata: &mistral.JobMetadata{}}}, nil
	})
	if err == nil && stage == Training {
		err = s.UpdateJob(t.Context(), created.ID, func(j *Job) error { j.Started = true; return nil })
	}
	if err != nil {
		t.Fatal(err)
	}
	return created
}

// takeBackExpired is what the leader does, and with SQLite the next process.
func (s *Store) takeBackExpired(t *testing.T) error {
	t.Helper()
	if s.dialect.isAlone {
		return s.TakeBackJobs(t.Context(), "", time.Unix(2000, 0))
	}
	return s.ExpireLeases(t.Context(), time.Unix(2000, 0))
}

// expire has every lease be as if its holder had been silent.
func (s *Store) expire(t *testing.T) {
	t.Helper()
	if _, err := s.writer.ExecContext(t.Context(), `UPDATE leases SET expires_at = 0`); err != nil {
		t.Fatal(err)
	}
}

// TestWhoHasLostHisLeaseIsRefused in all that he still says of the job, whoever has it by then.
func TestWhoHasLostHisLeaseIsRefused(t *testing.T) {
	now := time.Unix(2000, 0)
	checkpoint := []mistral.Checkpoint{{StepNumber: 1, CreatedAt: now.Unix()}}
	for _, test := range []struct {
		reason string
		then   func(s *Store, j Job) error // after the job was taken back
		status mistral.JobStatus
	}{
		{"nobody has it", func(*Store, Job) error { return nil }, mistral.JobQueued},
		{"another has it", func(s *Store, _ Job) error {
			_, err := s.ClaimJob(t.Context(), Training, Holder{ID: "second", Lease: time.Minute}, now)
			return err
		}, mistral.JobRunning},
		{"the same has it again", func(s *Store, _ Job) error {
			_, err := s.ClaimJob(t.Context(), Training, Holder{ID: "first", Lease: time.Minute}, now)
			return err
		}, mistral.JobRunning},
		{"another has ended it", func(s *Store, _ Job) error {
			j, err := s.ClaimJob(t.Context(), Training, Holder{ID: "second", Lease: time.Minute}, now)
			if err != nil {
				return err
			}
			return s.UpdateHeldJob(t.Context(), j.Lease(), func(j *Job) error { j.End(&InvalidDataError{}, now); return nil })
		}, mistral.JobFailedValidation},
		{"it was cancelled meanwhile", func(s *Store, j Job) error {
			return s.UpdateJob(t.Context(), j.ID, func(j *Job) error { j.Cancel(now); return nil })
		}, mistral.JobCancelled},
	} {
		t.Run(test.reason, func(t *testing.T) {
			s := openedStore(t)
			s.add(t, "alice", "one", Training)
			held, err := s.ClaimJob(t.Context(), Training, Holder{ID: "first", Lease: time.Minute}, now)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.AddCheckpoints(t.Context(), held.Lease(), checkpoint); err != nil {
				t.Errorf("before, it was refused: %v", err)
			}
			s.expire(t)
			if err := errors.Join(s.takeBackExpired(t), test.then(s, held)); err != nil {
				t.Fatal(err)
			}
			before, err := s.DetailedJob(t.Context(), "alice", held.ID)
			if err != nil {
				t.Fatal(err)
			}
			staged, err := s.blobs.Stage()
			if err != nil {
				t.Fatal(err)
			}
			defer staged.Discard()
			digest, err := staged.Sync()
			if err != nil {
				t.Fatal(err)
			}
			for what, err := range map[string]error{
				"a checkpoint":  s.AddCheckpoints(t.Context(), held.Lease(), checkpoint),
				"a step":        s.DeleteCheckpoints(t.Context(), held.Lease(), 0),
				"an event":      s.UpdateHeldJob(t.Context(), held.Lease(), func(j *Job) error { j.Resumed(1, now); return nil }),
				"a failure":     s.UpdateHeldJob(t.Context(), held.Lease(), func(j *Job) error { j.End(errors.New("no"), now); return nil }),
				"a model":       s.KeepModel(t.Context(), held.Lease(), staged, digest, nil, now),
				"a late report": s.UpdateHeldJob(t.Context(), held.Lease(), func(j *Job) error { j.SetRunURL(0, "x", now); return nil }),
			} {
				if !errors.Is(err, ErrLeaseLost) {
					t.Errorf("%s: %v", what, err)
				}
			}
			after, err := s.DetailedJob(t.Context(), "alice", held.ID)
			if err != nil || after.Status != test.status || len(after.Events) != len(before.Events) || len(after.Checkpoints) != 1 {
				t.Errorf("the job is %s with %d events and %d checkpoints, %v", after.Status, len(after.Events), len(after.Checkpoints), err)
			}
			if left, err := s.blobs.Digests(); err != nil || len(left) > 0 {
				t.Errorf("bytes %v are left, %v", left, err)
			}
			if renewed, err := s.RenewLeases(t.Context(), Holder{ID: "first", Lease: time.Minute}); err != nil || renewed[held.lease] != "" {
				t.Errorf("the lease is renewed: %v, %v", renewed, err)
			}
		})
	}
}

// TestWhoseJobsAreTakenBack: with SQLite those of the process before, with PostgreSQL those of
// holders that are silent or known to be gone, and no others.
func TestWhoseJobsAreTakenBack(t *testing.T) {
	now := time.Unix(2000, 0)
	s := openAt(t, Location{Directory: t.TempDir(), DatabaseURL: postgrestest.URL(t)})
	claimed := map[string]Job{}
	for _, holder := range []string{"gone/1", "gone/2", "silent", "alive"} {
		s.add(t, holder, "one", Training)
		j, err := s.ClaimJob(t.Context(), Training, Holder{ID: holder, Lease: time.Minute}, now)
		if err != nil {
			t.Fatal(err)
		}
		claimed[holder] = j
	}
	if _, err := s.writer.ExecContext(t.Context(), `UPDATE leases SET expires_at = 0 WHERE holder = 'silent'`); err != nil {
		t.Fatal(err)
	}
	statuses := func() (held []string) {
		t.Helper()
		for holder, j := range claimed {
			if found, err := s.Job(t.Context(), j.Tenant, j.ID); err != nil {
				t.Fatal(err)
			} else if found.Status == mistral.JobRunning {
				held = append(held, holder)
			}
		}
		slices.Sort(held)
		return held
	}
	for _, test := range []struct {
		reason   string
		takeBack func() error
		want     []string
	}{
		{"nobody, when the first of all starts", func() error { return s.TakeBackJobs(t.Context(), "", now) }, []string{"alive", "gone/1", "gone/2", "silent"}},
		{"who is gone", func() error { return s.TakeBackJobs(t.Context(), "gone/", now) }, []string{"alive", "silent"}},
		{"who is silent", func() error { return s.ExpireLeases(t.Context(), now) }, []string{"alive"}},
	} {
		if err := test.takeBack(); err != nil {
			t.Fatal(err)
		}
		if held := statuses(); !slices.Equal(held, test.want) {
			t.Errorf("%s: %v have their jobs, want %v", test.reason, held, test.want)
		}
	}
}

// TestOneHasAJob: of many who claim at once each gets another job, and all jobs are given, turn by
// turn, while jobs are cancelled and leases taken back.
func TestOneHasAJob(t *testing.T) {
	const tenants, each, workers = 5, 12, 8
	s := openedStore(t)
	for i := range tenants * each {
		s.add(t, fmt.Sprint("tenant", i%tenants), fmt.Sprint(i), Training)
	}
	var mutex sync.Mutex
	given := map[string]int{}
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			for {
				j, err := s.ClaimJob(t.Context(), Training, Holder{ID: fmt.Sprint(worker), Lease: time.Minute}, time.Now())
				if errors.Is(err, ErrNotFound) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mutex.Lock()
				given[j.ID]++
				mutex.Unlock()
				if err := s.UpdateHeldJob(t.Context(), j.Lease(), func(j *Job) error { j.End(&InvalidDataError{}, time.Now()); return nil }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if len(given) != tenants*each {
		t.Errorf("%d jobs of %d were given", len(given), tenants*each)
	}
	for id, times := range given {
		if times != 1 {
			t.Errorf("the job %s was given %d times", id, times)
		}
	}
	left, err := collect(t.Context(), s.reader, scanString, `SELECT holder FROM leases`)
	if err != nil || len(left) > 0 {
		t.Errorf("leases of %v are left, %v", left, err)
	}
}

// TestCancelAndClaimDoNotOverwriteEachOther, although a claim waits for no other change.
func TestCancelAndClaimDoNotOverwriteEachOther(t *testing.T) {
	s := openedStore(t)
	for i := range 40 {
		job := s.add(t, "alice", fmt.Sprint(i), Training)
		var claimed Job
		var errClaim, errCancel error
		var both sync.WaitGroup
		both.Go(func() {
			claimed, errClaim = s.ClaimJob(t.Context(), Training, Holder{ID: "w", Lease: time.Minute}, time.Now())
		})
		both.Go(func() {
			errCancel = s.UpdateJobOf(t.Context(), "alice", job.ID, func(j *Job) error { j.Cancel(time.Now()); return nil })
		})
		both.Wait()
		found, err := s.Job(t.Context(), "alice", job.ID)
		if err = errors.Join(err, errCancel); err != nil {
			t.Fatal(err)
		}
		switch {
		case errors.Is(errClaim, ErrNotFound) && found.Status == mistral.JobCancelled:
		case errClaim == nil && found.Status == mistral.JobCancellationRequested && claimed.lease == found.lease:
		default:
			t.Fatalf("claimed with %v, the job is %s", errClaim, found.Status)
		}
	}
}

// TestWhoIsStoppedInAChange holds up the others for a moment only, and his change is not made.
func TestWhoIsStoppedInAChange(t *testing.T) {
	at := Location{Directory: t.TempDir(), DatabaseURL: postgrestest.URL(t)}
	stopped, other := openAt(t, at), openAt(t, at)
	key := func(s *Store, name string) error {
		return s.write(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), `INSERT INTO settings VALUES ($1, '')`, name)
			return err
		})
	}
	made := make(chan error)
	err := stopped.write(t.Context(), func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(t.Context(), `INSERT INTO settings VALUES ('stopped', '')`); err != nil {
			return err
		}
		go func() { made <- key(other, "other") }()
		return <-made // as if it were stopped until then
	})
	if !IsUnavailable(err) {
		t.Errorf("who was stopped: %v", err)
	}
	names, err := collect(t.Context(), other.reader, scanString, `SELECT name FROM settings`)
	if err != nil || !slices.Equal(names, []string{"other"}) {
		t.Errorf("settings %v, %v", names, err)
	}
	if err := key(stopped, "again"); err != nil {
		t.Error(err)
	}
}

// TestWorkersTakeWhatTheyHaveBaseModelsFor, and leave the rest to others.
func TestWorkersTakeWhatTheyHaveBaseModelsFor(t *testing.T) {
	s := openedStore(t)
	s.add(t, "alice", "one", Training)
	by := Holder{ID: "w", Lease: time.Minute, Models: []string{"words"}}
	if j, err := s.ClaimJob(t.Context(), Training, by, time.Now()); !errors.Is(err, ErrNotFound) {
		t.Errorf("claimed %v, %v", j.Model, err)
	}
	by.Models = append(by.Models, "engine")
	if _, err := s.ClaimJob(t.Context(), Training, by, time.Now()); err != nil {
		t.Error(err)
	}
}

// TestTurnsLastLongerThanProcesses: who begins anew, or joins, does not begin with the tenant who
// was served last.
func TestTurnsLastLongerThanProcesses(t *testing.T) {
	s := openedStore(t)
	for i, tenant := range []string{"alice", "alice", "alice", "bob", "bob"} {
		s.add(t, tenant, fmt.Sprint(i), Training)
	}
	var served []string
	for i := range 5 {
		j, err := s.ClaimJob(t.Context(), Training, Holder{ID: fmt.Sprint(i), Lease: time.Minute}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		served = append(served, j.Tenant)
	}
	if want := []string{"alice", "bob", "alice", "bob", "alice"}; !slices.Equal(served, want) {
		t.Errorf("served %v, want %v", served, want)
	}
}
