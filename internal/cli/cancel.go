package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// cancelTimeout is more than the two minutes that a deletion takes at most.
const cancelTimeout = 3 * time.Minute

func (c *command) cancelCommand() *cobra.Command {
	var waits bool
	cmd := &cobra.Command{
		Use:   "cancel NAME",
		Short: "Cancel a training that has not ended, by deleting its object",
		Long: `Cancel a training that has not ended, by deleting its object: the operator then cancels the job at
the factory. What it has cost until then is spent. One that has ended, meanwhile too, is left
alone, with its model; so is one that its deletionPolicy or importJobID would let go on.`,
		Example:           `  kubectl classifier cancel mail`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: c.completeJobs(1),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			cluster, name, err := c.clusterAndJob(arguments[0])
			if err != nil {
				return err
			}
			job, err := cluster.cancel(cmd.Context(), name)
			if err != nil {
				return err
			}
			remote := "no job was at the factory yet"
			if job.Status.RemoteJob != nil {
				remote = "the operator cancels job " + job.Status.RemoteJob.ID + " at the factory"
			}
			printf(c.Out, "%s is being deleted; %s\n", name, remote)
			if !waits {
				return nil
			}
			if err := cluster.awaitDeletion(cmd.Context(), job); err != nil {
				return err
			}
			printf(c.Out, "%s is cancelled\n", name)
			return nil
		},
	}
	cmd.Flags().BoolVar(&waits, "wait", true, "Wait until the object is gone.")
	return cmd
}

// cancel deletes the very version of a job that was seen not to have ended. While it
// trains, a version is soon outdated.
func (c *cluster) cancel(ctx context.Context, name string) (*classifierv1alpha1.ClassifierTrainingJob, error) {
	for {
		job, err := c.job(ctx, name)
		if err != nil {
			return nil, err
		}
		if err := mayCancel(job); err != nil {
			return nil, err
		}
		err = c.Delete(ctx, job, client.Preconditions{UID: &job.UID, ResourceVersion: ptr.To(job.ResourceVersion)})
		if !apierrors.IsConflict(err) {
			return job, err
		}
	}
}

func mayCancel(job *classifierv1alpha1.ClassifierTrainingJob) error {
	switch {
	case job.Spec.ImportJobID != "":
		return fmt.Errorf("%s only observes job %s, which the operator does not cancel; cancel it at the factory", job.Name, job.Spec.ImportJobID)
	case isTrue(job.Status.Conditions, classifierv1alpha1.ConditionFinished) || job.Status.CompletionTime != nil:
		return fmt.Errorf("%s has ended (%s): there is nothing to cancel; kubectl delete ctj %s deletes it with its Secret", job.Name, job.Status.State, job.Name)
	case job.Spec.DeletionPolicy == classifierv1alpha1.TrainingJobRetain:
		return fmt.Errorf("%s has deletionPolicy Retain, with which its job at the factory would go on; change it first: "+
			`kubectl patch ctj %s --type=merge -p '{"spec":{"deletionPolicy":"Cancel"}}'`, job.Name, job.Name)
	}
	return nil
}

func (c *cluster) awaitDeletion(ctx context.Context, job *classifierv1alpha1.ClassifierTrainingJob) error {
	err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, cancelTimeout, true, func(ctx context.Context) (bool, error) {
		now, err := c.job(ctx, job.Name)
		if apierrors.IsNotFound(err) || err == nil && now.UID != job.UID {
			return true, nil
		}
		return false, err
	})
	if wait.Interrupted(err) {
		return errors.Join(fmt.Errorf("%s is still there; kubectl classifier explain %s says why", job.Name, job.Name), err)
	}
	return err
}
