package v1alpha1

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

	// fields are one for each label, of which a record has those that are 1, true or yes; the
	// others are 0, false, no or empty. A label is called as its field is.
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
