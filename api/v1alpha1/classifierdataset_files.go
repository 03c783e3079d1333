package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
