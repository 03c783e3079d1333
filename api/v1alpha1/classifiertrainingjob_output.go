package v1alpha1

// TrainingOutput is where the model's ID is published, and with what.
// +kubebuilder:validation:MinProperties=1
type TrainingOutput struct {
	// secretName of the published Secret. Default: this object's name.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$`
	// +optional
	SecretName string `json:"secretName,omitempty"`

	// apiKey says whether the Secret has the key api-key: Mint lets the factory make one
	// that may classify with this model and do nothing else, and revokes it when this
	// object is deleted; None publishes none. A factory that mints no keys, such as the
	// hosted service, publishes none either way.
	// +kubebuilder:default=Mint
	// +optional
	APIKey OutputAPIKey `json:"apiKey,omitempty"`
}

// OutputAPIKey says whether the published Secret has a key.
// +kubebuilder:validation:Enum=Mint;None
type OutputAPIKey string

const (
	// OutputAPIKeyMint lets the factory make a key for this object's model alone.
	OutputAPIKeyMint OutputAPIKey = "Mint"
	// OutputAPIKeyNone leaves the Secret without a key.
	OutputAPIKeyNone OutputAPIKey = "None"
)
