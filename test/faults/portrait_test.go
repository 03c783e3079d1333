package faults

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
)

var (
	anyTime = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	// anyGeneration counts the edits on the way.
	anyGeneration = regexp.MustCompile(`"observedGeneration": \d+`)
	// anyID is what tells one run from another: UIDs, and the IDs of jobs and files.
	anyID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	// modelID and fileName have parts of IDs.
	modelID  = regexp.MustCompile(`ft:classifier:[a-z0-9:.-]+`)
	fileName = regexp.MustCompile(`classifier-dataset-[a-z2-7]{8}`)
	// keyName and mintedKey are of the key that a Secret has.
	keyName   = regexp.MustCompile(`classifier-training-job-[a-z2-7]{8}`)
	mintedKey = regexp.MustCompile(`cfk_[A-Za-z0-9_-]{43}`)
)

// portrait is what became of objects, without what differs from run to run.
func (w *world) portrait(objects ...client.Object) string {
	w.Helper()
	var text strings.Builder
	for _, object := range objects {
		w.Get(object.GetName(), object)
		slices.SortFunc(controllertest.Conditions(object), byType)
		switch object := object.(type) {
		case *classifierv1alpha1.ClassifierDataset:
			text.WriteString(w.normal(object.Status, ""))
		case *classifierv1alpha1.ClassifierTrainingJob:
			text.WriteString(w.normal(object.Status, object.Status.Attempt.Marker))
			if object.Status.Binding != nil {
				secret := &corev1.Secret{ObjectMeta: w.ObjectMeta(object.Status.Binding.Name)}
				w.Get(secret.Name, secret)
				published := map[string]string{}
				for key, value := range secret.Data {
					published[key] = string(value)
				}
				text.WriteString(w.normal(published, object.Status.Attempt.Marker))
			}
		}
	}
	return text.String()
}

func byType(a, b metav1.Condition) int { return cmp.Compare(a.Type, b.Type) }

func (w *world) normal(value any, marker string) string {
	w.Helper()
	encoded, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		w.Fatal(err)
	}
	text := strings.NewReplacer(w.Namespace.Name, "NAMESPACE", w.url, "URL").Replace(string(encoded))
	text = anyGeneration.ReplaceAllString(text, `"observedGeneration": G`)
	text = modelID.ReplaceAllString(anyTime.ReplaceAllString(text, "TIME"), "MODEL")
	text = fileName.ReplaceAllString(anyID.ReplaceAllString(text, "ID"), "classifier-dataset-UID")
	text = mintedKey.ReplaceAllString(keyName.ReplaceAllString(text, "classifier-training-job-UID"), "KEY")
	if marker != "" {
		text = strings.ReplaceAll(text, marker, "MARKER")
	}
	return text
}
