package soak

import (
	"strings"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// lookInterval is many times shorter than the record of a job is kept.
const lookInterval = 10 * time.Second

// trained is which jobs the factory has trained, by the suffix in which each try has a
// marker of its own.
type trained struct {
	started map[string]map[string]bool // IDs by suffix
}

func newTrained() *trained { return &trained{started: map[string]map[string]bool{}} }

// look notes the jobs that the factory shows, before it forgets them.
func (d *trained) look(t *testing.T, s *site) {
	t.Helper()
	for _, namespace := range s.namespaces {
		list, err := s.asking(t, namespace).ListJobs(t.Context(), mistral.JobFilter{PageSize: 100})
		if err != nil {
			t.Error(err)
			return
		}
		for _, job := range list.Data {
			if job.Suffix != nil && (job.Status == mistral.JobRunning || job.Status == mistral.JobSuccess) {
				d.note(*job.Suffix, job.ID)
			}
		}
	}
}

func (d *trained) note(suffix, id string) {
	if d.started[suffix] == nil {
		d.started[suffix] = map[string]bool{}
	}
	d.started[suffix][id] = true
}

// checkTrainedOnce holds that every job that was to be trained was trained once, and no other.
func (s *site) checkTrainedOnce(t *testing.T, everybody *people) {
	t.Helper()
	s.seen.look(t, s)
	wanted := everybody.trainedMarkers()
	for marker, state := range wanted {
		if ids := s.seen.started[marker]; len(ids) != 1 {
			t.Errorf("the job with the marker %s was trained %d times, want once; it was %s", marker, len(ids), state)
		}
	}
	for suffix, ids := range s.seen.started {
		if _, known := wanted[suffix]; !known {
			t.Errorf("nobody wanted the job with the suffix %s to be trained: %s", suffix, strings.Join(keysOf(ids), ", "))
		}
	}
}

func keysOf(set map[string]bool) (all []string) {
	for key := range set {
		all = append(all, key)
	}
	return all
}
