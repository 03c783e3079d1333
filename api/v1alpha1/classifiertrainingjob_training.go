package v1alpha1

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
