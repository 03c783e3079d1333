package controller

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/evaluation"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	// maxEstimatedSeconds, ten years, is more than any estimate is good for.
	maxEstimatedSeconds = 315360000

	// Names of the metrics in status.progress, besides a target's name with one of
	// scikit-learn's, of which one makes the score.
	metricTrainLoss      = "train_loss"
	metricValidationLoss = "validation_loss"
	metricMacroF1        = "f1_macro"
	// maxMetrics is what the API allows.
	maxMetrics          = 64
	maxLearningCurves   = 16
	maxMetricNameLength = 192
)

// observe takes in what the factory says of the job. It makes no call: the
// connection's poller asks for all jobs together, and wakes the object up.
func (r *TrainingJobReconciler) observe(ctx context.Context, scope *jobScope) (outcome, error) {
	name := client.ObjectKeyFromObject(scope.object)
	if scope.isOver() {
		return proceed(), nil
	}
	if err := r.connect(ctx, scope); err != nil {
		return outcome{}, err
	}
	if scope.isLost(r.clock.Now()) {
		if r.lookForLost(ctx, scope); scope.remoteMissing {
			return proceed().looksAgain(r.looks.untilNext(scope)), nil // a deadline may end it yet
		}
	}
	id := scope.status.RemoteJob.ID
	changed := r.watch(name, watchedJob{connection: scope.connection.Connection, id: id})
	job, err := scope.connection.WatchJob(id, whoOf(name), changed)
	switch {
	case mistral.IsNotFound(err) && scope.remote == nil && scope.failureOf(scope.attemptNumber()) == nil:
		scope.missing()
	case mistral.IsNotFound(err):
		// It was found again just now, or is only waited for until the next try.
	case err != nil:
		return pollerFailed(scope.factory.learn(err)), nil
	case job != nil:
		_ = scope.factory.learn(nil)
		scope.observe(job, metav1.NewTime(r.clock.Now()))
	case scope.remote == nil && !scope.missingSince().IsZero():
		scope.remoteMissing = true // until it is seen again
	}
	return proceed(), nil
}

// pollerFailed waits for the poller, which tells when the factory is back. Until it
// looks again its error stays the same, also when the pause that it speaks of is over.
func pollerFailed(err error) outcome {
	result := failed(err)
	if result.err != nil {
		result.after = 0 // but the queue's back-off
	}
	return result
}

// observe takes a job's details into the status.
func (s *jobScope) observe(job *mistral.DetailedJob, now metav1.Time) {
	s.remote = job
	s.record(&job.Job)
	s.recordProgress(job)
	// What an answer leaves out is not taken back.
	s.status.Cost = cmp.Or(fitCost(job.Metadata), s.status.Cost)
	if attempt := s.status.Attempt; attempt != nil && attempt.StartTime == nil && startedStates[job.Status] {
		s.startedUnasked = true
		attempt.StartTime = &now
	}
	if s.isStarted() && s.status.StartTime == nil {
		s.status.StartTime = &now
	}
	s.status.Model = fitModel(job)
	s.status.Score = cmp.Or(score(job.Evaluation), s.status.Score)
	if curves := learningCurves(job.Evaluation); curves != nil {
		s.status.LearningCurves = curves
	}
	s.status.TrainedTokens = cmp.Or(fitCount(job.TrainedTokens), s.status.TrainedTokens)
	s.status.WeightsAndBiasesURL = cmp.Or(fitRunURL(job.Integrations), s.status.WeightsAndBiasesURL)
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

// recordProgress takes in how far the training is. It never goes back: an answer
// with less is an older one, of a replica that lags, or left something out.
func (s *jobScope) recordProgress(job *mistral.DetailedJob) {
	if len(job.Checkpoints) == 0 {
		return
	}
	known := cmp.Or(s.status.Progress, &classifierv1alpha1.TrainingProgress{})
	checkpoints := slices.Clone(job.Checkpoints)
	slices.SortFunc(checkpoints, func(a, b mistral.Checkpoint) int { return cmp.Compare(a.StepNumber, b.StepNumber) })
	step := max(checkpoints[len(checkpoints)-1].StepNumber, 0)
	if step < known.Step {
		return
	}
	progress := &classifierv1alpha1.TrainingProgress{Step: step, Percent: known.Percent, TotalSteps: known.TotalSteps}
	if total := job.Hyperparameters.TrainingSteps; total != nil && *total > 0 {
		progress.TotalSteps = total
	}
	if total := progress.TotalSteps; total != nil {
		progress.Percent = max(known.Percent, int32(100*min(float64(step)/float64(*total), 1)))
		progress.EstimatedRemainingSeconds = estimateRemaining(checkpoints, *total)
	}
	if job.Status == mistral.JobSuccess {
		progress.Percent = 100
	}
	if job.Status.Finished() {
		progress.EstimatedRemainingSeconds = nil
	}
	history := lossHistory(checkpoints)
	progress.Metrics = append(lastLosses(history), qualityMetrics(job.Evaluation)...)
	s.status.Progress, s.status.LossHistory = progress, history
}

// estimateRemaining goes by the pace between the checkpoints, of which all times
// are the factory's: whether its clock is right does not matter. It is nil where
// they tell no pace.
func estimateRemaining(checkpoints []mistral.Checkpoint, total int64) *int64 {
	first, last := checkpoints[0], checkpoints[len(checkpoints)-1]
	steps, seconds := last.StepNumber-first.StepNumber, last.CreatedAt-first.CreatedAt
	if steps <= 0 || seconds <= 0 {
		return nil
	}
	remaining := float64(seconds) / float64(steps) * float64(max(total-last.StepNumber, 0))
	if remaining > maxEstimatedSeconds {
		return nil
	}
	return new(int64(math.Ceil(remaining)))
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

// qualityMetrics are what a factory that measures its models says of each target,
// as far as there is room.
func qualityMetrics(measured *mistral.Evaluation) []classifierv1alpha1.Metric {
	if measured == nil {
		return nil
	}
	var metrics []classifierv1alpha1.Metric
	known := map[string]bool{}
	for _, target := range measured.Targets {
		for _, name := range slices.Sorted(maps.Keys(target.Metrics)) {
			metric := classifierv1alpha1.Metric{Name: target.Name + "/" + name, Value: fitMetric(target.Metrics[name])}
			// The name is the list's key, and a server may repeat one.
			if metric.Value == "" || known[metric.Name] || len(metric.Name) > maxMetricNameLength || len(metrics) == maxMetrics-2 {
				continue
			}
			known[metric.Name] = true
			metrics = append(metrics, metric)
		}
	}
	return metrics
}

// learningCurves are those of the targets, as far as the factory drew them and there is room.
// What they say of more samples is said in words of our own.
func learningCurves(measured *mistral.Evaluation) []classifierv1alpha1.LearningCurve {
	if measured == nil {
		return nil
	}
	var curves []classifierv1alpha1.LearningCurve
	known := map[string]bool{}
	for _, target := range measured.Targets {
		curve := classifierv1alpha1.LearningCurve{
			Target:  target.Name,
			Outlook: evaluation.Outlook(target.LearningCurve, target.Samples),
			Points:  fitCurve(target.LearningCurve),
		}
		if known[curve.Target] || !fitsTarget(curve.Target) || curve.Points == nil || curve.Outlook == "" || len(curves) == maxLearningCurves {
			continue
		}
		known[curve.Target] = true
		curves = append(curves, curve)
	}
	return curves
}

// score is the mean of the targets' macro F1, as far as the factory measured it.
func score(measured *mistral.Evaluation) classifierv1alpha1.Decimal {
	if measured == nil {
		return ""
	}
	sum, count := 0.0, 0.0
	for _, target := range measured.Targets {
		if f1, measured := target.Metrics[metricMacroF1]; measured && f1 >= 0 && f1 <= 1 {
			sum, count = sum+f1, count+1
		}
	}
	if count == 0 {
		return ""
	}
	return classifierv1alpha1.Decimal(fitMetric(sum / count))
}
