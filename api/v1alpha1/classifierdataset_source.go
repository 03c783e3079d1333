package v1alpha1

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
