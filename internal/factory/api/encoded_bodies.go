package api

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
)

var (
	errBadEncoding = &problem{Status: http.StatusBadRequest, Detail: "The body is not gzip, or ends too early, although its Content-Encoding says gzip."}

	errUnknownEncoding = &problem{Status: http.StatusUnsupportedMediaType, Detail: "The body's Content-Encoding is not known here: send it as it is, or as gzip."}
)

// decoded reads bodies that are gzip. What routes allow of a body is counted of what it
// becomes, whose size is not known before.
func (s *Server) decoded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch strings.ToLower(strings.TrimSpace(strings.Join(r.Header.Values("Content-Encoding"), ","))) {
		case "", "identity":
		case "gzip", "x-gzip":
			if r.ContentLength == 0 {
				break
			}
			r.Body = &gunzipped{packed: http.MaxBytesReader(w, r.Body, maxUploadBytes)}
			r.ContentLength = -1
			r.Header.Del("Content-Encoding")
		default:
			w.Header().Set("Accept-Encoding", "gzip")
			s.fail(w, r, errUnknownEncoding)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// gunzipped reads nothing before it is asked to, so that keys come first.
type gunzipped struct {
	packed io.ReadCloser
	reader *gzip.Reader
}

// Read implements io.Reader.
func (b *gunzipped) Read(data []byte) (n int, err error) {
	if b.reader == nil {
		if b.reader, err = gzip.NewReader(b.packed); err != nil {
			b.reader = nil
			return 0, encodingProblem(err)
		}
	}
	n, err = b.reader.Read(data)
	return n, encodingProblem(err)
}

// Close implements io.Closer.
func (b *gunzipped) Close() error { return b.packed.Close() }

// encodingProblem tells what is no gzip from a connection that fails.
func encodingProblem(err error) error {
	var tooLarge *http.MaxBytesError
	var corrupt interface{ Timeout() bool }
	switch {
	case err == nil, err == io.EOF: //nolint:errorlint // the end comes bare, as from every reader
		return err
	case errors.As(err, &tooLarge), errors.As(err, &corrupt): // in size or time
		return err
	}
	return errBadEncoding
}
