package training

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/storetest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestKeysAreForgotten when their job has ended, by whomever, and not before.
func TestKeysAreForgotten(t *testing.T) {
	stored, blobs := storetest.Open(t)
	q := idleQueue(stored, blobs)
	q.ReportTo(&url.URL{Scheme: "http", Host: "127.0.0.1:1"}) // where nobody is
	now := time.Now()
	jobs := 0
	create := func() string {
		t.Helper()
		jobs++
		suffix := fmt.Sprint(jobs)
		created, err := stored.CreateJob(t.Context(), "alice", store.Limits{}, now, func(func(string) (store.File, error)) (store.Job, error) {
			return store.Job{
				Job: mistral.Job{Suffix: &suffix, Integrations: []mistral.Integration{{Type: "wandb", Project: "p"}}},
				Named: func(id string) {
					q.KeepKeys(id, []mistral.Key{mistral.NewKey("secret")})
					if err := q.ForgetEndedKeys(t.Context()); err != nil { // which does not see the job yet
						t.Error(err)
					}
				},
			}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return created.ID
	}
	validated := func(j *store.Job) error { j.Validated(&store.Validation{}, now); return nil }
	for _, test := range []struct {
		reason string
		end    func(id string) error
		held   bool
	}{
		{"a job that waits", func(string) error { return nil }, true},
		{"one that is cancelled before", func(id string) error { _, err := q.Cancel(t.Context(), "alice", id); return err }, false},
		{"one whose validation failed", func(id string) error {
			_, claimed, err := q.claim(t.Context(), store.Validating)
			if err != nil {
				return err
			}
			q.record(t.Context(), &claimed.job, &store.InvalidDataError{Message: "x"})
			q.reports.settle(t.Context(), "alice", id)
			q.release(claimed)
			return nil
		}, false},
		{"one that nobody starts", func(id string) error {
			return errors.Join(stored.UpdateJob(t.Context(), id, validated), stored.ExpireJobs(t.Context(), time.Hour, now.Add(2*time.Hour)))
		}, false},
	} {
		id := create()
		if len(q.reports.keys[id]) != 1 {
			t.Fatalf("%s: the new job has no key", test.reason)
		}
		if err := errors.Join(test.end(id), q.ForgetEndedKeys(t.Context())); err != nil {
			t.Errorf("%s: %v", test.reason, err)
		}
		if held := q.reports.keys[id] != nil; held != test.held {
			t.Errorf("%s: held %v", test.reason, held)
		}
		if test.held {
			if _, err := q.Cancel(t.Context(), "alice", id); err != nil {
				t.Error(err)
			}
		}
	}
	if printed := fmt.Sprintf("%+v %#v", q.reports.keys, q.reports.keys); strings.Contains(printed, "secret") {
		t.Error("keys are printed")
	}
}

// TestNothingIsKeptWithoutReports: the keys would be of no use.
func TestNothingIsKeptWithoutReports(t *testing.T) {
	stored, blobs := storetest.Open(t)
	q := idleQueue(stored, blobs)
	q.KeepKeys("job", []mistral.Key{mistral.NewKey("secret")})
	if len(q.reports.keys) > 0 {
		t.Error("a key is kept")
	}
}
