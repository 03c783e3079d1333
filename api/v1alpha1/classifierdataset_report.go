package v1alpha1

// DatasetReportRequest asks for the full report on the samples.
type DatasetReportRequest struct {
	// configMapName is the ConfigMap that report.json is written to. It is owned by the
	// dataset; one that is somebody else's is not touched.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +required
	ConfigMapName string `json:"configMapName,omitempty"`
}

// DatasetReport is what there is to know of samples before they are trained on. It never
// has anything of what is classified.
type DatasetReport struct {
	// configMapName is where the full report is written.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +optional
	ConfigMapName string `json:"configMapName,omitempty"`

	// invalid is how many samples are invalid for each reason, the commonest first.
	// +kubebuilder:validation:MaxItems=48
	// +listType=map
	// +listMapKey=reason
	// +optional
	Invalid []ReasonCount `json:"invalid,omitempty"`

	// duplicate is how many samples repeat the input and the labels of another.
	// +kubebuilder:validation:Minimum=0
	// +required
	Duplicate int64 `json:"duplicate"`

	// contradicting is how many samples repeat the input of another, but not its labels.
	// +kubebuilder:validation:Minimum=0
	// +required
	Contradicting int64 `json:"contradicting"`

	// bytes are the lengths of the inputs.
	// +optional
	Bytes *LengthSummary `json:"bytes,omitempty"`

	// words are how many words the examined inputs have.
	// +optional
	Words *LengthSummary `json:"words,omitempty"`

	// tooLong is how many inputs have more than 65536 bytes, about the 16384 tokens that
	// a hosted service reads. This project's factory reads inputs whole.
	// +kubebuilder:validation:Minimum=0
	// +required
	TooLong int64 `json:"tooLong"`

	// examined is how many samples were compared with each other: all that are kept, or a
	// sample of 16384 or less. What follows is of them.
	// +kubebuilder:validation:Minimum=0
	// +required
	Examined int64 `json:"examined"`

	// repeats are samples of each file that repeat one of the Train file.
	// +kubebuilder:validation:MaxItems=3
	// +listType=map
	// +listMapKey=split
	// +optional
	Repeats []RepeatCount `json:"repeats,omitempty"`

	// suspectLabels is how many samples have a label that those of similar ones speak against.
	// +kubebuilder:validation:Minimum=0
	// +required
	SuspectLabels int64 `json:"suspectLabels"`

	// suspects are the first of them, the least likely label first.
	// +kubebuilder:validation:MaxItems=8
	// +listType=atomic
	// +optional
	Suspects []LabelSuspect `json:"suspects,omitempty"`
}

// ReasonCount is how many samples are invalid for a reason.
type ReasonCount struct {
	// reason is one word for what is wrong.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	Reason string `json:"reason,omitempty"`

	// samples that are invalid for it.
	// +kubebuilder:validation:Minimum=0
	// +required
	Samples int64 `json:"samples"`
}

// LengthSummary says how long inputs are. The two in the middle are within a sixteenth.
type LengthSummary struct {
	// min is the shortest.
	// +kubebuilder:validation:Minimum=0
	// +required
	Min int64 `json:"min"`

	// median is what half of them do not exceed.
	// +kubebuilder:validation:Minimum=0
	// +required
	Median int64 `json:"median"`

	// p95 is what 95 of a hundred do not exceed.
	// +kubebuilder:validation:Minimum=0
	// +required
	P95 int64 `json:"p95"`

	// max is the longest.
	// +kubebuilder:validation:Minimum=0
	// +required
	Max int64 `json:"max"`
}

// RepeatCount is how many samples of a file repeat one of the Train file; of Train
// itself, an earlier one.
type RepeatCount struct {
	// split of the file.
	// +required
	Split Split `json:"split,omitempty"`

	// examined is how many samples of the file were compared.
	// +kubebuilder:validation:Minimum=0
	// +required
	Examined int64 `json:"examined"`

	// same is how many are the same but for case, white space and punctuation.
	// +kubebuilder:validation:Minimum=0
	// +required
	Same int64 `json:"same"`

	// near is how many are the same but for a word, or one in ten.
	// +kubebuilder:validation:Minimum=0
	// +required
	Near int64 `json:"near"`
}

// LabelSuspect is a sample with a label that those of similar samples speak against.
// Long names are cut.
type LabelSuspect struct {
	// part of the source. Long ones lose their start. Absent where there is but one.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +optional
	Part string `json:"part,omitempty"`

	// line of the part, from 1.
	// +kubebuilder:validation:Minimum=1
	// +required
	Line int64 `json:"line,omitempty"`

	// target of the label.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	Target string `json:"target,omitempty"`

	// given is the label that the sample has.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	Given string `json:"given,omitempty"`

	// suggested is the label that similar samples have.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	Suggested string `json:"suggested,omitempty"`
}
