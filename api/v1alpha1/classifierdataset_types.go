package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ClassifierDatasetSpec says where labelled texts come from and how they are prepared.
// +kubebuilder:validation:XValidation:rule="!has(self.format) || self.format != 'CSV' || has(self.csv)",message="format CSV needs csv, which says what the columns hold"
// +kubebuilder:validation:XValidation:rule="!has(self.csv) || !has(self.format) || self.format != 'JSONL'",message="csv has no meaning for format JSONL"
// +kubebuilder:validation:XValidation:rule="has(self.connectionSecretRef) == has(oldSelf.connectionSecretRef) && (!has(self.connectionSecretRef) || self.connectionSecretRef == oldSelf.connectionSecretRef)",message="connectionSecretRef is immutable: what is at one factory cannot be moved to another; change the Secret, or create another object"
type ClassifierDatasetSpec struct {
	// source is where the samples are read from.
	// +required
	Source DatasetSource `json:"source,omitzero"`

	// format of the samples. Auto is CSV if csv is set and the data does not start
	// as JSON, else JSONL. Data compressed with gzip or zstd is recognised whatever
	// the format.
	// +kubebuilder:default=Auto
	// +optional
	Format DatasetFormat `json:"format,omitempty"`

	// csv says which columns of a CSV source hold what.
	// +optional
	CSV *CSVOptions `json:"csv,omitempty"`

	// preparation is what happens to the samples between reading and uploading.
	// +kubebuilder:default={}
	// +optional
	Preparation DatasetPreparation `json:"preparation,omitzero"`

	// connectionSecretRef names the Secret with the factory's address (uri) and
	// key (api-key). Without it the operator's own connection is used.
	// +optional
	ConnectionSecretRef *SecretReference `json:"connectionSecretRef,omitempty"`

	// refreshIntervalSeconds is how often object storage is looked at again, and
	// whether the uploaded files are still at the factory. ConfigMaps are watched.
	// +kubebuilder:default=600
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:Maximum=604800
	// +optional
	RefreshIntervalSeconds int32 `json:"refreshIntervalSeconds,omitempty"`

	// suspend stops all work on the dataset. What was uploaded stays.
	// +kubebuilder:default=false
	// +optional
	Suspend *bool `json:"suspend,omitempty"`

	// deletionPolicy says what becomes of the uploaded files when this object is
	// deleted. Files that an unfinished training job reads are never deleted under it.
	// +kubebuilder:default=Delete
	// +optional
	DeletionPolicy DatasetDeletionPolicy `json:"deletionPolicy,omitempty"`

	// revisionHistoryLimit is how many earlier revisions keep their uploaded files.
	// +kubebuilder:default=3
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10
	// +optional
	RevisionHistoryLimit *int32 `json:"revisionHistoryLimit,omitempty"`
}

// DatasetSource is where samples are read from.
// +kubebuilder:validation:ExactlyOneOf=inline;configMaps;objectStorage
type DatasetSource struct {
	// inline holds the samples themselves. For small examples.
	// +optional
	Inline *InlineSource `json:"inline,omitempty"`

	// configMaps hold the samples, one after the other in this order.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +listType=atomic
	// +optional
	ConfigMaps []ConfigMapSource `json:"configMaps,omitempty"`

	// objectStorage holds the samples in an S3, Google Cloud Storage or Azure bucket.
	// +optional
	ObjectStorage *ObjectStorageSource `json:"objectStorage,omitempty"`
}

// InlineSource holds samples in the object itself.
type InlineSource struct {
	// data is the samples in the dataset's format.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=524288
	// +required
	Data string `json:"data,omitempty"`
}

// ConfigMapSource is one key of a ConfigMap in the same namespace.
type ConfigMapSource struct {
	// name of the ConfigMap.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Name string `json:"name,omitempty"`

	// key in the ConfigMap's data or binaryData.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	// +required
	Key string `json:"key,omitempty"`
}

// ObjectStorageSource is one object, or every object under a prefix.
type ObjectStorageSource struct {
	// url is s3://bucket/key, gs://bucket/key or azblob://container/key. One that
	// ends in / is every object under it, in the order of their names.
	// +kubebuilder:validation:MinLength=6
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:Pattern=`^(s3|gs|azblob)://[^/?#]+/[^?#]*$`
	// +required
	URL string `json:"url,omitempty"`

	// endpoint of an S3-compatible server, such as https://minio.storage.svc:9000. With
	// credentialsSecretRef the Secret has to name it, too, in AWS_ENDPOINT_URL.
	// Default: the one that the Secret names, else Amazon's.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:Pattern=`^https?://`
	// +optional
	Endpoint string `json:"endpoint,omitempty"`

	// region of an S3 bucket.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Region string `json:"region,omitempty"`

	// credentialsSecretRef names the Secret with the storage's credentials. Without
	// it an endpoint is read anonymously, and the providers' own storage with the
	// operator's identity, if its flags list the bucket.
	// +optional
	CredentialsSecretRef *SecretReference `json:"credentialsSecretRef,omitempty"`
}

// DatasetFormat is how samples are written.
// +kubebuilder:validation:Enum=Auto;JSONL;CSV
type DatasetFormat string

// The formats of a dataset.
const (
	FormatAuto  DatasetFormat = "Auto"
	FormatJSONL DatasetFormat = "JSONL"
	FormatCSV   DatasetFormat = "CSV"
)

// CSVOptions say which columns hold what.
type CSVOptions struct {
	// textColumn is the header of the column with the text.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +required
	TextColumn string `json:"textColumn,omitempty"`

	// labelColumns are the columns with labels.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	// +listType=map
	// +listMapKey=column
	// +required
	LabelColumns []CSVLabelColumn `json:"labelColumns,omitempty"`
}

// CSVLabelColumn is a column with the labels of one target.
type CSVLabelColumn struct {
	// column is the header of the column.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +required
	Column string `json:"column,omitempty"`

	// target that the labels belong to. Default: the column's header.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +optional
	Target string `json:"target,omitempty"`

	// separator between the labels of a cell. With it the target takes several labels.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8
	// +optional
	Separator string `json:"separator,omitempty"`
}

// DatasetPreparation is what happens to samples between reading and uploading.
type DatasetPreparation struct {
	// invalidSamples says what to do with samples that no server would accept.
	// +kubebuilder:default=Fail
	// +optional
	InvalidSamples InvalidSamplePolicy `json:"invalidSamples,omitempty"`

	// maxInvalidPercent is how many samples of a hundred may be skipped before
	// the dataset is refused after all. Only with invalidSamples: Skip.
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

// DatasetSplit is how many samples of a hundred are set aside.
// +kubebuilder:validation:XValidation:rule="(has(self.validationPercent) ? self.validationPercent : 0) + (has(self.testPercent) ? self.testPercent : 0) < 100",message="validationPercent and testPercent must leave samples for training"
// +kubebuilder:validation:MinProperties=1
type DatasetSplit struct {
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

// DatasetDeletionPolicy says what becomes of uploaded files.
// +kubebuilder:validation:Enum=Delete;Retain
type DatasetDeletionPolicy string

// The deletion policies of a dataset.
const (
	DatasetDelete DatasetDeletionPolicy = "Delete"
	DatasetRetain DatasetDeletionPolicy = "Retain"
)

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
}

// InvalidSample says where a sample is that no server would accept, and why.
type InvalidSample struct {
	// line of the source, from 1.
	// +kubebuilder:validation:Minimum=1
	// +required
	Line int64 `json:"line,omitempty"`

	// reason is one word for what is wrong.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	Reason string `json:"reason,omitempty"`
}

// DatasetFile is one file of the prepared samples.
type DatasetFile struct {
	// split that the file is for.
	// +required
	Split Split `json:"split,omitempty"`

	// id of the uploaded file. Absent until it is uploaded.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +optional
	ID string `json:"id,omitempty"`

	// name of the uploaded file. It is made of the content's digest.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +required
	Name string `json:"name,omitempty"`

	// digest is the SHA-256 of the content, as sha256:<hex>.
	// +kubebuilder:validation:Pattern=`^sha256:[0-9a-f]{64}$`
	// +kubebuilder:validation:MinLength=71
	// +kubebuilder:validation:MaxLength=71
	// +required
	Digest string `json:"digest,omitempty"`

	// samples in the file.
	// +kubebuilder:validation:Minimum=0
	// +required
	Samples int64 `json:"samples"`

	// sizeBytes of the file.
	// +kubebuilder:validation:Minimum=0
	// +required
	SizeBytes int64 `json:"sizeBytes"`

	// uploadedBytes is how much of the file is sent, while a large one is.
	// +kubebuilder:validation:Minimum=0
	// +optional
	UploadedBytes *int64 `json:"uploadedBytes,omitempty"`

	// uploadedAt is when the upload ended.
	// +optional
	UploadedAt *metav1.Time `json:"uploadedAt,omitempty"`

	// expiresAt is when the server will delete the file by itself.
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`
}

// DatasetRevision is an earlier state of the samples whose files still exist.
type DatasetRevision struct {
	// digest of the Train file.
	// +kubebuilder:validation:Pattern=`^sha256:[0-9a-f]{64}$`
	// +kubebuilder:validation:MinLength=71
	// +kubebuilder:validation:MaxLength=71
	// +required
	Digest string `json:"digest,omitempty"`

	// fileIDs of the revision.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=3
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	// +listType=set
	// +required
	FileIDs []string `json:"fileIDs,omitempty"`

	// uploadedAt is when the revision's upload ended.
	// +optional
	UploadedAt *metav1.Time `json:"uploadedAt,omitempty"`
}

// ClassifierDataset is labelled texts, validated and uploaded to a factory.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=cds,categories=classifiers
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="Samples",type=integer,JSONPath=`.status.samples.total`
// +kubebuilder:printcolumn:name="Labels",type=integer,JSONPath=`.status.labelCount`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type ClassifierDataset struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what is wanted.
	// +required
	Spec ClassifierDatasetSpec `json:"spec,omitzero"`

	// status is what is.
	// +kubebuilder:default={observedGeneration:-1,state:"Pending",conditions:{{type:"Ready",status:"Unknown",reason:"Pending",message:"waiting for the operator",lastTransitionTime:"1970-01-01T00:00:00Z"}}}
	// +optional
	Status ClassifierDatasetStatus `json:"status,omitzero"`
}

// ClassifierDatasetList is a list of ClassifierDatasets.
// +kubebuilder:object:root=true
type ClassifierDatasetList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []ClassifierDataset `json:"items"`
}
