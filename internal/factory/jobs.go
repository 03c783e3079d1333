package factory

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/factory/training"
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
	created, err := f.store.CreateJob(ctx, tenant, f.config.Limits, f.now(), func(find fileFinder) (store.Job, error) {
		inputs, err := findInputs(find, request)
		return newJob(request, inputs), err
	})
	if err != nil {
		return nil, refusedJob(err)
	}
	f.queue.Notify()
	return created.Job, nil
}

func (f *Factory) estimate(ctx context.Context, tenant string, request *jobRequest) (any, error) {
	inputs, err := findInputs(func(id string) (store.File, error) { return f.store.File(ctx, tenant, id) }, request)
	if err != nil {
		return nil, err
	}
	pace, err := f.store.Pace(ctx)
	return training.DryRun(request.Hyperparameters, inputs, pace), err
}

// refusedJob explains why the store does not take a job.
func refusedJob(err error) error {
	if twin, ok := errors.AsType[*store.TwinError](err); ok {
		return &problem{Status: http.StatusConflict, Detail: fmt.Sprintf(
			"The job %s is %s and would make the same model. Wait for it, cancel it, or give this one another suffix.", twin.ID, twin.Status)}
	}
	return overQuota(err)
}

func (f *Factory) listJobs(r *http.Request, tenant string) (any, error) {
	q := newQuery(r)
	filter := store.JobFilter{
		Page:          q.page(),
		Tenant:        tenant,
		Model:         q.values.Get("model"),
		Status:        q.values.Get("status"),
		Suffix:        q.values.Get("suffix"),
		WandbProject:  q.values.Get("wandb_project"),
		WandbName:     q.values.Get("wandb_name"),
		CreatedAfter:  q.time("created_after"),
		CreatedBefore: q.time("created_before"),
	}
	q.boolean("created_by_me", false) // a tenant sees no others' anyway
	if filter.Status != "" && !knownStatus(filter.Status) {
		q.fail("status", "a job's status")
	}
	if q.problem != nil {
		return nil, q.problem
	}
	jobs, total, err := f.store.Jobs(r.Context(), filter)
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
	found, err := f.store.DetailedJob(r.Context(), tenant, r.PathValue("job_id"))
	return found, notFoundAs(err, noSuchJob)
}

func (f *Factory) startJob(r *http.Request, tenant string) (any, error) {
	err := f.store.UpdateJob(r.Context(), r.PathValue("job_id"), func(j *store.Job) error {
		if j.Tenant != tenant {
			return store.ErrNotFound
		}
		return j.Start(f.now())
	})
	var state *store.StateError
	switch {
	case errors.As(err, &state):
		return nil, &problem{Status: http.StatusConflict, Detail: state.Error()}
	case err != nil:
		return nil, notFoundAs(err, noSuchJob)
	}
	f.queue.Notify()
	return f.getJob(r, tenant)
}

// cancelJob answers with a finished job as it is.
func (f *Factory) cancelJob(r *http.Request, tenant string) (any, error) {
	if err := f.queue.Cancel(r.Context(), tenant, r.PathValue("job_id")); err != nil {
		return nil, notFoundAs(err, noSuchJob)
	}
	return f.getJob(r, tenant)
}
