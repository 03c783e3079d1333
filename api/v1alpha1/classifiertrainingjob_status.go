package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ClassifierTrainingJobStatus is what is known of the run.
// +kubebuilder:validation:MinProperties=1
type ClassifierTrainingJobStatus struct {
	// conditions are the job's state. Ready is always there; Reconciling and
	// Stalled only while true.
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status speaks of; -1 before the first.
	// +kubebuilder:validation:Minimum=-1
	// +optional
	ObservedGeneration *int64 `json:"observedGeneration,omitempty"`

	// state is one word for how things are: the remote job's state while there is
	// one and nobody has to act, else the reason that Ready has.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +optional
	State string `json:"state,omitempty"`

	// lastHandledReconcileAt repeats the reconcile.classifierfactory.dev/requestedAt annotation.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`

	// attempt is the current try. It is written before the job is created, so
	// that a job whose creation was not recorded is found again.
	// +optional
	Attempt *Attempt `json:"attempt,omitempty"`

	// remoteJob is the job at the factory.
	// +optional
	RemoteJob *RemoteJob `json:"remoteJob,omitempty"`

	// inputs are the files that the job reads, pinned when it was submitted.
	// +kubebuilder:validation:MaxItems=128
	// +listType=atomic
	// +optional
	Inputs []PinnedInput `json:"inputs,omitempty"`

	// startTime is when the factory was first told to start a job.
	// +optional
	StartTime *metav1.Time `json:"startTime,omitempty"`

	// completionTime is when the job was seen to have ended, in success or failure.
	// +optional
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`

	// progress of the training.
	// +optional
	Progress *TrainingProgress `json:"progress,omitempty"`

	// score is how good the model is, from "0" to "1": the macro F1 that the factory
	// measured, of several targets the mean. Absent where none is measured.
	// +optional
	Score Decimal `json:"score,omitempty"`

	// lossHistory is the course of the losses, thinned out to fit.
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=step
	// +optional
	LossHistory []LossPoint `json:"lossHistory,omitempty"`

	// learningCurves say of each target whether more samples would help, as far as the
	// factory measured it.
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=target
	// +optional
	LearningCurves []LearningCurve `json:"learningCurves,omitempty"`

	// cost that the factory estimates.
	// +optional
	Cost *Cost `json:"cost,omitempty"`

	// weightsAndBiasesURL is the run's page at Weights & Biases.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	WeightsAndBiasesURL string `json:"weightsAndBiasesURL,omitempty"`

	// trainedTokens when the job has ended.
	// +kubebuilder:validation:Minimum=0
	// +optional
	TrainedTokens *int64 `json:"trainedTokens,omitempty"`

	// model is the classifier that came of it.
	// +optional
	Model *ModelStatus `json:"model,omitempty"`

	// binding names the published Secret, as Service Binding's Provisioned Service asks.
	// +optional
	Binding *BindingStatus `json:"binding,omitempty"`

	// apiKeyName is the name that the key of the published Secret has at the factory;
	// absent if there is none.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +optional
	APIKeyName string `json:"apiKeyName,omitempty"`

	// failures of the attempts, the last ones.
	// +kubebuilder:validation:MaxItems=11
	// +listType=map
	// +listMapKey=attempt
	// +optional
	Failures []AttemptFailure `json:"failures,omitempty"`
}

// PinnedInput is a file that a job reads.
type PinnedInput struct {
	// dataset that the file is of.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Dataset string `json:"dataset,omitempty"`

	// split that the job uses the file as.
	// +required
	Split Split `json:"split,omitempty"`

	// digest of the file's content.
	// +kubebuilder:validation:Pattern=`^sha256:[0-9a-f]{64}$`
	// +kubebuilder:validation:MinLength=71
	// +kubebuilder:validation:MaxLength=71
	// +required
	Digest string `json:"digest,omitempty"`

	// fileID at the factory.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +required
	FileID string `json:"fileID,omitempty"`
}

// ModelStatus is a trained model.
type ModelStatus struct {
	// id to classify with.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +required
	ID string `json:"id,omitempty"`
}

// BindingStatus names a Secret to bind to.
type BindingStatus struct {
	// name of the Secret.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Name string `json:"name,omitempty"`
}
