package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Attempt is one try to get the job done.
type Attempt struct {
	// number of the try, from 1.
	// +kubebuilder:validation:Minimum=1
	// +required
	Number int32 `json:"number,omitempty"`

	// marker rides in the remote job's suffix, by which the job is recognised.
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=8
	// +required
	Marker string `json:"marker,omitempty"`

	// pendingSince is when this was written. The creation came after.
	// +required
	PendingSince metav1.Time `json:"pendingSince,omitzero"`

	// startTime is when the operator set out to start this try's job, or saw that
	// somebody else had. It is written before the start.
	// +optional
	StartTime *metav1.Time `json:"startTime,omitempty"`
}

// RemoteJob is a job at the factory.
type RemoteJob struct {
	// id of the job.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +required
	ID string `json:"id,omitempty"`

	// state as the factory calls it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +optional
	State string `json:"state,omitempty"`

	// createdAt by the factory's clock.
	// +optional
	CreatedAt *metav1.Time `json:"createdAt,omitempty"`

	// modifiedAt by the factory's clock.
	// +optional
	ModifiedAt *metav1.Time `json:"modifiedAt,omitempty"`
}

// AttemptFailure is how a try ended.
type AttemptFailure struct {
	// attempt that failed.
	// +kubebuilder:validation:Minimum=1
	// +required
	Attempt int32 `json:"attempt,omitempty"`

	// reason of the failure, as in the Failed condition.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	Reason string `json:"reason,omitempty"`

	// message says more.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Message string `json:"message,omitempty"`

	// time when the failure was seen.
	// +required
	Time metav1.Time `json:"time,omitzero"`
}
