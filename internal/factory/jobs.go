package factory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const noSuchJob = "No fine tuning job matches the given query."

// createJob stores a job and queues it for validation. With dry_run it only
// estimates the job.
func (f *Factory) createJob(r *http.Request, tenant string) (any, error) {
	request, err := f.readJobRequest(r)
	if err != nil {
		return nil, err
	}
	ctx := r.Context()
	if request.DryRun {
		return f.estimate(ctx, tenant, request)
	}
	var created job
	err = f.store.write(ctx, func(tx *sql.Tx) error {
		// In the transaction, so that no file is deleted before the job refers to it.
		inputs, err := findInputs(ctx, tx, tenant, request)
		if err != nil {
			return err
		}
		if err := f.config.Limits.checkJobs(ctx, tx, tenant); err != nil {
			return err
		}
		id, err := newJobID(ctx, tx)
		if err != nil {
			return err
		}
		created = newJob(id, tenant, request, inputs, f.now())
		if err := refuseTwin(ctx, tx, &created); err != nil {
			return err
		}
		return insertJob(ctx, tx, &created)
	})
	if err != nil {
		return nil, err
	}
	f.queue.notify()
	return created.Job, nil
}

func (f *Factory) estimate(ctx context.Context, tenant string, request *jobRequest) (any, error) {
	inputs, err := findInputs(ctx, f.store.reader, tenant, request)
	if err != nil {
		return nil, err
	}
	pace, err := readPace(ctx, f.store.reader)
	return dryRun(request.Hyperparameters, inputs, pace), err
}

// refuseTwin keeps a tenant from training the same model twice at a time: mostly,
// that is a script that tries again because it did not see the first answer.
func refuseTwin(ctx context.Context, tx *sql.Tx, created *job) error {
	twin, err := findTwin(ctx, tx, created)
	if errors.Is(err, errNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return &problem{Status: http.StatusConflict, Detail: fmt.Sprintf(
		"The job %s is %s and would make the same model. Wait for it, cancel it, or give this one another suffix.", twin.ID, twin.Status)}
}

func (f *Factory) listJobs(r *http.Request, tenant string) (any, error) {
	q := newQuery(r)
	filter := jobFilter{
		page:          q.page(),
		tenant:        tenant,
		model:         q.values.Get("model"),
		status:        q.values.Get("status"),
		suffix:        q.values.Get("suffix"),
		wandbProject:  q.values.Get("wandb_project"),
		wandbName:     q.values.Get("wandb_name"),
		createdAfter:  q.time("created_after"),
		createdBefore: q.time("created_before"),
	}
	q.boolean("created_by_me", false) // a tenant sees no others' anyway
	if filter.status != "" && !knownStatus(filter.status) {
		q.fail("status", "a job's status")
	}
	if q.problem != nil {
		return nil, q.problem
	}
	jobs, total, err := f.store.jobs(r.Context(), filter)
	return mistral.JobList{Object: mistral.ObjectList, Data: jobs, Total: total}, err
}

func knownStatus(status string) bool {
	switch mistral.JobStatus(status) {
	case mistral.JobQueued, mistral.JobStarted, mistral.JobValidating, mistral.JobValidated, mistral.JobRunning,
		mistral.JobFailedValidation, mistral.JobFailed, mistral.JobSuccess, mistral.JobCancelled, mistral.JobCancellationRequested:
		return true
	}
	return false
}

func (f *Factory) getJob(r *http.Request, tenant string) (any, error) {
	found, err := f.store.detailedJob(r.Context(), tenant, r.PathValue("job_id"))
	return found, notFoundAs(err, noSuchJob)
}

func (f *Factory) startJob(r *http.Request, tenant string) (any, error) {
	err := f.store.updateJob(r.Context(), r.PathValue("job_id"), func(j *job) error {
		if j.tenant != tenant {
			return errNotFound
		}
		return j.start(f.now())
	})
	var state *stateError
	switch {
	case errors.As(err, &state):
		return nil, &problem{Status: http.StatusConflict, Detail: state.Error()}
	case err != nil:
		return nil, notFoundAs(err, noSuchJob)
	}
	f.queue.notify()
	return f.getJob(r, tenant)
}

// cancelJob answers with a finished job as it is.
func (f *Factory) cancelJob(r *http.Request, tenant string) (any, error) {
	if err := f.queue.cancel(r.Context(), tenant, r.PathValue("job_id")); err != nil {
		return nil, notFoundAs(err, noSuchJob)
	}
	return f.getJob(r, tenant)
}

// modelID names the model that a job makes: it ends with a part of the job's ID.
func modelID(j *job) string {
	suffix := ""
	if j.Suffix != nil && *j.Suffix != "" {
		suffix = *j.Suffix + ":"
	}
	return fmt.Sprintf("%s%s:%s:%s:%s%s", mistral.ClassifierModelPrefix,
		j.Model, workspaceID(j.tenant)[:8], time.Unix(j.CreatedAt, 0).UTC().Format("20060102"), suffix, j.ID[:idInModelID])
}
