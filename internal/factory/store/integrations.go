package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// FailIntegration records once why the rest of a job's training is not reported, and says
// so in an event.
func (j *Job) FailIntegration(index int, code, reason string, now time.Time) {
	if index >= len(j.Integrations) || j.Integrations[index].Error != nil {
		return
	}
	j.Integrations[index].Error = &reason
	data, _ := json.Marshal(mistral.IntegrationFailure{Integration: index, Code: code, Error: reason}) // strings and a number
	j.newEvents = append(j.newEvents, mistral.Event{Name: mistral.EventIntegrationFailed, Data: data, CreatedAt: now.Unix()})
	j.touch(now)
}

// SetRunURL records where a job's training is reported to.
func (j *Job) SetRunURL(index int, address string, now time.Time) {
	if index < len(j.Integrations) {
		j.Integrations[index].URL = &address
		j.touch(now)
	}
}

// JobEnded reports whether a job, of any tenant, is finished. One that is being created
// is not there yet.
func (s *Store) JobEnded(ctx context.Context, id string) (bool, error) {
	status, err := one(ctx, s.reader, scanString, `SELECT status FROM jobs WHERE id = $1`, id)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return mistral.JobStatus(status).Finished(), err
}

// touch tells who lists jobs that this one has changed. A finished job's time is that of
// its end, from which it expires.
func (j *Job) touch(now time.Time) {
	if !j.Status.Finished() {
		j.ModifiedAt = now.Unix()
	}
}
