package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ClassifierDatasetSpec says where labelled texts come from and how they are prepared.
// +kubebuilder:validation:XValidation:rule="!has(self.format) || self.format != 'CSV' || has(self.csv) || has(self.mapping)",message="format CSV needs mapping or csv, which say what the columns hold"
// +kubebuilder:validation:XValidation:rule="!has(self.csv) || !has(self.format) || self.format in ['Auto', 'CSV']",message="csv has no meaning for another format than CSV"
// +kubebuilder:validation:XValidation:rule="!has(self.csv) || has(self.mapping) != has(self.csv.textColumn)",message="what the columns hold is said by mapping, or by textColumn and labelColumns of csv; set one of them"
// +kubebuilder:validation:XValidation:rule="has(self.connectionSecretRef) == has(oldSelf.connectionSecretRef) && (!has(self.connectionSecretRef) || self.connectionSecretRef == oldSelf.connectionSecretRef)",message="connectionSecretRef is immutable: what is at one factory cannot be moved to another; change the Secret, or create another object"
type ClassifierDatasetSpec struct {
	// source is where the samples are read from.
	// +required
	Source DatasetSource `json:"source,omitzero"`

	// format of the samples. Auto tells by each part's first bytes; CSV, which has
	// none of its own, is expected if csv or mapping is set. Compression and archives
	// are recognised whatever the format.
	// +kubebuilder:default=Auto
	// +optional
	Format DatasetFormat `json:"format,omitempty"`

	// csv says how CSV is written, and which columns hold what unless mapping does.
	// +optional
	CSV *CSVOptions `json:"csv,omitempty"`

	// mapping says where the source's records have text, messages and labels. Without
	// it they are rows of the protocol: text or messages, and labels by target.
	// +optional
	Mapping *DatasetMapping `json:"mapping,omitempty"`

	// preparation is what happens to the samples between reading and uploading.
	// +kubebuilder:default={}
	// +optional
	Preparation DatasetPreparation `json:"preparation,omitzero"`

	// report says where the full report on the samples is written. Its essence is always
	// in the status.
	// +optional
	Report *DatasetReportRequest `json:"report,omitempty"`

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
// +kubebuilder:validation:XValidation:rule="!has(self.include) && !has(self.exclude) || self.url.endsWith('/')",message="include and exclude choose among the objects under a prefix: end url with a slash, or remove them"
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

	// include are patterns of the objects under a prefix that are read, such as
	// *.jsonl or 2026/**/part-*.csv. They match names without the prefix; * stands for
	// anything but /, ** for any folders. Default: all.
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=256
	// +listType=atomic
	// +optional
	Include []string `json:"include,omitempty"`

	// exclude are patterns of the objects under a prefix that are left out, as in
	// include. Names that start with _ or ., checksums (.crc) and empty objects are
	// always left out.
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=256
	// +listType=atomic
	// +optional
	Exclude []string `json:"exclude,omitempty"`

	// credentialsSecretRef names the Secret with the storage's credentials. Without
	// it an endpoint is read anonymously, and the providers' own storage with the
	// operator's identity, if its flags list the bucket.
	// +optional
	CredentialsSecretRef *SecretReference `json:"credentialsSecretRef,omitempty"`
}

// DatasetFormat is how samples are written.
// +kubebuilder:validation:Enum=Auto;JSONL;JSON;CSV;Parquet
type DatasetFormat string

// The formats of a dataset.
const (
	FormatAuto    DatasetFormat = "Auto"
	FormatJSONL   DatasetFormat = "JSONL" // an object of JSON a line
	FormatJSON    DatasetFormat = "JSON"  // an array of objects, or objects over several lines
	FormatCSV     DatasetFormat = "CSV"
	FormatParquet DatasetFormat = "Parquet"
)

// CSVOptions say how CSV is written, and which columns hold what.
// +kubebuilder:validation:XValidation:rule="has(self.textColumn) == has(self.labelColumns)",message="textColumn and labelColumns go together"
// +kubebuilder:validation:MinProperties=1
type CSVOptions struct {
	// delimiter between fields, such as ; or a tab. Default: a comma.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1
	// +kubebuilder:validation:Pattern=`^[\t -!#-/:-@\[-^{-~]$`
	// +optional
	Delimiter string `json:"delimiter,omitempty"`

	// textColumn is the header of the column with the text.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +optional
	TextColumn string `json:"textColumn,omitempty"`

	// labelColumns are the columns with labels.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	// +listType=map
	// +listMapKey=column
	// +optional
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

// DatasetMapping says where records of another shape than the protocol's have what. A
// field is a key of an object, a column of a table or, as in label=refund/part-0.csv, of
// a folder. Dots lead into objects, as in data.text.
// +kubebuilder:validation:ExactlyOneOf=text;messages
// +kubebuilder:validation:XValidation:rule="has(self.messages) || !self.labels.exists(label, has(label.lastMessage))",message="lastMessage goes with messages"
// +kubebuilder:validation:XValidation:rule="self.labels.filter(label, has(label.lastMessage)).size() < 2",message="the last message is the label of one target only"
type DatasetMapping struct {
	// text is the field with the text.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Text string `json:"text,omitempty"`

	// messages is the field with the conversation, a list of messages with role and content.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Messages string `json:"messages,omitempty"`

	// labels say where the labels of each target are.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	// +listType=map
	// +listMapKey=target
	// +required
	Labels []LabelMapping `json:"labels,omitempty"`

	// filters leave out every record that they do not let through, such as one that was
	// not accepted. They are counted as filtered.
	// +kubebuilder:validation:MaxItems=8
	// +listType=atomic
	// +optional
	Filters []RecordFilter `json:"filters,omitempty"`
}

// LabelMapping says where the labels of a target are. A record without a value there, or
// with null, says nothing of the target.
// +kubebuilder:validation:ExactlyOneOf=field;fields;lastMessage
// +kubebuilder:validation:XValidation:rule="!has(self.separator) || has(self.field)",message="separator goes with field"
// +kubebuilder:validation:XValidation:rule="!has(self.none) || has(self.fields)",message="none goes with fields"
type LabelMapping struct {
	// target that the labels belong to.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +required
	Target string `json:"target,omitempty"`

	// field with the label or the list of labels: strings, numbers or booleans, or an
	// object with a list choices, also as JSON in a string.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Field string `json:"field,omitempty"`

	// fields are one for each label, of which a record has those that are 1 or true; the
	// others are 0, false or empty. A label is called as its field is.
	// +kubebuilder:validation:MinItems=2
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=256
	// +listType=set
	// +optional
	Fields []string `json:"fields,omitempty"`

	// lastMessage is whose message has the label. Assistant takes the content of the
	// conversation's last message, which has to be the assistant's, for the label, and
	// the message out of the conversation.
	// +optional
	LastMessage LastMessage `json:"lastMessage,omitempty"`

	// type of the target. SingleLabel takes the one label out of a list of one,
	// MultiLabel makes a list of a single label. Default: as the values are; with
	// separator and fields MultiLabel.
	// +optional
	Type TargetType `json:"type,omitempty"`

	// separator between the labels of a value.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8
	// +optional
	Separator string `json:"separator,omitempty"`

	// none is the label of a record of which none of fields is set, but not all are empty.
	// Default: the record says nothing of the target.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	None string `json:"none,omitempty"`

	// names of the labels by how the source writes them, such as "0": negative. One that
	// is not listed keeps its own; numbers are found however they are written.
	// +kubebuilder:validation:MaxProperties=4096
	// +optional
	Names map[string]LabelName `json:"names,omitempty"`
}

// LabelName is the name of a label.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=256
type LabelName string

// LastMessage is whose message the last one of a conversation has to be.
// +kubebuilder:validation:Enum=Assistant
type LastMessage string

// LastMessageAssistant is the answer of an assistant.
const LastMessageAssistant LastMessage = "Assistant"

// RecordFilter lets the records through of which a field has one of the values.
type RecordFilter struct {
	// field that is looked at.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +required
	Field string `json:"field,omitempty"`

	// values of which the field, or an element of its list, has to be one. Numbers, true
	// and false are found however they are written.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=256
	// +listType=set
	// +required
	Values []string `json:"values,omitempty"`
}

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

	// inputSketch is the smallest hashes of the file's inputs, by which a training job sees
	// whether it would validate on what it trains on.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +optional
	InputSketch string `json:"inputSketch,omitempty"`

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
// +kubebuilder:selectablefield:JSONPath=`.status.state`
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
