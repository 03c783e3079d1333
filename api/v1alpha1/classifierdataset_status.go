package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ClassifierDatasetStatus is what is known of the samples and their uploaded files.
// +kubebuilder:validation:MinProperties=1
type ClassifierDatasetStatus struct {
	// conditions are the dataset's state. Ready is always there; Reconciling and
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

	// state is one word for how things are: the reason that Ready has.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +optional
	State string `json:"state,omitempty"`

	// lastHandledReconcileAt repeats the reconcile.classifierfactory.dev/requestedAt annotation.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`

	// source identifies what was read last.
	// +optional
	Source *SourceStatus `json:"source,omitempty"`

	// inputType of the samples.
	// +optional
	InputType InputType `json:"inputType,omitempty"`

	// samples are counts of what was read.
	// +optional
	Samples *SampleCounts `json:"samples,omitempty"`

	// labelCount is how many labels all targets have together.
	// +kubebuilder:validation:Minimum=0
	// +optional
	LabelCount *int32 `json:"labelCount,omitempty"`

	// targets are what the labels answer, with their labels as far as they fit.
	// +kubebuilder:validation:MaxItems=20
	// +listType=map
	// +listMapKey=name
	// +optional
	Targets []TargetStatus `json:"targets,omitempty"`

	// invalidSamples are the first samples that no server would accept. Never their content.
	// +kubebuilder:validation:MaxItems=10
	// +listType=atomic
	// +optional
	InvalidSamples []InvalidSample `json:"invalidSamples,omitempty"`

	// warnings are what to look at before training.
	// +kubebuilder:validation:MaxItems=32
	// +listType=atomic
	// +optional
	Warnings []DatasetWarning `json:"warnings,omitempty"`

	// report is what there is to know of the samples before they are trained on.
	// +optional
	Report *DatasetReport `json:"report,omitempty"`

	// files are what the samples were, or are about to be, uploaded as.
	// +kubebuilder:validation:MaxItems=3
	// +listType=map
	// +listMapKey=split
	// +optional
	Files []DatasetFile `json:"files,omitempty"`

	// history holds earlier revisions whose files still exist, newest first.
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +optional
	History []DatasetRevision `json:"history,omitempty"`
}

// SourceStatus identifies what was read.
type SourceStatus struct {
	// revision changes when the source's content or the way it is prepared does.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +required
	Revision string `json:"revision,omitempty"`

	// sizeBytes that were read.
	// +kubebuilder:validation:Minimum=0
	// +required
	SizeBytes int64 `json:"sizeBytes"`
}

// SampleCounts are counts of samples.
type SampleCounts struct {
	// total number of samples that were read.
	// +kubebuilder:validation:Minimum=0
	// +required
	Total int64 `json:"total"`

	// invalid is how many of them no server would accept.
	// +kubebuilder:validation:Minimum=0
	// +required
	Invalid int64 `json:"invalid"`

	// duplicate is how many of them were left out as duplicates.
	// +kubebuilder:validation:Minimum=0
	// +required
	Duplicate int64 `json:"duplicate"`

	// filtered is how many records were read besides, and left out by the mapping's filters.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Filtered int64 `json:"filtered,omitempty"`

	// dropped is how many of them were left out by the limits on samples a label, or
	// because they would validate what is not trained.
	// +kubebuilder:validation:Minimum=0
	// +required
	Dropped int64 `json:"dropped"`
}

// TargetStatus is one target of the samples.
type TargetStatus struct {
	// name of the target.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +required
	Name string `json:"name,omitempty"`

	// type of the target.
	// +required
	Type TargetType `json:"type,omitempty"`

	// labelCount is how many labels the target has.
	// +kubebuilder:validation:Minimum=0
	// +required
	LabelCount int32 `json:"labelCount"`

	// labels of the target by name. Where all would be too many, the first of them.
	// +kubebuilder:validation:MaxItems=256
	// +listType=map
	// +listMapKey=name
	// +optional
	Labels []LabelStatus `json:"labels,omitempty"`
}

// LabelStatus is one label of a target.
type LabelStatus struct {
	// name of the label.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +required
	Name string `json:"name,omitempty"`

	// samples is how many samples have it.
	// +kubebuilder:validation:Minimum=0
	// +required
	Samples int64 `json:"samples"`

	// train is how many of them are in the Train file. Without a split there is none.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Train *int64 `json:"train,omitempty"`

	// validation is how many of them are in the Validation file.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Validation *int64 `json:"validation,omitempty"`

	// test is how many of them are in the Test file.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Test *int64 `json:"test,omitempty"`
}

// InvalidSample says where a sample is that no server would accept, and why.
type InvalidSample struct {
	// part of the source: a key of a ConfigMap, an object's name, a file in an archive.
	// Long ones lose their start. Absent for inline data.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Part string `json:"part,omitempty"`

	// line of the part on which the sample starts, from 1; of Parquet the row.
	// +kubebuilder:validation:Minimum=1
	// +required
	Line int64 `json:"line,omitempty"`

	// column is the byte of the line, from 1, at which reading stopped. Absent where the
	// whole sample is meant.
	// +kubebuilder:validation:Minimum=1
	// +optional
	Column int64 `json:"column,omitempty"`

	// reason is one word for what is wrong.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	Reason string `json:"reason,omitempty"`

	// detail says what is wrong in a sentence, without anything of the sample.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +optional
	Detail string `json:"detail,omitempty"`
}

// DatasetWarning is something that valid samples are better without.
type DatasetWarning struct {
	// reason is one word for what it is.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	Reason string `json:"reason,omitempty"`

	// message says it in a sentence, without anything of a sample's text.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +required
	Message string `json:"message,omitempty"`
}

// InputType says what the samples are. A dataset holds one type only.
// +kubebuilder:validation:Enum=Text;Chat
type InputType string

// The input types of a dataset.
const (
	InputText InputType = "Text" // rows with text
	InputChat InputType = "Chat" // rows with messages
)

// TargetType says how many labels of a target a sample has.
// +kubebuilder:validation:Enum=SingleLabel;MultiLabel
type TargetType string

// The types of a target.
const (
	SingleLabel TargetType = "SingleLabel" // exactly one
	MultiLabel  TargetType = "MultiLabel"  // a list
)
