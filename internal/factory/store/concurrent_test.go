package store

import (
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// beside is another process's store on the same database.
func beside(t *testing.T, at Location) *Store {
	t.Helper()
	s, err := OpenKeys(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestChecksHoldWhenManyAsk: what is read before a change is still so when it is committed,
// also when several processes change the same database at once.
func TestChecksHoldWhenManyAsk(t *testing.T) {
	s, at := openedAt(t)
	stores := []*Store{s, beside(t, at), beside(t, at)}
	create := func(s *Store, suffix string, limits Limits) error {
		_, err := s.CreateJob(t.Context(), "alice", limits, time.Unix(1000, 0), func(func(string) (File, error)) (Job, error) {
			return Job{Job: mistral.Job{Suffix: &suffix}}, nil
		})
		return err
	}
	for _, test := range []struct {
		reason string
		limits Limits
		suffix func(i int) string
		want   int // how many are created
		other  func(error) bool
	}{
		{"jobs that would make the same model", Limits{}, func(int) string { return "twin" }, 1,
			func(err error) bool { _, ok := errors.AsType[*TwinError](err); return ok }},
		{"a quota of jobs", Limits{UnfinishedJobs: 6}, func(i int) string { return fmt.Sprint(i) }, 5, // with the one above
			func(err error) bool { _, ok := errors.AsType[*QuotaError](err); return ok }},
	} {
		var all sync.WaitGroup
		errs := make([]error, 30)
		for i := range errs {
			all.Go(func() { errs[i] = create(stores[i%len(stores)], test.suffix(i), test.limits) })
		}
		all.Wait()
		created := 0
		for _, err := range errs {
			switch {
			case err == nil:
				created++
			case !test.other(err):
				t.Errorf("%s: %v", test.reason, err)
			}
		}
		if created != test.want {
			t.Errorf("%s: %d were created, want %d", test.reason, created, test.want)
		}
	}
}

// TestUsageIsWhatThereIs: the sums that quotas are checked by are kept by triggers, which each
// database has its own of.
func TestUsageIsWhatThereIs(t *testing.T) {
	s := openedStore(t)
	now := time.Unix(1000, 0)
	visibility, lines := mistral.VisibilityWorkspace, int64(1)
	for i, tenant := range []string{"alice", "alice", "bob"} {
		staged, err := s.blobs.Stage()
		if err != nil {
			t.Fatal(err)
		}
		defer staged.Discard()
		fmt.Fprintf(staged, "file %d", i)
		digest, err := staged.Sync()
		if err != nil {
			t.Fatal(err)
		}
		file := mistral.File{ID: fmt.Sprint(i), Filename: fmt.Sprint(i), Bytes: int64(10 + i), NumLines: &lines, Visibility: &visibility}
		if _, err := s.AddFile(t.Context(), File{Tenant: tenant, Digest: digest, File: file}, staged, Limits{}); err != nil {
			t.Fatal(err)
		}
	}
	jobs := []string{}
	for i := range 4 {
		suffix := fmt.Sprint(i)
		created, err := s.CreateJob(t.Context(), "alice", Limits{}, now, func(find func(string) (File, error)) (Job, error) {
			file, err := find("1")
			return Job{Job: mistral.Job{Suffix: &suffix}, Inputs: []Input{{FileID: file.ID, Filename: file.Filename, Digest: file.Digest, Weight: 0.5}}}, err
		})
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, created.ID)
	}
	err := errors.Join(
		s.write(t.Context(), func(tx *sql.Tx) error {
			return insertModel(t.Context(), tx, Model{ID: "m", Tenant: "alice", JobID: jobs[3], Targets: []mistral.ClassifierTarget{{Name: "ünö"}}})
		}),
		s.UpdateJob(t.Context(), jobs[1], func(j *Job) error { j.Cancel(now); return nil }),
		s.UpdateJob(t.Context(), jobs[2], func(j *Job) error {
			j.claim(1, now)
			j.Validated(&Validation{Targets: []mistral.ClassifierTarget{{Name: "intent", Labels: []string{"ünö", "dos"}}}}, now)
			return nil
		}),
		s.DeleteFile(t.Context(), "alice", "0"),
		s.ExpireJobs(t.Context(), time.Hour, now.Add(time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	differences, err := collect(t.Context(), s.reader, scanString, `
		SELECT tenant FROM usage WHERE file_bytes <> (SELECT coalesce(sum(bytes), 0) FROM files WHERE files.tenant = usage.tenant)
		   OR record_bytes <> (SELECT coalesce(sum(bytes), 0) FROM jobs WHERE jobs.tenant = usage.tenant)
		      + (SELECT coalesce(sum(octet_length(targets)), 0) FROM models WHERE models.tenant = usage.tenant)
		   OR unfinished_jobs <> (SELECT count(*) FROM jobs WHERE jobs.tenant = usage.tenant AND status IN ('QUEUED', 'VALIDATING', 'VALIDATED', 'RUNNING', 'CANCELLATION_REQUESTED'))
		   OR models <> (SELECT count(*) FROM models WHERE models.tenant = usage.tenant)`)
	if err != nil || len(differences) > 0 {
		t.Errorf("the usage of %v is another, %v", differences, err)
	}
	if left, err := s.CountJobs(t.Context()); err != nil || left["QUEUED"] != 2 || left["CANCELLED"] != 1 {
		t.Errorf("jobs left: %v, %v", left, err)
	}
}
