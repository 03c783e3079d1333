package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// stepState is how far a step is.
type stepState string

const (
	stepDone  stepState = "Done"
	stepBusy  stepState = "Busy"  // it goes on by itself
	stepStuck stepState = "Stuck" // somebody has to act
	stepAhead stepState = "Ahead" // its turn has not come
)

// step is one on the way from a source to a Secret.
type step struct {
	Name   string    `json:"name"`
	State  stepState `json:"state"`
	Reason string    `json:"reason,omitempty"`
	Text   string    `json:"text"`
}

// story is how an object came to be as it is. It is a function of the objects alone.
type story struct {
	Kind      string   `json:"kind"`
	Namespace string   `json:"namespace"`
	Name      string   `json:"name"`
	State     string   `json:"state"`
	Steps     []step   `json:"steps"`
	Notes     []string `json:"notes,omitempty"` // what stands in nobody's way
	Next      advice   `json:"next"`

	subject subject
}

// datasetStory goes from the source to the upload.
func datasetStory(dataset *classifierv1alpha1.ClassifierDataset) *story {
	s := &story{Kind: kindDataset, Namespace: dataset.Namespace, Name: dataset.Name, State: dataset.Status.State, subject: subjectOf(dataset)}
	s.addDataset(dataset)
	s.advise(dataset.Status.Conditions, classifierv1alpha1.ConditionReportPublished, classifierv1alpha1.ConditionValidated)
	return s
}

const (
	// cleanupTime is more than the two minutes that an operator keeps a deleted object at most.
	cleanupTime = 3 * time.Minute
	finalizer   = "classifierfactory.dev/factory-cleanup"
)

// adviseOnDeletion says of a deleted object that stays how it goes when there is no operator any more.
func (s *story) adviseOnDeletion(object metav1.Object, now time.Time) {
	deleted := object.GetDeletionTimestamp()
	if deleted == nil || now.Before(deleted.Add(cleanupTime)) || !slices.Contains(object.GetFinalizers(), finalizer) {
		return
	}
	s.Next = advice{operator, s.subject.about("no operator has let the deleted object go: see that one runs, or leave what it has at the factory there: " +
		`kubectl patch {resource} -n {namespace} --type=merge -p '{"metadata":{"finalizers":null}}'`)}
}

// jobStory goes from the sources of its datasets, of which some may not be there, to the Secret.
func jobStory(job *classifierv1alpha1.ClassifierTrainingJob, datasets []classifierv1alpha1.ClassifierDataset) *story {
	s := &story{Kind: kindJob, Namespace: job.Namespace, Name: job.Name, State: job.Status.State, subject: subjectOfJob(job)}
	for i := range datasets {
		s.addDataset(&datasets[i])
	}
	s.addJob(job)
	list := job.Status.Conditions
	s.advise(list, classifierv1alpha1.ConditionStarted, classifierv1alpha1.ConditionDatasetsReady, classifierv1alpha1.ConditionInputsCurrent)
	if condition(list, classifierv1alpha1.ConditionReady).Reason == classifierv1alpha1.ReasonDatasetNotReady {
		for i := range datasets {
			if ready := condition(datasets[i].Status.Conditions, classifierv1alpha1.ConditionReady); ready.Status != metav1.ConditionTrue {
				s.Next = adviceOn(ready.Reason, subjectOf(&datasets[i]))
				break
			}
		}
	}
	return s
}

// advise says what is next: what stands in the object's way, or else what of the other
// conditions is worth a look. Those are notes, too.
func (s *story) advise(list []metav1.Condition, others ...string) {
	ready := condition(list, classifierv1alpha1.ConditionReady)
	s.Next = adviceOn(ready.Reason, s.subject)
	for _, kind := range others {
		other := condition(list, kind)
		if advises := adviceOn(other.Reason, s.subject); other.Reason != "" && other.Reason != ready.Reason && advises.Who != nobody && isAside(other) {
			s.Notes = append(s.Notes, other.Reason+": "+other.Message)
			if ready.Status == metav1.ConditionTrue && kind != classifierv1alpha1.ConditionValidated { // most data has warnings
				s.Next = advises
			}
		}
	}
	if reach := condition(list, classifierv1alpha1.ConditionFactoryReachable); reach.Status == metav1.ConditionFalse && reach.Reason != ready.Reason {
		s.Notes = append(s.Notes, "the factory: "+reach.Message)
	}
}

// isAside reports whether a condition keeps its object from nothing.
func isAside(c metav1.Condition) bool {
	return c.Status == metav1.ConditionTrue || c.Type == classifierv1alpha1.ConditionInputsCurrent || c.Type == classifierv1alpha1.ConditionReportPublished
}

func (s *story) addDataset(dataset *classifierv1alpha1.ClassifierDataset) {
	status := &dataset.Status
	from := len(s.Steps)
	s.add(status.Conditions, classifierv1alpha1.ConditionSourceReady, "source", sourceOf(&dataset.Spec.Source))
	s.add(status.Conditions, classifierv1alpha1.ConditionValidated, "dataset", dataset.Name+": "+contentOf(status))
	s.add(status.Conditions, classifierv1alpha1.ConditionUploaded, "upload", filesOf(status))
	s.block(from, status.Conditions)
}

func (s *story) addJob(job *classifierv1alpha1.ClassifierTrainingJob) {
	status := &job.Status
	from := len(s.Steps)
	submitted := "the factory has it"
	if status.RemoteJob != nil {
		submitted += " as " + status.RemoteJob.ID
	}
	if ready := condition(status.Conditions, classifierv1alpha1.ConditionDatasetsReady); ready.Status == metav1.ConditionFalse && !isTrue(status.Conditions, classifierv1alpha1.ConditionSubmitted) {
		s.Steps = append(s.Steps, step{"job", stepAhead, ready.Reason, ready.Message})
	} else {
		s.add(status.Conditions, classifierv1alpha1.ConditionSubmitted, "job", submitted)
	}
	s.add(status.Conditions, classifierv1alpha1.ConditionStarted, "start", "the factory was told to start it")
	s.addTraining(job)
	s.add(status.Conditions, classifierv1alpha1.ConditionOutputPublished, "Secret", publishedOf(status))
	s.block(from, status.Conditions)
}

// addTraining tells of the training, and of the model that came of it.
func (s *story) addTraining(job *classifierv1alpha1.ClassifierTrainingJob) {
	status := &job.Status
	failed := condition(status.Conditions, classifierv1alpha1.ConditionFailed)
	switch {
	case failed.Status == metav1.ConditionTrue:
		s.Steps = append(s.Steps, step{"model", stepStuck, failed.Reason, failed.Message})
	case status.Model != nil:
		s.Steps = append(s.Steps, step{"model", stepDone, classifierv1alpha1.ReasonSucceeded, modelOf(job)})
	case isTrue(status.Conditions, classifierv1alpha1.ConditionStarted):
		s.Steps = append(s.Steps, step{"model", stepBusy, classifierv1alpha1.ReasonTraining, progressOf(status)})
	default:
		s.Steps = append(s.Steps, step{Name: "model", State: stepAhead})
	}
}

// add adds the step that a condition is about.
func (s *story) add(list []metav1.Condition, kind, name, done string) {
	c := condition(list, kind)
	added := step{Name: name, State: stepAhead, Reason: c.Reason}
	switch {
	case c.Status == metav1.ConditionTrue:
		added.State, added.Text = stepDone, done
	case c.Reason != "" && advices[c.Reason].who == nobody:
		added.State, added.Text = stepBusy, c.Message
	case c.Reason != "":
		added.State, added.Text = stepStuck, c.Message
	}
	s.Steps = append(s.Steps, added)
}

// block sees to it that what keeps an object from being Ready stands at a step: at the
// one that has its reason, or else at the first that is not done; a model that is lost, at
// the one that says what came of it.
func (s *story) block(from int, list []metav1.Condition) {
	ready := condition(list, classifierv1alpha1.ConditionReady)
	steps := s.Steps[from:]
	if ready.Status == metav1.ConditionTrue || ready.Reason == "" {
		return
	}
	at := -1
	for i := range steps {
		if steps[i].Reason == ready.Reason && steps[i].State != stepDone {
			at = i
			break
		}
		if at < 0 && steps[i].State != stepDone {
			at = i
		}
	}
	if at < 0 {
		at = len(steps) - 2 // before the Secret; of a dataset, what was validated
	}
	state := stepStuck
	switch {
	case ready.Reason == classifierv1alpha1.ReasonDatasetNotReady:
		state = stepAhead // the dataset's own steps say why
	case advices[ready.Reason].who == nobody:
		state = stepBusy
	}
	if steps[at].State == stepBusy && steps[at].Text != "" && state == stepBusy {
		return // it says more
	}
	steps[at].State, steps[at].Reason, steps[at].Text = state, ready.Reason, ready.Message
	for i := range steps[at+1:] {
		if later := &steps[at+1+i]; later.State == stepStuck { // because of this one
			later.State, later.Text = stepAhead, ""
		}
	}
}

func isTrue(list []metav1.Condition, kind string) bool { return meta.IsStatusConditionTrue(list, kind) }

func subjectOf(dataset *classifierv1alpha1.ClassifierDataset) subject {
	s := subject{kind: kindDataset, namespace: dataset.Namespace, name: dataset.Name}
	if ref := dataset.Spec.ConnectionSecretRef; ref != nil {
		s.connection = ref.Name
	}
	if storage := dataset.Spec.Source.ObjectStorage; storage != nil && storage.CredentialsSecretRef != nil {
		s.credentials = storage.CredentialsSecretRef.Name
	}
	if dataset.Spec.Report != nil {
		s.report = dataset.Spec.Report.ConfigMapName
	}
	return s
}

func subjectOfJob(job *classifierv1alpha1.ClassifierTrainingJob) subject {
	s := subject{kind: kindJob, namespace: job.Namespace, name: job.Name, secret: secretName(job)}
	if ref := job.Spec.ConnectionSecretRef; ref != nil {
		s.connection = ref.Name
	}
	if wandb := job.Spec.Training.WeightsAndBiases; wandb != nil {
		s.credentials = wandb.APIKeySecretRef.Name
	}
	if job.Status.Model != nil {
		s.model = job.Status.Model.ID
	}
	if job.Status.RemoteJob != nil {
		s.remoteJob = job.Status.RemoteJob.ID
	}
	return s
}

// secretName is where a job publishes its model.
func secretName(job *classifierv1alpha1.ClassifierTrainingJob) string {
	if job.Spec.Output != nil {
		return orElse(job.Spec.Output.SecretName, job.Name)
	}
	return job.Name
}

func sourceOf(source *classifierv1alpha1.DatasetSource) string {
	switch {
	case source.Inline != nil:
		return "inline"
	case source.ObjectStorage != nil:
		return source.ObjectStorage.URL
	}
	var keys []string
	for _, key := range source.ConfigMaps {
		keys = append(keys, key.Name+"/"+key.Key)
	}
	return "ConfigMap " + strings.Join(keys, ", ")
}

func contentOf(status *classifierv1alpha1.ClassifierDatasetStatus) string {
	if status.Samples == nil || status.LabelCount == nil {
		return "valid"
	}
	return fmt.Sprintf("%d samples, %d labels", status.Samples.Total, *status.LabelCount)
}

func filesOf(status *classifierv1alpha1.ClassifierDatasetStatus) string {
	var files []string
	for _, file := range status.Files {
		files = append(files, fmt.Sprintf("%s (%d samples)", file.Split, file.Samples))
	}
	return "the factory has " + strings.Join(files, ", ")
}

func modelOf(job *classifierv1alpha1.ClassifierTrainingJob) string {
	text := job.Status.Model.ID
	if job.Status.Score != "" {
		text += ", score " + string(job.Status.Score)
	}
	if took := duration(job); took != "" {
		text += ", trained in " + took
	}
	return text
}

// duration of a training that has ended.
func duration(job *classifierv1alpha1.ClassifierTrainingJob) string {
	if job.Status.StartTime == nil || job.Status.CompletionTime == nil {
		return ""
	}
	return job.Status.CompletionTime.Sub(job.Status.StartTime.Time).Round(time.Second).String()
}

func publishedOf(status *classifierv1alpha1.ClassifierTrainingJobStatus) string {
	if status.Binding == nil {
		return "published"
	}
	if status.APIKeyName == "" {
		return status.Binding.Name + ", without a key of its own"
	}
	return status.Binding.Name + ", with a key to classify"
}

// progressOf is a line such as "RUNNING 60 %, step 60 of 100, 3s to go".
func progressOf(status *classifierv1alpha1.ClassifierTrainingJobStatus) string {
	text := status.State
	progress := status.Progress
	if progress == nil {
		return text
	}
	text += fmt.Sprintf(" %d %%, step %d", progress.Percent, progress.Step)
	if progress.TotalSteps != nil {
		text += fmt.Sprintf(" of %d", *progress.TotalSteps)
	}
	if left := progress.EstimatedRemainingSeconds; left != nil && *left > 0 {
		text += fmt.Sprintf(", %s to go", time.Duration(*left)*time.Second)
	}
	return text
}
