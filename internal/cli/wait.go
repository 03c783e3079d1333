package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

const exitCodes = `Exit codes: 0 the model is trained and published; 1 the job could not be followed, or was
deleted; 2 the training failed; 3 nothing goes on until somebody acts; 4 --timeout is over.`

func (c *command) waitCommand() *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "wait NAME",
		Short: "Wait until a training job is done, has failed, or needs somebody",
		Long: `Wait until a training job has published its model, has failed, or needs somebody to act. A job
that is suspended or Stalled, or whose dataset is, needs somebody; one whose dataset is not there
yet does not.

` + exitCodes,
		Example:           `  kubectl classifier wait mail --timeout=10m && kubectl rollout restart deployment/sorter`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: c.completeJobs(1),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			cluster, name, err := c.clusterAndJob(arguments[0])
			if err != nil {
				return err
			}
			last, err := cluster.follow(cmd.Context(), name, timeout, func(*classifierv1alpha1.ClassifierTrainingJob) error { return nil })
			if err != nil {
				return err
			}
			return c.endOf(cmd.Context(), cluster, last)
		},
	}
	addTimeout(cmd, &timeout)
	return cmd
}

func addTimeout(cmd *cobra.Command, timeout *time.Duration) {
	cmd.Flags().DurationVar(timeout, "timeout", 0, "How long to wait, such as 10m; 0: as long as it takes.")
}

func (c *command) clusterAndJob(argument string) (*cluster, string, error) {
	name, err := jobName(argument)
	if err != nil {
		return nil, "", err
	}
	cluster, err := c.cluster()
	return cluster, name, err
}

// verdict is the exit code for a job that there is nothing to wait for any more; ok is
// false for one that goes on.
func verdict(job *classifierv1alpha1.ClassifierTrainingJob) (code int, ok bool) {
	list := job.Status.Conditions
	ready := condition(list, classifierv1alpha1.ConditionReady)
	switch {
	case ready.ObservedGeneration != job.Generation:
		return 0, false // it speaks of an earlier spec
	case ready.Status == metav1.ConditionTrue:
		return 0, true
	case isTrue(list, classifierv1alpha1.ConditionFailed):
		return exitNotGood, true
	case isTrue(list, classifierv1alpha1.ConditionStalled), ready.Reason == classifierv1alpha1.ReasonSuspended,
		ready.Reason == classifierv1alpha1.ReasonAwaitingStart:
		return exitNeedsPerson, true
	}
	return 0, false
}

// verdict also looks at the datasets that a job waits for: one that does not go on by
// itself keeps the job from it, too.
func (c *cluster) verdict(ctx context.Context, job *classifierv1alpha1.ClassifierTrainingJob) (code int, ok bool) {
	code, ok = verdict(job)
	if ok || condition(job.Status.Conditions, classifierv1alpha1.ConditionReady).Reason != classifierv1alpha1.ReasonDatasetNotReady {
		return code, ok
	}
	datasets, err := c.datasetsOf(ctx, job)
	if err != nil {
		return 0, false // the next look tells
	}
	for i := range datasets {
		list := datasets[i].Status.Conditions
		if condition(list, classifierv1alpha1.ConditionReady).ObservedGeneration != datasets[i].Generation {
			continue // it speaks of an earlier spec
		}
		if isTrue(list, classifierv1alpha1.ConditionStalled) || condition(list, classifierv1alpha1.ConditionReady).Reason == classifierv1alpha1.ReasonSuspended {
			return exitNeedsPerson, true
		}
	}
	return 0, false
}

// redrawInterval is how often a job that has not changed is shown again: time goes on, and
// events come later than what they tell of.
const redrawInterval = 2 * time.Second

// errTimeout ends following a job; the last that was seen of it is worth telling.
var errTimeout = errors.New("the time is over")

// follow shows each version of a job until there is nothing to wait for, and gives the last.
func (c *cluster) follow(ctx context.Context, name string, timeout time.Duration, show func(*classifierv1alpha1.ClassifierTrainingJob) error,
) (*classifierv1alpha1.ClassifierTrainingJob, error) {
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, errTimeout)
		defer cancel()
	}
	var last *classifierv1alpha1.ClassifierTrainingJob
	for {
		job, err := c.job(ctx, name)
		if err == nil {
			last = job
			if job, err = c.followFrom(ctx, job, show); job != nil {
				last = job
			}
		}
		switch {
		case errors.Is(context.Cause(ctx), errTimeout) && last == nil:
			return nil, fmt.Errorf("%w, and the API server has not answered", errTimeout)
		case errors.Is(context.Cause(ctx), errTimeout):
			return last, nil
		case ctx.Err() != nil:
			return nil, errors.New("interrupted; the job is left as it is")
		case err != nil:
			return nil, err
		case job != nil:
			return job, nil
		}
	}
}

// followFrom gives nil if the watch ended before anything was decided.
func (c *cluster) followFrom(ctx context.Context, job *classifierv1alpha1.ClassifierTrainingJob, show func(*classifierv1alpha1.ClassifierTrainingJob) error,
) (*classifierv1alpha1.ClassifierTrainingJob, error) {
	if err := show(job); err != nil {
		return job, err
	}
	if _, over := c.verdict(ctx, job); over {
		return job, nil
	}
	events, err := c.Watch(ctx, &classifierv1alpha1.ClassifierTrainingJobList{}, client.InNamespace(c.namespace),
		client.MatchingFields{"metadata.name": job.Name}, &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: job.ResourceVersion}})
	if err != nil {
		return job, err
	}
	defer events.Stop()
	again := time.NewTicker(redrawInterval)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return job, nil
		case <-again.C:
			if err := show(job); err != nil {
				return job, err
			}
		case event, open := <-events.ResultChan():
			if !open {
				return nil, nil
			}
			switch event.Type {
			case watch.Error:
				if err := apierrors.FromObject(event.Object); !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
					return job, err
				}
				return nil, nil
			case watch.Deleted:
				return job, fmt.Errorf("%s was deleted", job.Name)
			}
			seen, ok := event.Object.(*classifierv1alpha1.ClassifierTrainingJob)
			if !ok {
				continue
			}
			job = seen
			if err := show(job); err != nil {
				return job, err
			}
			if _, over := c.verdict(ctx, job); over {
				return job, nil
			}
		}
	}
}

// endOf says how a job that was followed is, and what is next, and gives the exit code.
func (c *command) endOf(ctx context.Context, cluster *cluster, job *classifierv1alpha1.ClassifierTrainingJob) error {
	code, over := cluster.verdict(ctx, job)
	ready := condition(job.Status.Conditions, classifierv1alpha1.ConditionReady)
	told, err := cluster.story(ctx, kindJob, job.Name)
	if err != nil {
		return err
	}
	switch {
	case !over:
		printf(c.ErrOut, "the time is over: %s: %s\n", ready.Reason, printable(ready.Message))
		code = exitTimeout
	case code == 0:
		printf(c.Out, "%s\n", printable(modelOf(job)))
		return nil
	default:
		printf(c.ErrOut, "%s: %s\n", ready.Reason, printable(ready.Message))
	}
	printf(c.ErrOut, "Next (%s): %s\n", told.Next.Who, printable(told.Next.Do))
	return exit(code)
}
