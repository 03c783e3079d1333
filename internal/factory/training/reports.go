package training

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/evaluation"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/factory/wandb"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	// pageTimeout is how long a job's success waits for the addresses of its runs: who
	// follows the job looks at it for the last time then.
	pageTimeout = 2 * time.Second
	// flushTimeout is what reports have left when the server closes.
	flushTimeout = 2 * time.Second
)

// NothingReported is what a job's integrations say of a server that reports nothing.
const NothingReported = "This server reports nothing to Weights & Biases: its administrator has not named a server with --wandb-base-url."

// Why an integration is not reported, in the words of its job's events.
const (
	codeNotReported = "NotReported"
	codeKeyLost     = "KeyLost"
	codeKeyRefused  = "KeyRefused"
	codeRefused     = "ReportRefused"
	codeReportLost  = "ReportLost"

	keyLost      = "The process that trains does not have the key of Weights & Biases, which is in the memory of the server that was given it alone: that was restarted, or another process trains: nothing of this training is reported."
	keyLostAmid  = "The process that trains now does not have the key of Weights & Biases, which is in the memory of the server that was given it alone: nothing more is reported, and the run cannot be finished there."
	keyRefused   = "Weights & Biases refused the key, or the key may not write to the project: nothing more is reported."
	refused      = "Weights & Biases refused the report: nothing more is reported."
	reportLost   = "Weights & Biases was away for too long: the report is not whole."
	reportClosed = "The server was closed before Weights & Biases had the whole report."
)

// reports are those of the jobs to Weights & Biases. Keys are in memory alone, from a
// job's creation to its end.
type reports struct {
	client *wandb.Client // nil: nothing is reported
	store  *store.Store
	logger *slog.Logger
	now    func() time.Time

	sending context.Context // which ends when the server has closed
	stop    context.CancelCauseFunc
	senders sync.WaitGroup

	mutex   sync.Mutex
	keys    map[string][]mistral.Key // of each integration, by job
	running map[string][]*wandb.Report
}

func newReports(stored *store.Store, logger *slog.Logger, clock func() time.Time) *reports {
	r := &reports{store: stored, logger: logger, now: clock, keys: map[string][]mistral.Key{}, running: map[string][]*wandb.Report{}}
	r.sending, r.stop = context.WithCancelCause(context.Background())
	return r
}

// ReportTo has jobs reported to the server of Weights & Biases. It is called before Start.
func (q *Queue) ReportTo(base *url.URL) { q.reports.client = wandb.NewClient(base) }

// Reports says whether jobs are reported to Weights & Biases.
func (q *Queue) Reports() bool { return q.reports.client != nil }

// KeepKeys keeps the keys of a job's integrations until it has ended.
func (q *Queue) KeepKeys(id string, keys []mistral.Key) {
	if !q.Reports() || len(keys) == 0 {
		return
	}
	q.reports.mutex.Lock()
	defer q.reports.mutex.Unlock()
	q.reports.keys[id] = keys
}

// ForgetKeys forgets those of a job that will not be reported.
func (q *Queue) ForgetKeys(id string) {
	q.reports.mutex.Lock()
	defer q.reports.mutex.Unlock()
	delete(q.reports.keys, id)
}

// ForgetEndedKeys forgets those of jobs that ended without a worker.
func (q *Queue) ForgetEndedKeys(ctx context.Context) error {
	q.reports.mutex.Lock()
	held := slices.Collect(maps.Keys(q.reports.keys))
	q.reports.mutex.Unlock()
	for _, id := range held {
		if ended, err := q.store.JobEnded(ctx, id); err != nil {
			return err
		} else if ended {
			q.ForgetKeys(id)
		}
	}
	return nil
}

// begin reports that a training starts.
func (r *reports) begin(ctx context.Context, j *store.Job) {
	if len(j.Integrations) == 0 {
		return
	}
	r.mutex.Lock()
	keys, running := r.keys[j.ID], r.running[j.ID]
	r.mutex.Unlock()
	if running != nil {
		return // it was interrupted, and goes on
	}
	for i, integration := range j.Integrations {
		switch {
		case integration.Error != nil: // it is told
		case r.client == nil:
			r.fail(ctx, j.Lease(), i, codeNotReported, NothingReported)
		case i < len(keys):
			running = append(running, r.start(j, i, keys[i]))
		case integration.URL != nil:
			r.fail(ctx, j.Lease(), i, codeKeyLost, keyLostAmid)
		default:
			r.fail(ctx, j.Lease(), i, codeKeyLost, keyLost)
		}
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if len(running) > 0 {
		r.running[j.ID] = running
	}
}

// start sends a report in the background.
func (r *reports) start(j *store.Job, index int, key mistral.Key) *wandb.Report {
	report := r.client.NewReport(key, runOf(j, index), r.now())
	lease, ctx := j.Lease(), r.sending
	r.senders.Go(func() {
		err := report.Send(ctx, func(run wandb.Run) {
			r.update(ctx, lease, func(j *store.Job) { j.SetRunURL(index, run.URL, r.now()) })
		})
		if err != nil {
			r.lost(ctx, lease, index, err)
		}
	})
	return report
}

// runOf is the run of a job's integration, named as those of the hosted service.
func runOf(j *store.Job, index int) wandb.RunRequest {
	integration := j.Integrations[index]
	id := j.ID + "-" + strconv.Itoa(index)
	var name, runName string
	if integration.Name != nil {
		name = *integration.Name
	}
	if integration.RunName != nil {
		runName = *integration.RunName
	}
	config := map[string]any{"job_id": j.ID, "job_type": mistral.JobTypeClassifier, "model": j.Model, "suffix": j.Suffix, "hyperparameters": j.Hyperparameters}
	return wandb.RunRequest{ID: id, Project: integration.Project, DisplayName: cmp.Or(name, runName, id), Config: config}
}

// lost tells in the job why a report was not sent whole. The training does not suffer.
func (r *reports) lost(ctx context.Context, lease store.Lease, index int, cause error) {
	r.logger.WarnContext(ctx, "report to Weights & Biases not sent", slog.String("job", lease.JobID), slog.Int("integration", index), slog.Any("error", cause))
	switch {
	case errors.Is(cause, wandb.ErrKeyRefused):
		r.fail(ctx, lease, index, codeKeyRefused, keyRefused)
	case errors.Is(cause, wandb.ErrRefused):
		r.fail(ctx, lease, index, codeRefused, refused)
	case !errors.Is(cause, store.ErrInterrupted):
		r.fail(ctx, lease, index, codeReportLost, reportLost)
	default:
		r.update(ctx, lease, func(j *store.Job) {
			if j.Status.Finished() { // else it goes on without its key, and says so then
				j.FailIntegration(index, codeReportLost, reportClosed, r.now())
			}
		})
	}
}

func (r *reports) fail(ctx context.Context, lease store.Lease, index int, code, reason string) {
	r.update(ctx, lease, func(j *store.Job) { j.FailIntegration(index, code, reason, r.now()) })
}

// update changes a job, which may be gone, or trained by another process.
func (r *reports) update(ctx context.Context, lease store.Lease, change func(*store.Job)) {
	err := r.store.UpdateHeldJob(context.WithoutCancel(ctx), lease, func(j *store.Job) error { change(j); return nil })
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		r.logger.WarnContext(ctx, "what became of a report not recorded", slog.String("job", lease.JobID), slog.Any("error", err))
	}
}

func (r *reports) of(id string) []*wandb.Report {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.running[id]
}

// reached reports checkpoints, by the names that the hosted service reports.
func (r *reports) reached(id string, checkpoints []mistral.Checkpoint) {
	for _, report := range r.of(id) {
		for _, checkpoint := range checkpoints {
			metrics := map[string]float64{}
			if loss := checkpoint.Metrics.TrainLoss; loss != nil {
				metrics["train/loss"] = *loss
			}
			if loss := checkpoint.Metrics.ValidLoss; loss != nil {
				metrics["eval/eval_loss"] = *loss
			}
			report.Log(checkpoint.StepNumber, r.now(), metrics)
		}
	}
}

// awaitPages waits until it is known where a job's runs are, but not for long.
func (r *reports) awaitPages(ctx context.Context, id string) {
	timeout := time.NewTimer(pageTimeout)
	defer timeout.Stop()
	for _, report := range r.of(id) {
		select {
		case <-report.Created():
		case <-timeout.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// settle ends what is reported of a job if that is finished.
func (r *reports) settle(ctx context.Context, tenant, id string) {
	r.mutex.Lock()
	running, keys := r.running[id], r.keys[id]
	r.mutex.Unlock()
	if running == nil && keys == nil {
		return
	}
	job, err := r.store.DetailedJob(context.WithoutCancel(ctx), tenant, id)
	if err != nil {
		r.logger.WarnContext(ctx, "end of a report not sent", slog.String("job", id), slog.Any("error", err))
		return
	}
	outcome := wandb.Failed
	switch {
	case !job.Status.Finished():
		return // it waits, is trained or interrupted
	case job.Status == mistral.JobSuccess:
		outcome = wandb.Finished
	case job.Status == mistral.JobCancelled:
		outcome = wandb.Cancelled
	}
	r.mutex.Lock()
	delete(r.keys, id)
	delete(r.running, id)
	r.mutex.Unlock()
	for _, report := range running {
		if metrics := evaluationMetrics(job.Evaluation); len(metrics) > 0 {
			report.LogNext(r.now(), metrics)
		}
		report.End(outcome)
	}
}

// evaluationMetrics go by the names that the hosted service reports.
func evaluationMetrics(measured *mistral.Evaluation) map[string]float64 {
	metrics := map[string]float64{}
	if measured == nil {
		return metrics
	}
	for _, target := range measured.Targets {
		for name, value := range target.Metrics {
			switch name {
			case evaluation.PrecisionMicro, evaluation.RecallMicro, evaluation.F1Micro, evaluation.PrecisionMacro, evaluation.RecallMacro, evaluation.F1Macro:
				metric, average, _ := strings.Cut(name, "_")
				name = average + "/" + metric
			}
			metrics["eval/"+target.Name+"/"+name] = value
		}
	}
	return metrics
}

// close ends the reports: those that are done have a moment to be sent whole, and the
// runs of the others are said to be preempted.
func (r *reports) close() {
	r.mutex.Lock()
	for _, running := range r.running {
		for _, report := range running {
			report.End(wandb.Preempted)
		}
	}
	r.mutex.Unlock()
	timeout := time.AfterFunc(flushTimeout, func() { r.stop(store.ErrInterrupted) })
	r.senders.Wait()
	timeout.Stop()
	r.stop(store.ErrInterrupted)
	if r.client != nil {
		r.client.Close()
	}
}
