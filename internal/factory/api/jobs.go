package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const noSuchJob = "No fine tuning job matches the given query."

// createJob stores a job and queues it for validation. With dry_run it only
// estimates the job.
func (s *Server) createJob(r *http.Request, tenant string) (any, error) {
	request, err := s.readJobRequest(r)
	if err != nil {
		return nil, err
	}
	ctx := r.Context()
	if request.DryRun {
		return s.estimate(ctx, tenant, request)
	}
	var id string
	created, err := s.store.CreateJob(ctx, tenant, s.config.Limits, s.now(), func(find fileFinder) (store.Job, error) {
		inputs, err := findInputs(find, request)
		requested := newJob(request, inputs, s.queue.Reports())
		requested.Named = func(given string) {
			id = given
			s.queue.KeepKeys(id, integrationKeys(request.Integrations))
		}
		return requested, err
	})
	if err != nil {
		s.queue.ForgetKeys(id)
		return nil, refusedJob(err)
	}
	s.queue.Notify()
	return created.Job, nil
}

func (s *Server) estimate(ctx context.Context, tenant string, request *jobRequest) (any, error) {
	inputs, err := findInputs(func(id string) (store.File, error) { return s.store.File(ctx, tenant, id) }, request)
	if err != nil {
		return nil, err
	}
	if err := s.config.Limits.CheckInputs(inputs); err != nil {
		return nil, overQuota(err)
	}
	return s.queue.DryRun(ctx, request.Hyperparameters, request.ClassifierTargets, inputs)
}

// refusedJob explains why the store does not take a job.
func refusedJob(err error) error {
	if twin, ok := errors.AsType[*store.TwinError](err); ok {
		return &problem{Status: http.StatusConflict, Detail: fmt.Sprintf(
			"The job %s is %s and would make the same model. Wait for it, cancel it, or give this one another suffix.", twin.ID, twin.Status)}
	}
	return overQuota(err)
}

func (s *Server) listJobs(r *http.Request, tenant string) (any, error) {
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
	jobs, total, err := s.store.Jobs(r.Context(), filter)
	return newList(s, r, mistral.JobList{Object: mistral.ObjectList, Total: total}, jobs), err
}

func knownStatus(status string) bool {
	switch mistral.JobStatus(status) {
	case mistral.JobQueued, mistral.JobStarted, mistral.JobValidating, mistral.JobValidated, mistral.JobRunning,
		mistral.JobFailedValidation, mistral.JobFailed, mistral.JobSuccess, mistral.JobCancelled, mistral.JobCancellationRequested:
		return true
	}
	return false
}

func (s *Server) getJob(r *http.Request, tenant string) (any, error) {
	found, err := s.store.DetailedJob(r.Context(), tenant, r.PathValue("job_id"))
	return found, notFoundAs(err, noSuchJob)
}

func (s *Server) startJob(r *http.Request, tenant string) (any, error) {
	started, err := s.store.UpdateJobOf(r.Context(), tenant, r.PathValue("job_id"), func(j *store.Job) error { return j.Start(s.now()) })
	var state *store.StateError
	switch {
	case errors.As(err, &state):
		return nil, &problem{Status: http.StatusConflict, Detail: state.Error()}
	case err != nil:
		return nil, notFoundAs(err, noSuchJob)
	}
	s.queue.Notify()
	return started, nil
}

// cancelJob answers with a finished job as it is.
func (s *Server) cancelJob(r *http.Request, tenant string) (any, error) {
	cancelled, err := s.queue.Cancel(r.Context(), tenant, r.PathValue("job_id"))
	return cancelled, notFoundAs(err, noSuchJob)
}
