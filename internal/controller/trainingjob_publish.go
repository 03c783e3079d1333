package controller

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	applymetav1 "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/internal/samples"
)

// The published Secret follows the Service Binding specification: the type of the
// Secret, and its keys type and provider.
const (
	outputType       = "classifier-factory"
	outputProvider   = "classifier-factory"
	outputSecretType = corev1.SecretType("servicebinding.io/" + outputType)

	// outputDigestAnnotation tells a Secret that was edited by hand from one that was not.
	outputDigestAnnotation = "classifierfactory.dev/content-digest"
)

// publish makes sure that the Secret with the model's ID and its key is there. One that
// belongs to somebody else is never touched.
func (r *TrainingJobReconciler) publish(ctx context.Context, scope *jobScope) (outcome, error) {
	if !scope.isOver() || scope.status.Model == nil {
		return proceed(), nil
	}
	name := scope.secretName()
	secret := &corev1.Secret{}
	err := r.live.Get(ctx, client.ObjectKey{Namespace: scope.object.Namespace, Name: name}, secret)
	switch {
	case apierrors.IsNotFound(err):
		secret, err = nil, nil
	case err != nil:
	case isOfEarlierObject(secret, scope.object):
		scope.output = &finding{reason: classifierv1alpha1.ReasonSecretConflict,
			message: fmt.Sprintf("Secret %s is of an earlier object of this name and about to be deleted with it", name)}
		return wait(collectionRecheck, scope.output.reason, scope.output.message), nil
	case !metav1.IsControlledBy(secret, scope.object):
		scope.output = &finding{reason: classifierv1alpha1.ReasonSecretConflict,
			message: fmt.Sprintf("Secret %s belongs to somebody else; delete it, or name another one in spec.output.secretName", name)}
		return stop(scope.output.reason, scope.output.message).looksAgain(conflictRecheck), nil
	case !isAsPublished(secret, scope.status.Model):
		secret = nil // it was edited, or is another model's: nothing of it counts
	}
	var content string
	if err == nil {
		content, err = r.bringOutput(ctx, scope, name, secret)
	}
	if err != nil {
		result := failed(err)
		scope.output = &finding{reason: result.reason, message: result.message}
		if result.verdict == stops {
			return result.looksAgain(outputRecheck), nil
		}
		return outcome{}, err
	}
	scope.output = &finding{good: true, reason: classifierv1alpha1.ReasonPublished,
		message: fmt.Sprintf("Secret %s has %s", name, content)}
	if err := r.removeEarlierOutput(ctx, scope, name); err != nil {
		return outcome{}, err
	}
	scope.status.Binding = &classifierv1alpha1.BindingStatus{Name: name}
	return proceed().looksAgain(outputRecheck), nil
}

// bringOutput writes the Secret unless it is as it should be, and says what it has. The
// Secret is nil unless it is as this object published it, for this model.
func (r *TrainingJobReconciler) bringOutput(ctx context.Context, scope *jobScope, name string, secret *corev1.Secret) (content string, err error) {
	var data map[string][]byte
	if secret != nil {
		data = maps.Clone(secret.Data) // the factory may have forgotten the job since
	} else if data, err = r.output(ctx, scope); err != nil {
		return "", err
	}
	held, err := r.heldKey(ctx, scope, name, secret)
	if err != nil {
		return "", err
	}
	key, err := r.publishedKey(ctx, scope, held)
	lacks, isKeyless := errors.AsType[*keyless](err)
	switch {
	case isKeyless:
		content = "the model's ID, " + lacks.message
	case err != nil:
		return "", err
	case len(key) > 0:
		content = "the model's ID and an " + outputAPIKey + " to classify with it"
	default:
		content = "the model's ID"
	}
	if secret == nil || !bytes.Equal(secret.Data[outputAPIKey], key) {
		if data[outputAPIKey] = key; len(key) == 0 {
			delete(data, outputAPIKey)
		}
		if err := r.writeOutput(ctx, scope, name, data); err != nil {
			return "", err
		}
	}
	scope.status.APIKeyName = ""
	if len(key) > 0 {
		scope.status.APIKeyName = scope.keyName()
		r.keys.set(scope.object.UID, jobKey{}) // it is where it belongs
	}
	return content, nil
}

// heldKey is the key that is published already: in the Secret, or in the one of an
// earlier name.
func (r *TrainingJobReconciler) heldKey(ctx context.Context, scope *jobScope, name string, secret *corev1.Secret) ([]byte, error) {
	if r.keys.of(scope.object.UID).lost {
		return nil, nil
	}
	if binding := scope.status.Binding; secret == nil && binding != nil && binding.Name != name {
		earlier := &corev1.Secret{}
		err := r.live.Get(ctx, client.ObjectKey{Namespace: scope.object.Namespace, Name: binding.Name}, earlier)
		if client.IgnoreNotFound(err) != nil {
			return nil, err
		}
		if metav1.IsControlledBy(earlier, scope.object) && isAsPublished(earlier, scope.status.Model) {
			secret = earlier
		}
	}
	if secret == nil {
		return nil, nil
	}
	return secret.Data[outputAPIKey], nil
}

// isAsPublished reports whether nobody has edited a Secret since a model was published in it.
func isAsPublished(secret *corev1.Secret, model *classifierv1alpha1.ModelStatus) bool {
	return secret.Annotations[outputDigestAnnotation] == fingerprint(secret.Data) && string(secret.Data["model"]) == model.ID
}

// isOfEarlierObject reports whether a Secret is of an object that had this one's
// name, and so is gone: the garbage collector will come for it.
func isOfEarlierObject(secret *corev1.Secret, object *classifierv1alpha1.ClassifierTrainingJob) bool {
	owner := metav1.GetControllerOf(secret)
	return owner != nil && owner.APIVersion == classifierv1alpha1.GroupVersion.String() && owner.Kind == kindTrainingJob &&
		owner.Name == object.Name && owner.UID != object.UID
}

func (r *TrainingJobReconciler) writeOutput(ctx context.Context, scope *jobScope, name string, data map[string][]byte) error {
	owner := applymetav1.OwnerReference().
		WithAPIVersion(classifierv1alpha1.GroupVersion.String()).
		WithKind(kindTrainingJob).
		WithName(scope.object.Name).
		WithUID(scope.object.UID).
		WithController(true)
	secret := applycorev1.Secret(name, scope.object.Namespace).
		WithLabels(map[string]string{"app.kubernetes.io/managed-by": outputProvider}).
		WithAnnotations(map[string]string{outputDigestAnnotation: fingerprint(data)}).
		WithOwnerReferences(owner).
		WithType(outputSecretType).
		WithData(data)
	return r.client.Apply(unlogged(ctx), secret, fieldOwner, client.ForceOwnership)
}

// output is the Secret's content beside the key. The connection's key is never a part of it.
func (r *TrainingJobReconciler) output(ctx context.Context, scope *jobScope) (map[string][]byte, error) {
	if err := r.connect(ctx, scope); err != nil {
		return nil, err
	}
	if scope.remote == nil {
		// An operator that was restarted since has to ask once more.
		request := fingerprint("output", scope.requestedAt(), scope.connection.ID())
		if err := r.refusals.check(scope.object.UID, request); err != nil {
			return nil, err
		}
		job, err := scope.connection.GetJob(ctx, scope.status.RemoteJob.ID)
		if mistral.IsNotFound(err) && scope.isRestored() {
			job, err = scope.requestedJob(), nil
		}
		if scope.factory.learn(r.refusals.learn(scope.object.UID, request, err)) != nil {
			return nil, err
		}
		scope.remote = job
	}
	targets, err := json.Marshal(publishedTargets(scope.remote.ClassifierTargets))
	if err != nil {
		return nil, err
	}
	data := map[string][]byte{
		"type":       []byte(outputType),
		"provider":   []byte(outputProvider),
		"uri":        []byte(scope.connection.URL()),
		"model":      []byte(scope.status.Model.ID),
		"base-model": []byte(scope.baseModel()),
		"job-id":     []byte(scope.status.RemoteJob.ID),
		"targets":    targets,
	}
	if digest := scope.datasetDigest(); digest != "" {
		data["dataset-digest"] = []byte(digest)
	}
	return data, nil
}

// baseModel is what the training started from. Of an imported job only the
// factory knows it.
func (s *jobScope) baseModel() string {
	if s.isImported() {
		return samples.Cut(s.remote.Model, maxModelIDLength)
	}
	return s.object.Spec.Training.Model
}

// publishedTarget is what an application needs to read the model's answers.
type publishedTarget struct {
	Name         string   `json:"name"`
	Labels       []string `json:"labels"`
	LossFunction string   `json:"loss_function"`
}

func publishedTargets(targets []mistral.ClassifierTarget) []publishedTarget {
	published := make([]publishedTarget, 0, len(targets))
	for _, target := range targets {
		published = append(published, publishedTarget{Name: target.Name, Labels: target.Labels, LossFunction: target.LossFunction})
	}
	return published
}

// datasetDigest is the digest of what was trained on; of several files, theirs
// one after the other; of an imported job none.
func (s *jobScope) datasetDigest() string {
	var digests []string
	for _, input := range s.status.Inputs {
		if input.Split == classifierv1alpha1.SplitTrain {
			digests = append(digests, input.Digest)
		}
	}
	return strings.Join(digests, ",")
}
