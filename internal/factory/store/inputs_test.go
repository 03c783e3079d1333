package store

import (
	"errors"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestFileDeletedWhileItsJobIsMade: a job never refers to bytes that are gone.
func TestFileDeletedWhileItsJobIsMade(t *testing.T) {
	s := openedStore(t)
	staged, err := s.blobs.Stage()
	if err != nil {
		t.Fatal(err)
	}
	defer staged.Discard()
	digest, err := staged.Sync()
	if err != nil {
		t.Fatal(err)
	}
	lines, visibility := int64(0), mistral.VisibilityWorkspace
	_, err = s.AddFile(t.Context(), File{Tenant: "alice", Digest: digest, File: mistral.File{ID: "file", NumLines: &lines, Visibility: &visibility}}, staged, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.CreateJob(t.Context(), "alice", Limits{}, time.Now(), func(find func(string) (File, error)) (Job, error) {
		file, err := find("file")
		if err != nil {
			return Job{}, err
		}
		if err := s.DeleteFile(t.Context(), "alice", "file"); err != nil {
			t.Error(err)
		}
		return Job{Inputs: []Input{{FileID: file.ID, Digest: file.Digest, Weight: 1}}}, nil
	})
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("CreateJob() = %v, want that there is no such file", err)
	}
	if needed, err := collect(t.Context(), s.reader, scanString, `SELECT digest FROM needed`); err != nil || len(needed) != 0 {
		t.Errorf("%d blobs are still needed, %v", len(needed), err)
	}
}

// TestNeedEndsWithTheLastJob, also when a job has the same bytes under two names.
func TestNeedEndsWithTheLastJob(t *testing.T) {
	s := openedStore(t)
	var jobs []string
	for _, suffix := range []string{"a", "b"} {
		created, err := s.CreateJob(t.Context(), "alice", Limits{}, time.Now(), func(func(string) (File, error)) (Job, error) {
			return Job{Job: mistral.Job{Suffix: &suffix}, Inputs: []Input{{FileID: "1", Digest: "d"}, {FileID: "2", Digest: "d"}, {FileID: "3", Digest: suffix}}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, created.ID)
	}
	for i, want := range []int{2, 0} { // d and b; nothing
		for range 2 { // a second time changes nothing
			if err := s.UpdateJob(t.Context(), jobs[i], func(j *Job) error { j.Cancel(time.Now()); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		needed, err := collect(t.Context(), s.reader, scanString, `SELECT digest FROM needed`)
		if err != nil || len(needed) != want {
			t.Errorf("when %d jobs have ended, %v are needed, %v", i+1, needed, err)
		}
	}
}
