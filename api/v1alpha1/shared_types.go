package v1alpha1

// ReconcileRequestAnnotation asks for an object to be looked at now. Any new value
// does; status.lastHandledReconcileAt repeats the last one that was handled.
const ReconcileRequestAnnotation = "reconcile.classifierfactory.dev/requestedAt"

// SecretReference names a Secret in the same namespace.
type SecretReference struct {
	// name of the Secret.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Name string `json:"name,omitempty"`
}

// SecretKeyReference names one key of a Secret in the same namespace.
type SecretKeyReference struct {
	// name of the Secret.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Name string `json:"name,omitempty"`

	// key in the Secret's data.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	// +required
	Key string `json:"key,omitempty"`
}

// DatasetReference names a ClassifierDataset in the same namespace.
type DatasetReference struct {
	// name of the ClassifierDataset.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Name string `json:"name,omitempty"`
}

// Decimal is a number written as a string, such as "0.1" or "4e-5", because
// floating point numbers do not survive every JSON encoder.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=24
// +kubebuilder:validation:Pattern=`^[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,2})?$`
type Decimal string

// Split says what a file of a dataset is for.
// +kubebuilder:validation:Enum=Train;Validation;Test
type Split string

// The splits of a dataset.
const (
	SplitTrain      Split = "Train"
	SplitValidation Split = "Validation"
	SplitTest       Split = "Test"
)
