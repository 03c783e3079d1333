package controller

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	// missingGrace is how long a factory may not know a job before that is believed:
	// one that was restored from a backup, or a replica that lags, finds it again.
	missingGrace = time.Minute

	// Names of the metrics in status.progress.
	metricTrainLoss      = "train_loss"
	metricValidationLoss = "validation_loss"
)

// observe takes in what the factory says of the job. It makes no call: the
// connection's poller asks for all jobs together, and wakes the object up.
func (r *TrainingJobReconciler) observe(ctx context.Context, scope *jobScope) (outcome, error) {
	name := client.ObjectKeyFromObject(scope.object)
	if scope.isFinished() {
		return scope.asFinishedBefore(), nil
	}
	if err := r.connect(ctx, scope); err != nil {
		return outcome{}, err
	}
	id := scope.status.RemoteJob.ID
	changed := r.watch(name, watchedJob{connection: scope.connection, id: id})
	job, err := scope.connection.WatchJob(id, name, changed)
	switch {
	case mistral.IsNotFound(err):
		return r.missing(scope), nil
	case err != nil:
		return outcome{}, scope.factory.learn(err)
	case job == nil:
		return scope.inHand(), nil
	}
	_ = scope.factory.learn(nil)
	scope.observe(job, metav1.NewTime(r.clock.Now()))
	return scope.afterObserving(), nil
}

// missing waits for a job to be found again, and then gives it up. It is never
// created again in silence: somebody deleted it, and somebody may have paid for it.
func (r *TrainingJobReconciler) missing(scope *jobScope) outcome {
	_ = scope.factory.learn(nil)
	scope.remoteMissing = true
	const message = "the factory does not know the job; delete this object and create another one"
	submitted := meta.FindStatusCondition(scope.status.Conditions, classifierv1alpha1.ConditionSubmitted)
	if submitted == nil || submitted.Reason != classifierv1alpha1.ReasonRemoteJobMissing {
		return wait(missingGrace, classifierv1alpha1.ReasonRemoteJobMissing, message)
	}
	if left := submitted.LastTransitionTime.Add(missingGrace).Sub(r.clock.Now()); left > 0 {
		return wait(left, classifierv1alpha1.ReasonRemoteJobMissing, message)
	}
	scope.fail(classifierv1alpha1.ReasonRemoteJobMissing, message, metav1.NewTime(r.clock.Now()))
	return stop(classifierv1alpha1.ReasonRemoteJobMissing, message)
}

// observe takes a job's details into the status.
func (s *jobScope) observe(job *mistral.DetailedJob, now metav1.Time) {
	s.remote = job
	s.record(&job.Job)
	s.recordProgress(job)
	s.status.Cost = fitCost(job.Metadata)
	if !s.isStarted() && startedStates[job.Status] {
		// The start came through, but writing that down did not.
		s.status.StartTime = &now
	}
	if job.Status.Finished() && s.status.CompletionTime == nil {
		s.status.CompletionTime = &now
	}
	s.status.Model = fitModel(job)
	s.status.TrainedTokens = fitCount(job.TrainedTokens)
}

// startedStates are those that only a started job has. QUEUED is not among them:
// a job is queued before its validation and again after its start.
var startedStates = map[mistral.JobStatus]bool{
	mistral.JobStarted: true,
	mistral.JobRunning: true,
	mistral.JobSuccess: true,
	mistral.JobFailed:  true,
}

// record takes in what every answer about a job has.
func (s *jobScope) record(job *mistral.Job) {
	remote := s.status.RemoteJob
	remote.State = fitState(job.Status)
	remote.CreatedAt = unixTime(job.CreatedAt)
	remote.ModifiedAt = unixTime(job.ModifiedAt)
}

func (s *jobScope) recordProgress(job *mistral.DetailedJob) {
	if len(job.Checkpoints) == 0 {
		return
	}
	checkpoints := slices.Clone(job.Checkpoints)
	slices.SortFunc(checkpoints, func(a, b mistral.Checkpoint) int { return cmp.Compare(a.StepNumber, b.StepNumber) })
	last := checkpoints[len(checkpoints)-1]
	progress := &classifierv1alpha1.TrainingProgress{Step: max(last.StepNumber, 0)}
	if total := job.Hyperparameters.TrainingSteps; total != nil && *total > 0 {
		progress.TotalSteps = total
		progress.Percent = int32(100 * min(float64(progress.Step)/float64(*total), 1))
	}
	if job.Status == mistral.JobSuccess {
		progress.Percent = 100
	}
	history := lossHistory(checkpoints)
	progress.Metrics = lastLosses(history)
	s.status.Progress, s.status.LossHistory = progress, history
}

// lastLosses are the last known of each loss.
func lastLosses(history []classifierv1alpha1.LossPoint) []classifierv1alpha1.Metric {
	var train, validation classifierv1alpha1.Decimal
	for _, point := range history {
		train = cmp.Or(point.Train, train)
		validation = cmp.Or(point.Validation, validation)
	}
	var metrics []classifierv1alpha1.Metric
	if train != "" {
		metrics = append(metrics, classifierv1alpha1.Metric{Name: metricTrainLoss, Value: string(train)})
	}
	if validation != "" {
		metrics = append(metrics, classifierv1alpha1.Metric{Name: metricValidationLoss, Value: string(validation)})
	}
	return metrics
}

// afterObserving says how the pass goes on with the job in its state.
func (s *jobScope) afterObserving() outcome {
	switch s.state() {
	case mistral.JobSuccess:
		if s.status.Model == nil {
			return wait(0, classifierv1alpha1.ReasonTraining, "the factory ended the training but names no model yet")
		}
		return proceed()
	case mistral.JobFailed:
		return s.stopFailed(classifierv1alpha1.ReasonTrainingFailed, "the training broke off")
	case mistral.JobFailedValidation:
		return s.stopFailed(classifierv1alpha1.ReasonValidationFailed, "the factory found the data or the parameters unfit")
	case mistral.JobCancelled:
		return s.stopFailed(classifierv1alpha1.ReasonCancelled, "the job was cancelled at the factory")
	case mistral.JobValidated:
		return proceed()
	}
	return s.inHand()
}

// inHand waits for the factory; the poller tells of changes.
func (s *jobScope) inHand() outcome {
	if s.isStarted() {
		message := "the factory has the job in hand"
		if isTrue(s.object.Spec.Suspend) {
			message += "; spec.suspend has no effect on a job that was started"
		}
		return wait(0, classifierv1alpha1.ReasonTraining, message)
	}
	return wait(0, classifierv1alpha1.ReasonAwaitingValidation, "the factory is looking at the data")
}

func (s *jobScope) stopFailed(reason, message string) outcome {
	message = fmt.Sprintf("%s (%s)", message, s.state())
	s.fail(reason, message, *s.status.CompletionTime)
	return stop(reason, message)
}

// fail notes how the attempt ended.
func (s *jobScope) fail(reason, message string, now metav1.Time) {
	s.status.CompletionTime = &now
	s.status.Failures = []classifierv1alpha1.AttemptFailure{{
		Attempt: s.status.Attempt.Number,
		Reason:  reason,
		Message: message,
		Time:    now,
	}}
}

// asFinishedBefore repeats the verdict that the status has.
func (s *jobScope) asFinishedBefore() outcome {
	if failed := meta.FindStatusCondition(s.status.Conditions, classifierv1alpha1.ConditionFailed); failed != nil && failed.Status == metav1.ConditionTrue {
		return stop(failed.Reason, failed.Message)
	}
	return proceed()
}
