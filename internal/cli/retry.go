package cli

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

func (c *command) retryCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "retry NAME",
		Short: "Try again what was refused; of a training that has ended, train anew",
		Long: `Try again. Of a dataset (cds/NAME) or a training job that has not ended, the operator repeats at
once what was refused or is waited for. A run that has ended never starts again: another
ClassifierTrainingJob with the same spec is created, NAME-2, NAME-3 and so on, which costs what a
run costs. It publishes to the Secret of the one that failed; beside a model that is published, to a
Secret of its own name. A job that is as it should be is left alone.`,
		Example: `  kubectl classifier retry mail
  kubectl classifier retry cds/mail`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: c.completeJobs(1),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			kind, name, err := kindAndName(arguments[0])
			if err != nil {
				return err
			}
			cluster, err := c.cluster()
			if err != nil {
				return err
			}
			said, err := cluster.retry(cmd.Context(), kind, name)
			if err == nil {
				printf(c.Out, "%s\n", said)
			}
			return err
		},
	}
	return cmd
}

// retry says what it did.
func (c *cluster) retry(ctx context.Context, kind, name string) (string, error) {
	if kind == kindDataset {
		return c.askToLook(ctx, &classifierv1alpha1.ClassifierDataset{}, kind, name)
	}
	job, err := c.job(ctx, name)
	if err != nil {
		return "", err
	}
	list := job.Status.Conditions
	isReady := isTrue(list, classifierv1alpha1.ConditionReady)
	isAmiss := isTrue(list, classifierv1alpha1.ConditionFailed) || mayTrainAnew(list)
	switch {
	case isReady && !isAmiss:
		return "", fmt.Errorf("%s is trained and published, and its datasets are what it was trained on: there is nothing to try again", name)
	case !isAmiss:
		return c.askToLook(ctx, job, kind, name)
	case job.Spec.ImportJobID != "":
		return "", fmt.Errorf("%s only observes job %s; create another object for another job", name, job.Spec.ImportJobID)
	}
	anew, err := c.createAgain(ctx, job)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s is created with the spec of %s, and publishes to Secret %s; kubectl classifier watch %s shows how far it is",
		anew.Name, name, secretName(anew), anew.Name), nil
}

// mayTrainAnew reports whether a training that has succeeded is worth another one: its
// model is lost, its job is, its data changed or overlapped.
func mayTrainAnew(list []metav1.Condition) bool {
	if condition(list, classifierv1alpha1.ConditionInputsCurrent).Status == metav1.ConditionFalse && isTrue(list, classifierv1alpha1.ConditionFinished) {
		return true
	}
	switch condition(list, classifierv1alpha1.ConditionReady).Reason {
	case classifierv1alpha1.ReasonModelMissing, classifierv1alpha1.ReasonRemoteJobMissing:
		return true
	}
	return isTrue(list, classifierv1alpha1.ConditionFinished) &&
		condition(list, classifierv1alpha1.ConditionDatasetsReady).Reason == classifierv1alpha1.ReasonDatasetsOverlap
}

// askToLook asks the operator by the annotation.
func (c *cluster) askToLook(ctx context.Context, object client.Object, kind, name string) (string, error) {
	object.SetNamespace(c.namespace)
	object.SetName(name)
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, classifierv1alpha1.ReconcileRequestAnnotation, time.Now().UTC().Format(time.RFC3339Nano))
	err := c.Patch(ctx, object, client.RawPatch("application/merge-patch+json", []byte(patch)))
	if meta.IsNoMatchError(err) {
		err = errNotInstalled
	}
	return fmt.Sprintf("the operator looks at %s again", subject{kind: kind, name: name}.resource()), err
}

var numbered = regexp.MustCompile(`^(.*)-([0-9]{1,6})$`)

// createAgain creates a job with the spec of one that ended, under the next name that is free.
func (c *cluster) createAgain(ctx context.Context, job *classifierv1alpha1.ClassifierTrainingJob) (*classifierv1alpha1.ClassifierTrainingJob, error) {
	stem, number := job.Name, 1
	if parts := numbered.FindStringSubmatch(job.Name); parts != nil {
		stem = parts[1]
		number, _ = strconv.Atoi(parts[2]) // digits only
	}
	for {
		number++
		anew := again(job, fmt.Sprintf("%s-%d", stem, number))
		err := c.Create(ctx, anew)
		if !apierrors.IsAlreadyExists(err) {
			return anew, err
		}
	}
}

// again is another run of a job. What tools have put on the first, such as labels by which
// they delete what is not in their repository, is not on the second.
func again(job *classifierv1alpha1.ClassifierTrainingJob, name string) *classifierv1alpha1.ClassifierTrainingJob {
	anew := &classifierv1alpha1.ClassifierTrainingJob{ObjectMeta: metav1.ObjectMeta{Namespace: job.Namespace, Name: name}}
	anew.Spec = *job.Spec.DeepCopy()
	if anew.Spec.Output == nil {
		anew.Spec.Output = &classifierv1alpha1.TrainingOutput{}
	}
	anew.Spec.Output.SecretName = secretName(job)
	if isTrue(job.Status.Conditions, classifierv1alpha1.ConditionComplete) {
		anew.Spec.Output.SecretName = name // the other is the first one's
	}
	return anew
}
