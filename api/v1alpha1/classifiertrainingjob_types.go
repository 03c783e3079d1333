package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ClassifierTrainingJobSpec is one training run.
// +kubebuilder:validation:XValidation:rule="has(self.connectionSecretRef) == has(oldSelf.connectionSecretRef) && (!has(self.connectionSecretRef) || self.connectionSecretRef == oldSelf.connectionSecretRef)",message="connectionSecretRef is immutable: what is at one factory cannot be moved to another; change the Secret, or create another object"
// +kubebuilder:validation:XValidation:rule="has(self.importJobID) == has(oldSelf.importJobID) && (!has(self.importJobID) || self.importJobID == oldSelf.importJobID)",message="importJobID is immutable"
// +kubebuilder:validation:XValidation:rule="!has(self.importJobID) || !has(self.maxCost) && !has(self.activeDeadlineSeconds) && self.backoffLimit == 0 && !self.suspend && self.deletionPolicy != 'CancelAndDeleteModel'",message="importJobID only observes: maxCost, activeDeadlineSeconds, backoffLimit, suspend and deletionPolicy CancelAndDeleteModel cannot be used with it"
type ClassifierTrainingJobSpec struct {
	// training is what is trained on what. It cannot be changed: another run is another object.
	// +required
	Training Training `json:"training,omitzero"`

	// connectionSecretRef names the Secret with the factory's address (uri) and
	// key (api-key). Without it the operator's own connection is used. The
	// datasets must use the same connection.
	// +optional
	ConnectionSecretRef *SecretReference `json:"connectionSecretRef,omitempty"`

	// importJobID observes a job that exists already instead of creating one. Its
	// model is published as ever; the job is not started or cancelled, and training
	// only documents it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[0-9a-zA-Z-]+$`
	// +optional
	ImportJobID string `json:"importJobID,omitempty"`

	// suspend keeps the job from being started: it is created, validated and priced,
	// and waits. A job that was started cannot be suspended.
	// +kubebuilder:default=false
	// +optional
	Suspend *bool `json:"suspend,omitempty"`

	// maxCost keeps the job from being started when the factory's estimate is above it,
	// or is missing. It is for each try alone. A raised one lets the job start.
	// +optional
	MaxCost *Cost `json:"maxCost,omitempty"`

	// activeDeadlineSeconds is how long the job may take, all tries together, before
	// it is cancelled: from its start, and before that from its submission. The time
	// in which the validated job waits for its first start does not count.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=31536000
	// +optional
	ActiveDeadlineSeconds *int64 `json:"activeDeadlineSeconds,omitempty"`

	// backoffLimit is how many times a training that broke off (FAILED) is tried
	// again, after 10 seconds and then twice as long each time. Retries cost what runs
	// cost, so there are none by default. What was found invalid, or was cancelled, is
	// not tried again.
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10
	// +optional
	BackoffLimit *int32 `json:"backoffLimit,omitempty"`

	// ttlSecondsAfterFinished deletes this object, and with it the published Secret,
	// so long after the job ended; deletionPolicy applies. Without it the object stays.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=315360000
	// +optional
	TTLSecondsAfterFinished *int32 `json:"ttlSecondsAfterFinished,omitempty"`

	// deletionPolicy says what becomes of the job and its model when this object is deleted.
	// +kubebuilder:default=Cancel
	// +optional
	DeletionPolicy TrainingJobDeletionPolicy `json:"deletionPolicy,omitempty"`

	// output is where the model's ID and a key to use it are published.
	// +optional
	Output *TrainingOutput `json:"output,omitempty"`
}

// Cost is an amount of money.
type Cost struct {
	// amount of money, such as "5.00".
	// +required
	Amount Decimal `json:"amount,omitempty"`

	// currency as in ISO 4217.
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=3
	// +kubebuilder:validation:Pattern=`^[A-Z]{3}$`
	// +required
	Currency string `json:"currency,omitempty"`
}

// TrainingJobDeletionPolicy says what becomes of a job and its model.
// +kubebuilder:validation:Enum=Cancel;Retain;CancelAndDeleteModel
type TrainingJobDeletionPolicy string

// The deletion policies of a training job.
const (
	// TrainingJobCancel cancels the job if it runs and keeps a model that exists.
	TrainingJobCancel TrainingJobDeletionPolicy = "Cancel"
	// TrainingJobRetain leaves the job and its model alone.
	TrainingJobRetain TrainingJobDeletionPolicy = "Retain"
	// TrainingJobCancelAndDeleteModel cancels the job and deletes its model.
	TrainingJobCancelAndDeleteModel TrainingJobDeletionPolicy = "CancelAndDeleteModel"
)

// ClassifierTrainingJob is one training run of a classifier. Its model's ID is
// published as a Secret.
// +kubebuilder:validation:XValidation:rule="!self.spec.suspend || oldSelf.spec.suspend || !has(self.status) || !has(self.status.startTime) || has(self.status.completionTime)",message="spec.suspend: the job was started and cannot be suspended any more; delete it to cancel it"
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=ctj,categories=classifiers
// +kubebuilder:selectablefield:JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="Progress",type=integer,JSONPath=`.status.progress.percent`
// +kubebuilder:printcolumn:name="Score",type=string,JSONPath=`.status.score`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Model",type=string,priority=1,JSONPath=`.status.model.id`
// +kubebuilder:printcolumn:name="Cost",type=string,priority=1,JSONPath=`.status.cost.amount`
// +kubebuilder:printcolumn:name="Loss",type=string,priority=1,JSONPath=`.status.progress.metrics[?(@.name=="train_loss")].value`
// +kubebuilder:printcolumn:name="Job",type=string,priority=1,JSONPath=`.status.remoteJob.id`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type ClassifierTrainingJob struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what is wanted.
	// +required
	Spec ClassifierTrainingJobSpec `json:"spec,omitzero"`

	// status is what is.
	// +kubebuilder:default={observedGeneration:-1,state:"Pending",conditions:{{type:"Ready",status:"Unknown",reason:"Pending",message:"waiting for the operator",lastTransitionTime:"1970-01-01T00:00:00Z"}}}
	// +optional
	Status ClassifierTrainingJobStatus `json:"status,omitzero"`
}

// ClassifierTrainingJobList is a list of ClassifierTrainingJobs.
// +kubebuilder:object:root=true
type ClassifierTrainingJobList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []ClassifierTrainingJob `json:"items"`
}
