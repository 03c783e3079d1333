package controller

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/samples"
)

const (
	reportKey = "report.json"
	// reportRevisionAnnotation says of which revision of the samples a report is.
	reportRevisionAnnotation = "classifierfactory.dev/source-revision"
)

// publishReport makes sure that the ConfigMap with the full report is there, and that an
// earlier one is not. One that belongs to somebody else is never touched. What becomes
// of the report keeps no samples from being uploaded.
func (r *DatasetReconciler) publishReport(ctx context.Context, scope *datasetScope) (outcome, error) {
	wanted := ""
	if request := scope.object.Spec.Report; request != nil {
		wanted = request.ConfigMapName
	}
	if err := r.removeEarlierReport(ctx, scope, wanted); err != nil || wanted == "" {
		return proceed(), err
	}
	if slices.Contains(configMapNames(scope.object), wanted) {
		return scope.reportConflict(fmt.Sprintf("ConfigMap %s is read as the source; name another one in spec.report.configMapName", wanted)), nil
	}
	found, err := r.reportMetadata(ctx, scope, wanted)
	switch {
	case err != nil:
		return outcome{}, err
	case found != nil && !metav1.IsControlledBy(found, scope.object):
		return scope.reportConflict(fmt.Sprintf("ConfigMap %s belongs to somebody else; delete it, or name another one in spec.report.configMapName", wanted)), nil
	case found == nil || scope.status.Report == nil || found.Annotations[reportRevisionAnnotation] != scope.revision():
		if result, err := r.writeReport(ctx, scope, wanted, found); err != nil || result.verdict != proceeds {
			return result, err
		}
	}
	scope.status.Report.ConfigMapName = wanted
	scope.report = &finding{good: true, reason: classifierv1alpha1.ReasonReportPublished, message: fmt.Sprintf("ConfigMap %s has the report", wanted)}
	return proceed(), nil
}

func (s *datasetScope) reportConflict(message string) outcome {
	s.report = &finding{reason: classifierv1alpha1.ReasonConfigMapConflict, message: message}
	return proceed().looksAgain(conflictRecheck)
}

// reportMetadata looks at a ConfigMap; nil if there is none.
func (r *DatasetReconciler) reportMetadata(ctx context.Context, scope *datasetScope, name string) (*metav1.PartialObjectMetadata, error) {
	found := &metav1.PartialObjectMetadata{}
	found.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMap"))
	err := r.sources.Live.Get(ctx, client.ObjectKey{Namespace: scope.object.Namespace, Name: name}, found)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return found, err
}

// writeReport writes the ConfigMap anew. It never takes one over that somebody made
// meanwhile: it creates it, or writes to the very object that was found.
func (r *DatasetReconciler) writeReport(ctx context.Context, scope *datasetScope, name string, found *metav1.PartialObjectMetadata) (outcome, error) {
	if scope.prepared == nil {
		if result, err := r.read(ctx, scope); err != nil || result.verdict != proceeds {
			return result, err
		}
		if !scope.validation.good {
			return stop(scope.validation.reason, scope.validation.message), nil
		}
	}
	content, err := samples.EncodeReport(scope.prepared, scope.status)
	if err != nil {
		return outcome{}, err
	}
	configMap := scope.reportConfigMap(name, string(content))
	if found == nil {
		err = r.client.Create(ctx, configMap, fieldOwner)
	} else {
		configMap.UID, configMap.ResourceVersion = found.UID, found.ResourceVersion
		err = r.client.Update(ctx, configMap, fieldOwner)
	}
	if apierrors.IsAlreadyExists(err) || apierrors.IsConflict(err) {
		return wait(time.Second, classifierv1alpha1.ReasonProgressing, fmt.Sprintf("ConfigMap %s was written meanwhile; looking at it again", name)), nil
	}
	return proceed(), err
}

func (s *datasetScope) reportConfigMap(name, content string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:   s.object.Namespace,
			Name:        name,
			Labels:      map[string]string{"app.kubernetes.io/managed-by": outputProvider},
			Annotations: map[string]string{reportRevisionAnnotation: s.revision()},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: classifierv1alpha1.GroupVersion.String(),
				Kind:       kindDataset,
				Name:       s.object.Name,
				UID:        s.object.UID,
				Controller: new(true),
			}},
		},
		Data: map[string]string{reportKey: content},
	}
}

// removeEarlierReport deletes the ConfigMap of an earlier request.
func (r *DatasetReconciler) removeEarlierReport(ctx context.Context, scope *datasetScope, wanted string) error {
	report := scope.status.Report
	if report == nil || report.ConfigMapName == "" || report.ConfigMapName == wanted {
		return nil
	}
	found, err := r.reportMetadata(ctx, scope, report.ConfigMapName)
	if err != nil {
		return err
	}
	if found != nil && metav1.IsControlledBy(found, scope.object) {
		err = r.client.Delete(ctx, found, client.Preconditions{UID: &found.UID})
	}
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	report.ConfigMapName = ""
	return nil
}
