package v1alpha1

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
