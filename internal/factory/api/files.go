package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	noSuchFile       = "No file matches the given query."
	maxFilenameBytes = 255
	maxFieldBytes    = 1024

	visibilityUser = "user" // a tenant is one user here: both mean the same
)

// uploadFile streams the form's file to disk.
func (s *Server) uploadFile(r *http.Request, tenant string) (any, error) {
	form, err := r.MultipartReader()
	if err != nil {
		return nil, unprocessable("The body must be multipart/form-data with a part named file.")
	}
	upload := upload{fields: map[string]string{}}
	defer upload.discard()
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, uploadProblem(err)
		}
		if err := s.readPart(r.Context(), tenant, &upload, part); err != nil {
			return nil, err
		}
	}
	return s.finishUpload(r, tenant, &upload)
}

// upload is what a form has said so far.
type upload struct {
	filename string
	blob     blob.Staged // nil: no file yet
	arriving *arrivingFile
	lines    lineCounter
	fields   map[string]string // those that are given
}

func (u *upload) discard() {
	if u.blob != nil {
		u.blob.Discard()
		u.arriving.end()
	}
}

func (s *Server) readPart(ctx context.Context, tenant string, upload *upload, part *multipart.Part) error {
	switch part.FormName() {
	case "file":
		return s.readFile(ctx, tenant, upload, part)
	case "purpose", "visibility", "expiry":
		return upload.readField(part)
	}
	return nil // NextPart skips it
}

func (u *upload) readField(part *multipart.Part) error {
	name := part.FormName()
	if _, given := u.fields[name]; given {
		return secondPart(name)
	}
	value, err := io.ReadAll(io.LimitReader(part, maxFieldBytes))
	u.fields[name] = string(value)
	return uploadProblem(err)
}

func (u *upload) field(name, absent string) string {
	if value, given := u.fields[name]; given {
		return value
	}
	return absent
}

func secondPart(name string) error {
	return unprocessable("The form has more than one part named %s.", name)
}

func (s *Server) readFile(ctx context.Context, tenant string, upload *upload, part *multipart.Part) (err error) {
	if upload.blob != nil {
		return secondPart("file")
	}
	upload.filename = part.FileName()
	if !strings.HasSuffix(strings.ToLower(upload.filename), ".jsonl") {
		return &problem{
			Status:  http.StatusUnprocessableEntity,
			Detail:  "Invalid file format.",
			Message: "The file's name does not end in .jsonl; only JSON Lines are currently supported",
		}
	}
	if len(upload.filename) > maxFilenameBytes {
		return unprocessable("The file's name has more than %d bytes.", maxFilenameBytes)
	}
	if !utf8.ValidString(upload.filename) { // it would be another name in every answer
		return unprocessable("The file's name is not UTF-8.")
	}
	if upload.blob, err = s.blobs.Stage(); err != nil {
		return err
	}
	upload.arriving = s.arriving.begin(ctx, tenant, upload.filename)
	size, err := io.Copy(io.MultiWriter(upload.arriving, upload.blob, &upload.lines), io.LimitReader(part, maxFileBytes+1))
	if size > maxFileBytes {
		return errTooLarge
	}
	return uploadProblem(err)
}

// uploadProblem tells a form that is broken or too large from a failing disk.
func uploadProblem(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &tooLarge):
		return errTooLarge
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), strings.HasPrefix(err.Error(), "multipart:"):
		return &problem{Status: http.StatusBadRequest, Detail: "The form ends too early or is malformed."}
	}
	return err
}

func (s *Server) finishUpload(r *http.Request, tenant string, upload *upload) (any, error) {
	purpose := upload.field("purpose", mistral.PurposeFineTune)
	visibility := upload.field("visibility", mistral.VisibilityWorkspace)
	switch {
	case upload.blob == nil:
		return nil, unprocessable("The form has no part named file.")
	case upload.blob.Size() == 0:
		return nil, &problem{Status: http.StatusUnprocessableEntity, Detail: "Invalid file format.", Message: "The file is empty"}
	case purpose != mistral.PurposeFineTune:
		return nil, unprocessable("This server takes files of the purpose %s only.", mistral.PurposeFineTune)
	case visibility != mistral.VisibilityWorkspace && visibility != visibilityUser:
		return nil, unprocessable("The visibility must be %s or %s.", mistral.VisibilityWorkspace, visibilityUser)
	}
	expiresAt, err := s.expiresAt(upload)
	if err != nil {
		return nil, err
	}
	digest, err := upload.blob.Sync()
	if err != nil {
		return nil, err
	}
	lines := upload.lines.count()
	added := store.File{Tenant: tenant, Digest: digest, File: mistral.File{
		ID:         uuid.NewString(),
		Filename:   upload.filename,
		Bytes:      upload.blob.Size(),
		NumLines:   &lines,
		Purpose:    purpose,
		SampleType: sampleType(upload.blob.Reader()),
		Source:     mistral.SourceUpload,
		Visibility: &visibility,
		CreatedAt:  s.now().Unix(),
		ExpiresAt:  expiresAt,
	}}
	upload.arriving.end() // from here on it counts as a file
	added, err = s.store.AddFile(r.Context(), added, upload.blob, s.config.Limits)
	return added.File, overQuota(err)
}

// sampleType looks at the first row only. Whether the file is any good is for a
// job's validation to say.
func sampleType(r io.Reader) string {
	var first dataset.Sample
	if err := dataset.NewReader(r, dataset.DefaultLimits()).Read(&first); err == nil && first.InputType() == dataset.InputChat {
		return mistral.SampleTypeInstruct
	}
	return mistral.SampleTypePretrain
}

// lineCounter counts the lines that are written to it.
type lineCounter struct {
	ends int64
	last byte
}

func (c *lineCounter) Write(data []byte) (int, error) {
	if len(data) > 0 {
		c.ends += int64(bytes.Count(data, []byte{'\n'}))
		c.last = data[len(data)-1]
	}
	return len(data), nil
}

// count includes a last line without an end. It is of at least one byte.
func (c *lineCounter) count() int64 {
	if c.last != '\n' {
		return c.ends + 1
	}
	return c.ends
}

func (s *Server) listFiles(r *http.Request, tenant string) (any, error) {
	q := newQuery(r)
	filter := store.FileFilter{
		Page:        q.page(),
		Tenant:      tenant,
		Search:      q.values.Get("search"),
		Purpose:     q.values.Get("purpose"),
		SampleTypes: q.values["sample_type"],
		Sources:     q.values["source"],
		MimeTypes:   q.values["mimetypes"],
		CountAll:    q.boolean("include_total", true),
	}
	if q.problem != nil {
		return nil, q.problem
	}
	files, total, err := s.store.Files(r.Context(), filter)
	return newList(s, r, mistral.FileList{Object: mistral.ObjectList, Total: total}, files), err
}

func (s *Server) getFile(r *http.Request, tenant string) (any, error) {
	found, err := s.store.File(r.Context(), tenant, r.PathValue("file_id"))
	if err != nil {
		return nil, notFoundAs(err, noSuchFile)
	}
	found.Deleted = new(bool)
	return found.File, nil
}

func (s *Server) deleteFile(r *http.Request, tenant string) (any, error) {
	id := r.PathValue("file_id")
	if err := s.store.DeleteFile(r.Context(), tenant, id); err != nil {
		return nil, notFoundAs(err, noSuchFile)
	}
	return mistral.DeletedFile{ID: id, Object: mistral.ObjectFile, Deleted: true}, nil
}
