package controller

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// Weights & Biases issued keys of 40 characters, and now longer ones.
const (
	minIntegrationKeyLength = 40
	maxIntegrationKeyLength = 128
)

// integrations are where the job is reported to, with the key from its Secret.
func (r *TrainingJobReconciler) integrations(ctx context.Context, scope *jobScope) ([]mistral.Integration, error) {
	wanted := scope.object.Spec.Training.WeightsAndBiases
	if wanted == nil {
		return nil, nil
	}
	reference := wanted.APIKeySecretRef
	secret := &corev1.Secret{}
	err := r.live.Get(ctx, client.ObjectKey{Namespace: scope.object.Namespace, Name: reference.Name}, secret)
	if apierrors.IsNotFound(err) {
		return nil, &secretError{classifierv1alpha1.ReasonCredentialsNotFound,
			fmt.Sprintf("Secret %s does not exist; create it with the API key of Weights & Biases under %s", reference.Name, reference.Key)}
	}
	if err != nil {
		return nil, err
	}
	// A Secret often ends in a line break.
	key := strings.TrimSpace(string(secret.Data[reference.Key]))
	if len(key) < minIntegrationKeyLength || len(key) > maxIntegrationKeyLength {
		return nil, &secretError{classifierv1alpha1.ReasonCredentialsInvalid,
			fmt.Sprintf("Secret %s has no API key of %d to %d characters under %s", reference.Name, minIntegrationKeyLength, maxIntegrationKeyLength, reference.Key)}
	}
	return []mistral.Integration{{
		Type:    mistral.IntegrationWandb,
		Project: wanted.Project,
		APIKey:  key,
		Name:    optionalText(wanted.Name),
		RunName: optionalText(wanted.RunName),
	}}, nil
}

func optionalText(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
