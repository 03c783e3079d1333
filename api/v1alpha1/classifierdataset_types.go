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

// DatasetDeletionPolicy says what becomes of uploaded files.
// +kubebuilder:validation:Enum=Delete;Retain
type DatasetDeletionPolicy string

// The deletion policies of a dataset.
const (
	DatasetDelete DatasetDeletionPolicy = "Delete"
	DatasetRetain DatasetDeletionPolicy = "Retain"
)

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
