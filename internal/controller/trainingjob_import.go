package controller

import (
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// importJob takes a job that exists for this object's. It changes nothing at the
// factory, so that no finalizer is needed.
func (r *TrainingJobReconciler) importJob(ctx context.Context, scope *jobScope) (outcome, error) {
	id := scope.object.Spec.ImportJobID
	job, err := r.getImported(ctx, scope, id)
	if mistral.IsNotFound(err) {
		return stop(classifierv1alpha1.ReasonImportNotFound, fmt.Sprintf("the factory has no job %s", id)).looksAgain(credentialRecheck), nil
	}
	if err != nil {
		return outcome{}, err
	}
	scope.status.RemoteJob = &classifierv1alpha1.RemoteJob{ID: id}
	scope.observe(job, metav1.NewTime(r.clock.Now()))
	return proceed(), nil
}

// errImportMismatch is a job that trains something else.
var errImportMismatch = errors.New("the job of spec.importJobID does not train a classifier")

// getImported asks for the job, but not again for one that is not there or is of
// another type, before terminalRetry is over.
func (r *TrainingJobReconciler) getImported(ctx context.Context, scope *jobScope, id string) (*mistral.DetailedJob, error) {
	request := fingerprint("import", scope.requestedAt(), scope.connection.ID())
	if err := r.refusals.check(scope.object.UID, request); err != nil {
		return nil, err
	}
	job, err := scope.connection.GetJob(ctx, id)
	if scope.factory.learn(err) == nil && job.JobType != mistral.JobTypeClassifier {
		err = errImportMismatch
	}
	return job, r.refusals.learn(scope.object.UID, request, err)
}
