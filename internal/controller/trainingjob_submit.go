package controller

import (
	"cmp"
	"context"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// The server has no idempotency keys, so a creation goes in two phases: the
// attempt is written down, then the job is created with a marker of the attempt
// in its suffix. When it is not known whether the creation came through, the job
// is looked for by that marker. Jobs are created without being started, so that a
// surplus one can be cancelled before it costs anything.
const (
	// creationGrace is how long a creation without an answer may still come
	// through: the call's own time-out, and as long again as a proxy may hold it.
	creationGrace = time.Minute
	// recordTimeout is for writing down what cannot be repeated, longer than any
	// one call and independent of the operator's shutdown.
	recordTimeout = 45 * time.Second
	// pageSize of lists is the protocol's default. A server that sends full pages
	// for ever is not followed beyond maxPages.
	pageSize = 100
	maxPages = 100
)

// recoverPending finds the job of an attempt whose creation was not recorded.
func (r *TrainingJobReconciler) recoverPending(ctx context.Context, scope *jobScope) (outcome, error) {
	if scope.status.Attempt == nil || scope.status.RemoteJob != nil || scope.isOver() {
		return proceed(), nil
	}
	left := scope.status.Attempt.PendingSince.Add(creationGrace).Sub(r.clock.Now())
	if left > 0 && r.searchedFor(scope) {
		return stillSearching(left), nil
	}
	if err := r.connect(ctx, scope); err != nil {
		return outcome{}, err
	}
	jobs, err := findJobs(ctx, scope.connection, scope.suffix())
	if scope.factory.learn(err) != nil {
		return outcome{}, err
	}
	if len(jobs) == 0 {
		if left > 0 {
			r.searchFailed(scope)
			return stillSearching(left), nil
		}
		// The same number gives the same marker, so that even a creation that
		// comes through after all is found.
		return r.createAgain(ctx, scope, scope.status.Attempt.Number)
	}
	return proceed(), r.take(ctx, scope, jobs)
}

func stillSearching(left time.Duration) outcome {
	return wait(left, classifierv1alpha1.ReasonSubmitting, "it is not known whether the factory got the job; looking for it")
}

// take takes the first of the jobs of an attempt for this object's, and cancels the others.
func (r *TrainingJobReconciler) take(ctx context.Context, scope *jobScope, jobs []mistral.Job) error {
	if err := r.cancelUnfinished(ctx, scope, scope.connection, jobs[1:]); err != nil {
		return err
	}
	r.metrics.orphans.WithLabelValues(outcomeAdopted).Inc()
	scope.adopt(&jobs[0])
	return nil
}

// findJobs gives the jobs with a suffix, the best to take first: rather one that was
// started than one that was not, one that was cancelled last, and else the oldest.
// Nothing but the suffix narrows the search, for clocks differ.
func findJobs(ctx context.Context, factory *connection.Pass, suffix string) ([]mistral.Job, error) {
	filter := mistral.JobFilter{Suffix: suffix, PageSize: pageSize}
	var jobs []mistral.Job
	for ; filter.Page < maxPages; filter.Page++ {
		page, err := factory.ListJobs(ctx, filter)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, page.Data...)
		if len(page.Data) < pageSize {
			break
		}
	}
	// A server may ignore the filter, or take it for a part of the suffix. While
	// pages are read jobs may shift from one to the next: the same job is no other one.
	seen := map[string]bool{}
	jobs = slices.DeleteFunc(jobs, func(job mistral.Job) bool {
		again := seen[job.ID]
		seen[job.ID] = true
		return again || job.Suffix == nil || *job.Suffix != suffix
	})
	slices.SortFunc(jobs, func(a, b mistral.Job) int {
		return cmp.Or(cmp.Compare(rank(a.Status), rank(b.Status)), cmp.Compare(a.CreatedAt, b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return jobs, nil
}

func rank(state mistral.JobStatus) int {
	switch {
	case startedStates[state]:
		return 0
	case state == mistral.JobCancelled || state == mistral.JobCancellationRequested:
		return 2
	}
	return 1
}

// submit creates the job, or takes the one that is to be imported.
func (r *TrainingJobReconciler) submit(ctx context.Context, scope *jobScope) (outcome, error) {
	if scope.status.RemoteJob != nil {
		return proceed(), nil
	}
	if err := r.connect(ctx, scope); err != nil {
		return outcome{}, err
	}
	if scope.isImported() {
		return r.importJob(ctx, scope)
	}
	if result, err := r.checkLimits(ctx, scope); err != nil || result.verdict != proceeds {
		return result, err
	}
	return r.create(ctx, scope, 1)
}

// createAgain creates a job of the files that an earlier one was to read.
func (r *TrainingJobReconciler) createAgain(ctx context.Context, scope *jobScope, attempt int32) (result outcome, err error) {
	if scope.pinned, err = r.withCurrentIDs(ctx, scope); err != nil {
		return outcome{}, err
	}
	return r.create(ctx, scope, attempt)
}

func (r *TrainingJobReconciler) create(ctx context.Context, scope *jobScope, attempt int32) (outcome, error) {
	integrations, err := r.integrations(ctx, scope)
	if err != nil {
		return outcome{}, err
	}
	refusal := fingerprint(attempt, scope.object.Generation, scope.requestedAt(), scope.pinned, integrations, scope.connection.ID())
	if err := r.refusals.check(scope.object.UID, refusal); err != nil {
		return outcome{}, scope.factory.learn(err)
	}
	if err := scope.connection.Begin(); err != nil {
		return outcome{}, scope.factory.learn(err)
	}
	if err := addFinalizer(ctx, r.client, scope.object); err != nil {
		return outcome{}, err
	}
	before := scope.status.DeepCopy()
	if err := r.writeAttempt(ctx, scope, attempt); err != nil {
		return outcome{}, err
	}
	err = scope.factory.learn(r.takeOrCreate(ctx, scope, before.Attempt, integrations))
	if scope.status.RemoteJob == nil && isRefusal(err) {
		lost := r.lostFile(ctx, scope, err)
		// Nothing was created, so there is nothing to look for.
		scope.forgetAttempt(before)
		if scope.inputs = cmp.Or(lost, scope.inputs); lost != nil {
			return wait(lostFileRecheck, lost.reason, lost.message), nil
		}
	}
	if r.refusals.learn(scope.object.UID, refusal, err) != nil {
		return outcome{}, err
	}
	return proceed(), nil
}

// isRefusal reports whether a creation certainly did not come through. A
// conflict is none: the twin that the factory speaks of may be our own.
func isRefusal(err error) bool {
	return err != nil && !mistral.OutcomeUnknown(err) && !mistral.IsConflict(err)
}

// writeAttempt writes down that a job is about to be created. The write fails if
// anybody, such as another replica, wrote since the object was read.
func (r *TrainingJobReconciler) writeAttempt(ctx context.Context, scope *jobScope, number int32) error {
	status := scope.status
	if status.Attempt != nil && status.Attempt.Number != number {
		// What the last try's job told is not this one's.
		status.RemoteJob, status.Progress, status.LossHistory, status.Cost = nil, nil, nil, nil
		status.TrainedTokens, status.WeightsAndBiasesURL, status.Score, status.LearningCurves = nil, "", "", nil
		scope.remote = nil
	}
	status.Attempt = &classifierv1alpha1.Attempt{
		Number:       number,
		Marker:       scope.marks.JobMarker(scope.object.UID, number),
		PendingSince: metav1.NewTime(r.clock.Now()),
	}
	status.Inputs = scope.pinned
	scope.setSubmitting(status.Attempt.PendingSince)
	return r.writeStatus(ctx, scope)
}

// forgetAttempt makes the status what it was before an attempt that came to
// nothing. A first one leaves no trace, so that the datasets are looked at anew.
func (s *jobScope) forgetAttempt(before *classifierv1alpha1.ClassifierTrainingJobStatus) {
	first := s.status.Attempt.Number == 1
	before.DeepCopyInto(s.status)
	if first {
		s.status.Attempt, s.status.Inputs = nil, nil
	}
}

// takeOrCreate creates the job of an attempt unless it is there already: the control
// plane may have been restored to a state in which that was not known, or the status
// been reset.
func (r *TrainingJobReconciler) takeOrCreate(ctx context.Context, scope *jobScope, before *classifierv1alpha1.Attempt, integrations []mistral.Integration) error {
	if before != nil && before.Number == scope.status.Attempt.Number {
		return r.createRecorded(ctx, scope, integrations) // it was just looked for
	}
	jobs, err := findJobs(ctx, scope.connection, scope.suffix())
	if err != nil {
		return err
	}
	if len(jobs) == 0 {
		return r.createRecorded(ctx, scope, integrations)
	}
	if startedStates[jobs[0].Status] {
		// It was this object's start, of which nothing is known any more.
		scope.status.Attempt.StartTime = new(metav1.NewTime(r.clock.Now()))
	}
	return r.take(ctx, scope, jobs)
}

// createRecorded creates the job and writes its ID down at once. A shutdown of
// the operator interrupts neither.
func (r *TrainingJobReconciler) createRecorded(ctx context.Context, scope *jobScope, integrations []mistral.Integration) error {
	request, err := scope.createRequest()
	if err != nil {
		return err
	}
	request.Integrations = integrations
	if scope.stale, err = r.compareInputs(ctx, scope.object); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	job, err := scope.connection.CreateJob(ctx, request)
	if err != nil {
		return err
	}
	_ = scope.factory.learn(nil)
	r.keys.set(scope.object.UID, jobKey{none: true}) // a model that is yet to be has no key
	scope.adopt(job)
	scope.setConditions(scope.inHand(), metav1.NewTime(r.clock.Now()))
	return r.writeStatus(ctx, scope)
}

// adopt takes a remote job for this object's.
func (s *jobScope) adopt(job *mistral.Job) {
	s.status.RemoteJob = &classifierv1alpha1.RemoteJob{ID: job.ID}
	s.record(job)
}
