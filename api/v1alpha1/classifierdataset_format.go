package v1alpha1

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
