package mistral

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
)

// expectContinueBytes is the size from which an upload asks before it sends: a
// refusal then costs no transfer, and is not lost when the server hangs up.
const expectContinueBytes = 1 << 20

// Upload is a file to be uploaded.
type Upload struct {
	Filename string
	Size     int64     // exact
	Content  io.Reader // read once, while it is sent
	Purpose  string    // PurposeFineTune; empty leaves it to the server
}

// UploadFile uploads a file without holding it in memory. A server may answer
// with an older file of the same name and content.
func (c *Client) UploadFile(ctx context.Context, upload Upload) (*File, error) {
	form, err := newForm(upload)
	if err != nil {
		return nil, err
	}
	return send[File](ctx, c, request{
		operation: "UploadFile",
		method:    http.MethodPost,
		path:      []string{"files"},
		form:      form,
	})
}

// form is a multipart body whose length is known before it is read.
type form struct {
	reader      io.Reader
	size        int64
	contentType string
}

// newForm writes the parts in the SDKs' order, the file first. What stands
// before and after the file's content is small.
func newForm(upload Upload) (*form, error) {
	frame := &bytes.Buffer{}
	writer := multipart.NewWriter(frame)
	if _, err := writer.CreateFormFile("file", upload.Filename); err != nil {
		return nil, err
	}
	start := frame.Len()
	if upload.Purpose != "" {
		if err := writer.WriteField("purpose", upload.Purpose); err != nil {
			return nil, err
		}
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	before, after := frame.Bytes()[:start], frame.Bytes()[start:]
	return &form{
		reader: io.MultiReader(
			bytes.NewReader(before),
			&content{reader: upload.Content, remaining: upload.Size},
			bytes.NewReader(after),
		),
		size:        upload.Size + int64(frame.Len()),
		contentType: writer.FormDataContentType(),
	}, nil
}

func (f *form) attach(httpRequest *http.Request) {
	httpRequest.Body = io.NopCloser(f.reader)
	httpRequest.ContentLength = f.size
	httpRequest.Header.Set("Content-Type", f.contentType)
	if f.size >= expectContinueBytes {
		httpRequest.Header.Set("Expect", "100-continue")
	}
}

// content reads exactly the announced bytes. In any other case the form is never
// completed, and the server cannot take a part for the whole.
type content struct {
	reader    io.Reader
	remaining int64
}

func (c *content) Read(buffer []byte) (int, error) {
	n, err := c.reader.Read(buffer)
	if c.remaining -= int64(n); c.remaining < 0 {
		return 0, &contentError{errors.New("the content is longer than its size")}
	}
	if err == io.EOF && c.remaining > 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && err != io.EOF {
		err = &contentError{err}
	}
	return n, err
}

// contentError is a failure of the caller's content, not of the connection.
type contentError struct{ cause error }

func (e *contentError) Error() string { return e.cause.Error() }
func (e *contentError) Unwrap() error { return e.cause }
