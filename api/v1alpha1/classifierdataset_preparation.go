package v1alpha1

// DatasetPreparation is what happens to samples between reading and uploading.
type DatasetPreparation struct {
	// invalidSamples says what to do with samples that no server would accept.
	// +kubebuilder:default=Fail
	// +optional
	InvalidSamples InvalidSamplePolicy `json:"invalidSamples,omitempty"`

	// maxInvalidPercent is how many samples of a hundred, and how many bytes of a
	// hundred in them, may be skipped before the dataset is refused after all. Only
	// with invalidSamples: Skip.
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	// +optional
	MaxInvalidPercent *int32 `json:"maxInvalidPercent,omitempty"`

	// duplicates says what to do with samples that occur more than once.
	// +kubebuilder:default=Keep
	// +optional
	Duplicates DuplicatePolicy `json:"duplicates,omitempty"`

	// minSamplesPerLabel drops labels with fewer samples.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000000
	// +optional
	MinSamplesPerLabel *int32 `json:"minSamplesPerLabel,omitempty"`

	// maxSamplesPerLabel samples labels with more of them down.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000000
	// +optional
	MaxSamplesPerLabel *int32 `json:"maxSamplesPerLabel,omitempty"`

	// split sets samples aside for validation and test. Each input has the same
	// chance, so that every label gets about its share.
	// +optional
	Split *DatasetSplit `json:"split,omitempty"`

	// seed of everything random.
	// +kubebuilder:default=42
	// +kubebuilder:validation:Minimum=0
	// +optional
	Seed *int64 `json:"seed,omitempty"`
}

// InvalidSamplePolicy says what to do with samples that no server would accept.
// +kubebuilder:validation:Enum=Fail;Skip
type InvalidSamplePolicy string

// The policies for invalid samples.
const (
	InvalidSamplesFail InvalidSamplePolicy = "Fail"
	InvalidSamplesSkip InvalidSamplePolicy = "Skip"
)

// DuplicatePolicy says what to do with samples that occur more than once.
// +kubebuilder:validation:Enum=Keep;Drop
type DuplicatePolicy string

// The policies for duplicates.
const (
	DuplicatesKeep DuplicatePolicy = "Keep"
	DuplicatesDrop DuplicatePolicy = "Drop"
)

// SplitMethod says how samples are set aside.
// +kubebuilder:validation:Enum=Hash;Stratified
type SplitMethod string

// The methods of a split.
const (
	// SplitHash gives each input the same chance. No sample ever moves because others come or go.
	SplitHash SplitMethod = "Hash"
	// SplitStratified gives each label its share of every split. Samples may move when others come or go.
	SplitStratified SplitMethod = "Stratified"
)

// DatasetSplit is how many samples of a hundred are set aside.
// +kubebuilder:validation:XValidation:rule="(has(self.validationPercent) ? self.validationPercent : 0) + (has(self.testPercent) ? self.testPercent : 0) < 100",message="validationPercent and testPercent must leave samples for training"
// +kubebuilder:validation:MinProperties=1
type DatasetSplit struct {
	// method of choosing the samples. Hash gives each input the same chance and never
	// moves one; Stratified gives each label its share of every split.
	// +kubebuilder:default=Hash
	// +optional
	Method SplitMethod `json:"method,omitempty"`

	// validationPercent of the samples steer the training.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=99
	// +optional
	ValidationPercent *int32 `json:"validationPercent,omitempty"`

	// testPercent of the samples are never seen by the training.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=99
	// +optional
	TestPercent *int32 `json:"testPercent,omitempty"`
}
