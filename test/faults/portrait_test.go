package faults

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

var (
	anyTime = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	// anyGeneration counts the edits on the way.
	anyGeneration = regexp.MustCompile(`"observedGeneration": \d+`)
	// anyID is what tells one run from another: UIDs, and the IDs of jobs and files.
	anyID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	// modelID and fileName have parts of IDs.
	modelID  = regexp.MustCompile(`ft:classifier:[a-z0-9:.-]+`)
	fileName = regexp.MustCompile(`classifier-dataset-[0-9a-f]{8}`)
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
	if marker != "" {
		text = strings.ReplaceAll(text, marker, "MARKER")
	}
	return text
}

// checkFiles holds that the factory has each content once.
func (w *world) checkFiles() {
	w.Helper()
	seen := map[string]int{}
	for _, file := range w.remoteFiles() {
		seen[file.Filename]++
		if seen[file.Filename] > 1 {
			w.Errorf("the factory has %s %d times", file.Filename, seen[file.Filename])
		}
	}
}

// checkNothingLeft holds, after everything was deleted, that so many jobs were
// created and started, that all have ended, and that no file is left.
func (w *world) checkNothingLeft(jobs, starts int) {
	w.Helper()
	w.checkStarts(starts)
	if created := w.remoteJobs(); len(created) != jobs {
		w.Errorf("%d jobs were created, want %d: %+v", len(created), jobs, created)
	}
	if err := w.orphans(); err != nil {
		w.Error(err)
	}
}

// checkStarts holds that so many jobs were started, each of them once.
func (w *world) checkStarts(starts int) {
	w.Helper()
	w.proxy.mu.Lock()
	defer w.proxy.mu.Unlock()
	started := slices.Sorted(slices.Values(w.proxy.started))
	if distinct := slices.Compact(slices.Clone(started)); len(started) != starts || len(distinct) != starts {
		w.Errorf("%d starts of %d jobs, want one of each of %d: %v", len(started), len(distinct), starts, started)
	}
}

// orphans are what nobody looks after any more.
func (w *world) orphans() error {
	w.Helper()
	var problems []error
	for _, job := range w.remoteJobs() {
		if !job.Status.Finished() {
			problems = append(problems, fmt.Errorf("job %s is left, %s", job.ID, job.Status))
		}
	}
	for _, file := range w.remoteFiles() {
		problems = append(problems, fmt.Errorf("file %s is left", file.Filename))
	}
	return errors.Join(problems...)
}

func (w *world) remoteFiles() []mistral.File {
	w.Helper()
	list, err := w.factory.ListFiles(w.ctx, mistral.FileFilter{})
	if err != nil {
		w.Fatal(err)
	}
	return list.Data
}

func (w *world) remoteJobs() []mistral.Job {
	w.Helper()
	list, err := w.factory.ListJobs(w.ctx, mistral.JobFilter{})
	if err != nil {
		w.Fatal(err)
	}
	return list.Data
}
