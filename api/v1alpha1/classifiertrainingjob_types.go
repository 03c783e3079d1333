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

// Training is what is trained on what.
//
// It is immutable field by field, for an absent weight is the same as "1": that was once a
// default of the schema, and so was written down.
// +kubebuilder:validation:XValidation:rule="has(self.validationDatasets) == has(oldSelf.validationDatasets) && has(self.targets) == has(oldSelf.targets) && has(self.hyperparameters) == has(oldSelf.hyperparameters) && has(self.suffix) == has(oldSelf.suffix) && has(self.invalidSampleSkipFraction) == has(oldSelf.invalidSampleSkipFraction) && has(self.weightsAndBiases) == has(oldSelf.weightsAndBiases)",message="training is immutable; create another ClassifierTrainingJob instead"
type Training struct {
	// model to start from.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="training is immutable; create another ClassifierTrainingJob instead"
	// +kubebuilder:default=ministral-3b-latest
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9][-._:/a-zA-Z0-9]*$`
	// +optional
	Model string `json:"model,omitempty"`

	// datasets to train on: the Train files of each.
	// +kubebuilder:validation:XValidation:rule="size(self) == size(oldSelf) && self.all(item, oldSelf.exists(old, old.name == item.name))",message="training is immutable; create another ClassifierTrainingJob instead"
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=name
	// +required
	Datasets []TrainingDataset `json:"datasets,omitempty"`

	// validationDatasets steer the training and are not learned from. Default: the
	// Validation files of datasets.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="training is immutable; create another ClassifierTrainingJob instead"
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=name
	// +optional
	ValidationDatasets []DatasetReference `json:"validationDatasets,omitempty"`

	// targets that the classifier answers. Default: those of the data.
	// +kubebuilder:validation:XValidation:rule="size(self) == size(oldSelf) && self.all(item, oldSelf.exists(old, old.name == item.name))",message="training is immutable; create another ClassifierTrainingJob instead"
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	// +listType=map
	// +listMapKey=name
	// +optional
	Targets []TrainingTarget `json:"targets,omitempty"`

	// hyperparameters of the training. What is absent is the factory's choice.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="training is immutable; create another ClassifierTrainingJob instead"
	// +optional
	Hyperparameters *Hyperparameters `json:"hyperparameters,omitempty"`

	// suffix becomes part of the model's name where the factory does that. It
	// shares 18 characters with a marker of the operator's, so that a long one is cut.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="training is immutable; create another ClassifierTrainingJob instead"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=18
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9][-a-zA-Z0-9]*$`
	// +optional
	Suffix string `json:"suffix,omitempty"`

	// invalidSampleSkipFraction of the samples may be invalid, "0" to "0.5"; the factory skips them.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="training is immutable; create another ClassifierTrainingJob instead"
	// +kubebuilder:validation:XValidation:rule="double(self) <= 0.5",message="invalidSampleSkipFraction must be between 0 and 0.5"
	// +optional
	InvalidSampleSkipFraction Decimal `json:"invalidSampleSkipFraction,omitempty"`

	// weightsAndBiases reports the training to Weights & Biases.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="training is immutable; create another ClassifierTrainingJob instead"
	// +optional
	WeightsAndBiases *WeightsAndBiases `json:"weightsAndBiases,omitempty"`
}

// TrainingDataset is a dataset to train on.
// +kubebuilder:validation:XValidation:rule="(has(self.weight) ? self.weight : '1') == (has(oldSelf.weight) ? oldSelf.weight : '1')",message="training is immutable; create another ClassifierTrainingJob instead"
type TrainingDataset struct {
	// name of the ClassifierDataset.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Name string `json:"name,omitempty"`

	// weight of the dataset's samples beside those of the others. Default: "1", which the
	// schema does not fill in, or else `kubectl apply` would find the list changed each time.
	// +kubebuilder:validation:XValidation:rule="double(self) > 0.0",message="weight must be greater than 0"
	// +optional
	Weight Decimal `json:"weight,omitempty"`
}

// TrainingTarget is a question that the classifier answers about each text.
// +kubebuilder:validation:XValidation:rule="self.labels == oldSelf.labels && has(self.lossFunction) == has(oldSelf.lossFunction) && (!has(self.lossFunction) || self.lossFunction == oldSelf.lossFunction) && (has(self.weight) ? self.weight : '1') == (has(oldSelf.weight) ? oldSelf.weight : '1')",message="training is immutable; create another ClassifierTrainingJob instead"
type TrainingTarget struct {
	// name of the target, as in the data.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +required
	Name string `json:"name,omitempty"`

	// labels to choose from.
	// +kubebuilder:validation:MinItems=2
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	// +listType=set
	// +required
	Labels []string `json:"labels,omitempty"`

	// weight of the target beside the others. Default: "1".
	// +optional
	Weight Decimal `json:"weight,omitempty"`

	// lossFunction is SingleClass where a sample has exactly one label and
	// MultiClass where it has a list. Default: what the data has.
	// +optional
	LossFunction LossFunction `json:"lossFunction,omitempty"`
}

// LossFunction says whether labels exclude each other.
// +kubebuilder:validation:Enum=SingleClass;MultiClass
type LossFunction string

// The loss functions.
const (
	SingleClass LossFunction = "SingleClass"
	MultiClass  LossFunction = "MultiClass"
)

// Hyperparameters of a training.
// +kubebuilder:validation:MinProperties=1
type Hyperparameters struct {
	// trainingSteps to take.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	// +optional
	TrainingSteps *int64 `json:"trainingSteps,omitempty"`

	// learningRate at its peak, "1e-8" to "1".
	// +kubebuilder:validation:XValidation:rule="double(self) >= 0.00000001 && double(self) <= 1.0",message="learningRate must be between 1e-8 and 1"
	// +optional
	LearningRate Decimal `json:"learningRate,omitempty"`

	// weightDecay pulls the weights to zero, "0" to "1".
	// +kubebuilder:validation:XValidation:rule="double(self) <= 1.0",message="weightDecay must be between 0 and 1"
	// +optional
	WeightDecay Decimal `json:"weightDecay,omitempty"`

	// warmupFraction of the steps until the learning rate is at its peak, "0" to "1".
	// +kubebuilder:validation:XValidation:rule="double(self) <= 1.0",message="warmupFraction must be between 0 and 1"
	// +optional
	WarmupFraction Decimal `json:"warmupFraction,omitempty"`

	// epochs is how often each sample is seen, in place of trainingSteps.
	// +kubebuilder:validation:XValidation:rule="double(self) > 0.0",message="epochs must be greater than 0"
	// +optional
	Epochs Decimal `json:"epochs,omitempty"`

	// sequenceLength is where a sample is cut, in tokens.
	// +kubebuilder:validation:Minimum=100
	// +kubebuilder:validation:Maximum=1048576
	// +optional
	SequenceLength *int64 `json:"sequenceLength,omitempty"`
}

// WeightsAndBiases is where the training is reported to.
type WeightsAndBiases struct {
	// project of Weights & Biases.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +required
	Project string `json:"project,omitempty"`

	// name shown for the job. Default: its ID.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +optional
	Name string `json:"name,omitempty"`

	// runName of the run.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +optional
	RunName string `json:"runName,omitempty"`

	// apiKeySecretRef is the Secret and key with the API key.
	// +required
	APIKeySecretRef SecretKeyReference `json:"apiKeySecretRef,omitzero"`
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

// OutputAPIKey says whether the published Secret has a key.
// +kubebuilder:validation:Enum=Mint;None
type OutputAPIKey string

const (
	// OutputAPIKeyMint lets the factory make a key for this object's model alone.
	OutputAPIKeyMint OutputAPIKey = "Mint"
	// OutputAPIKeyNone leaves the Secret without a key.
	OutputAPIKeyNone OutputAPIKey = "None"
)

// TrainingOutput is where the model's ID is published, and with what.
// +kubebuilder:validation:MinProperties=1
type TrainingOutput struct {
	// secretName of the published Secret. Default: this object's name.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$`
	// +optional
	SecretName string `json:"secretName,omitempty"`

	// apiKey says whether the Secret has the key api-key: Mint lets the factory make one
	// that may classify with this model and do nothing else, and revokes it when this
	// object is deleted; None publishes none. A factory that mints no keys, such as the
	// hosted service, publishes none either way.
	// +kubebuilder:default=Mint
	// +optional
	APIKey OutputAPIKey `json:"apiKey,omitempty"`
}

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

// Attempt is one try to get the job done.
type Attempt struct {
	// number of the try, from 1.
	// +kubebuilder:validation:Minimum=1
	// +required
	Number int32 `json:"number,omitempty"`

	// marker rides in the remote job's suffix, by which the job is recognised.
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=8
	// +required
	Marker string `json:"marker,omitempty"`

	// pendingSince is when this was written. The creation came after.
	// +required
	PendingSince metav1.Time `json:"pendingSince,omitzero"`

	// startTime is when the operator set out to start this try's job, or saw that
	// somebody else had. It is written before the start.
	// +optional
	StartTime *metav1.Time `json:"startTime,omitempty"`
}

// RemoteJob is a job at the factory.
type RemoteJob struct {
	// id of the job.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +required
	ID string `json:"id,omitempty"`

	// state as the factory calls it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +optional
	State string `json:"state,omitempty"`

	// createdAt by the factory's clock.
	// +optional
	CreatedAt *metav1.Time `json:"createdAt,omitempty"`

	// modifiedAt by the factory's clock.
	// +optional
	ModifiedAt *metav1.Time `json:"modifiedAt,omitempty"`
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

// TrainingProgress is how far a training is.
type TrainingProgress struct {
	// percent of the steps.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	// +required
	Percent int32 `json:"percent"`

	// step that was reached.
	// +kubebuilder:validation:Minimum=0
	// +required
	Step int64 `json:"step"`

	// totalSteps of the training, where they are known.
	// +kubebuilder:validation:Minimum=1
	// +optional
	TotalSteps *int64 `json:"totalSteps,omitempty"`

	// estimatedRemainingSeconds until the training ends.
	// +kubebuilder:validation:Minimum=0
	// +optional
	EstimatedRemainingSeconds *int64 `json:"estimatedRemainingSeconds,omitempty"`

	// metrics of the last checkpoint.
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=name
	// +optional
	Metrics []Metric `json:"metrics,omitempty"`
}

// Metric is a measured number.
type Metric struct {
	// name of the metric.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=192
	// +required
	Name string `json:"name,omitempty"`

	// value of the metric.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=24
	// +kubebuilder:validation:Pattern=`^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?$`
	// +required
	Value string `json:"value,omitempty"`
}

// LearningCurve is how good models of parts of the samples are at a target.
type LearningCurve struct {
	// target that is measured.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +required
	Target string `json:"target,omitempty"`

	// outlook is what the points say of more samples, in a sentence.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +required
	Outlook string `json:"outlook,omitempty"`

	// points from the smallest part of the samples to all. Models of parts are trained in a
	// short way, all alike, so that they are a little worse than what score says.
	// +kubebuilder:validation:MinItems=2
	// +kubebuilder:validation:MaxItems=4
	// +listType=map
	// +listMapKey=samples
	// +required
	Points []LearningCurvePoint `json:"points,omitempty"`
}

// LearningCurvePoint is how good a model of some samples is.
type LearningCurvePoint struct {
	// samples that were trained on.
	// +kubebuilder:validation:Minimum=1
	// +required
	Samples int64 `json:"samples,omitempty"`

	// f1Micro from "0" to "1"; where a sample has one label, the accuracy.
	// +required
	F1Micro Decimal `json:"f1Micro,omitempty"`
}

// LossPoint is the losses at a step.
type LossPoint struct {
	// step of the training.
	// +kubebuilder:validation:Minimum=0
	// +required
	Step int64 `json:"step"`

	// train is the loss on the training samples.
	// +optional
	Train Decimal `json:"train,omitempty"`

	// validation is the loss on the validation samples.
	// +optional
	Validation Decimal `json:"validation,omitempty"`
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

// AttemptFailure is how a try ended.
type AttemptFailure struct {
	// attempt that failed.
	// +kubebuilder:validation:Minimum=1
	// +required
	Attempt int32 `json:"attempt,omitempty"`

	// reason of the failure, as in the Failed condition.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	Reason string `json:"reason,omitempty"`

	// message says more.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Message string `json:"message,omitempty"`

	// time when the failure was seen.
	// +required
	Time metav1.Time `json:"time,omitzero"`
}

// ClassifierTrainingJob is one training run of a classifier. Its model's ID is
// published as a Secret.
// +kubebuilder:validation:XValidation:rule="!self.spec.suspend || oldSelf.spec.suspend || !has(self.status) || !has(self.status.startTime) || has(self.status.completionTime)",message="spec.suspend: the job was started and cannot be suspended any more; delete it to cancel it"
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=ctj,categories=classifiers
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
