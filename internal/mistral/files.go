package mistral

// Values that a file's fields have on the wire.
const (
	ObjectFile = "file"
	ObjectList = "list"

	PurposeFineTune = "fine-tune"

	SourceUpload = "upload"

	// No sample type of the protocol names classifier data; these two say
	// which of the two row shapes a file has.
	SampleTypePretrain = "pretrain" // rows with text
	SampleTypeInstruct = "instruct" // rows with messages

	VisibilityWorkspace = "workspace"
)

// File is an uploaded file.
type File struct {
	ID         string  `json:"id"`
	Object     string  `json:"object"`
	Bytes      int64   `json:"bytes"`
	CreatedAt  int64   `json:"created_at"` // Unix seconds
	Filename   string  `json:"filename"`
	Purpose    string  `json:"purpose"`
	SampleType string  `json:"sample_type"`
	Source     string  `json:"source"`
	NumLines   *int64  `json:"num_lines"`
	MIMEType   *string `json:"mimetype"`
	Signature  *string `json:"signature"` // hash of the content; its algorithm is the server's
	ExpiresAt  *int64  `json:"expires_at"`
	Visibility *string `json:"visibility"`
	// Deleted is sent by the route of one file only, and required there.
	Deleted *bool `json:"deleted,omitempty"`
}

// FileList is one page of files.
type FileList struct {
	Data   []File `json:"data"`
	Object string `json:"object"`
	Total  *int64 `json:"total"` // null when the request said include_total=false
}

// DeletedFile answers a file's deletion.
type DeletedFile struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Deleted bool   `json:"deleted"`
}

// SignedURL is an address from which a file can be read without a key until it expires.
type SignedURL struct {
	URL string `json:"url"`
}
