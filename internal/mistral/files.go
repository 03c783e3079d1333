package mistral

import (
	"context"
	"io"
	"net/http"
	"net/url"
)

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
	// SHA256 of the content, in hexadecimal, is this project's own extension.
	SHA256 *string `json:"sha256,omitempty"`
}

// FileList is one page of files.
type FileList struct {
	Data   List[File] `json:"data"`
	Object string     `json:"object"`
	Total  *int64     `json:"total"` // null when the request said include_total=false
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

func (f *File) complete() bool        { return isID(f.ID) }
func (f *FileList) complete() bool    { return f.Data != nil || f.Object == ObjectList }
func (f *DeletedFile) complete() bool { return f.ID != "" }

// FileFilter narrows a list of files. Zero fields are left to the server.
type FileFilter struct {
	Page     int    // from 0
	PageSize int    // the service's default is 100
	Search   string // in the filename
	Purpose  string
}

func (f FileFilter) query() url.Values {
	query := pageQuery(f.Page, f.PageSize)
	setQuery(query, "search", f.Search)
	setQuery(query, "purpose", f.Purpose)
	return query
}

// ListFiles returns one page of files.
func (c *Client) ListFiles(ctx context.Context, filter FileFilter) (*FileList, error) {
	return send[FileList](ctx, c, request{
		operation: "ListFiles",
		method:    http.MethodGet,
		path:      []string{"files"},
		query:     filter.query(),
	})
}

// GetFile returns what is known of a file.
func (c *Client) GetFile(ctx context.Context, id string) (*File, error) {
	return send[File](ctx, c, request{
		operation: "GetFile",
		method:    http.MethodGet,
		path:      []string{"files", id},
	})
}

// DownloadFile returns a file's content, of any size. The caller closes it; the
// context ends the reading too.
func (c *Client) DownloadFile(ctx context.Context, id string) (io.ReadCloser, error) {
	response, err := c.exchange(ctx, request{
		operation: "DownloadFile",
		method:    http.MethodGet,
		path:      []string{"files", id, "content"},
		accept:    "application/octet-stream",
	})
	if err != nil {
		return nil, err
	}
	return response.Body, nil
}

// DeleteFile deletes a file.
func (c *Client) DeleteFile(ctx context.Context, id string) error {
	_, err := send[DeletedFile](ctx, c, request{
		operation: "DeleteFile",
		method:    http.MethodDelete,
		path:      []string{"files", id},
	})
	return err
}
