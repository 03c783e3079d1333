package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// How many hours a signed URL can be valid.
const (
	defaultExpiryHours = 24
	maxExpiryHours     = 168
)

const fileRepair = "Upload the same file again, which puts them right"

func (s *Server) downloadFile(w http.ResponseWriter, r *http.Request, tenant string) {
	found, err := s.store.File(r.Context(), tenant, r.PathValue("file_id"))
	if err != nil {
		s.fail(w, r, notFoundAs(err, noSuchFile))
		return
	}
	s.serveFile(w, r, found)
}

// signFile answers with a URL that needs no key until it expires.
func (s *Server) signFile(r *http.Request, tenant string) (any, error) {
	q := newQuery(r)
	hours := q.integer("expiry", defaultExpiryHours, 1, maxExpiryHours)
	if q.problem != nil {
		return nil, q.problem
	}
	found, err := s.store.File(r.Context(), tenant, r.PathValue("file_id"))
	if err != nil {
		return nil, notFoundAs(err, noSuchFile)
	}
	expires := strconv.FormatInt(s.now().Add(time.Duration(hours)*time.Hour).Unix(), 10)
	signed := url.URL{
		Scheme:   requestScheme(r),
		Host:     r.Host,
		Path:     "/v1/files/" + found.ID + "/signed",
		RawQuery: url.Values{"expires": {expires}, "signature": {s.signature(found.ID, expires)}}.Encode(),
	}
	return mistral.SignedURL{URL: signed.String()}, nil
}

func (s *Server) downloadSignedFile(w http.ResponseWriter, r *http.Request) {
	id, expires, signature := r.PathValue("file_id"), r.FormValue("expires"), r.FormValue("signature")
	expiry, err := strconv.ParseInt(expires, 10, 64)
	if err != nil || !hmac.Equal([]byte(signature), []byte(s.signature(id, expires))) || s.now().Unix() >= expiry {
		s.fail(w, r, &problem{Status: http.StatusForbidden, Detail: "The signed URL is invalid or has expired."})
		return
	}
	found, err := s.store.FileOfAnyTenant(r.Context(), id)
	if err != nil {
		s.fail(w, r, notFoundAs(err, noSuchFile))
		return
	}
	s.serveFile(w, r, found)
}

func (s *Server) signature(id, expires string) string {
	mac := hmac.New(sha256.New, s.config.SigningKey)
	mac.Write([]byte(id + "\n" + expires))
	return hex.EncodeToString(mac.Sum(nil))
}

// requestScheme is how the client reached the server, or the proxy before it.
func requestScheme(r *http.Request) string {
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		return "https"
	}
	return "http"
}

func (s *Server) serveFile(w http.ResponseWriter, r *http.Request, found store.File) {
	content, err := s.blobs.Open(found.Digest)
	if errors.Is(err, fs.ErrNotExist) { // deleted since it was found, or lost
		if _, gone := s.store.FileOfAnyTenant(r.Context(), found.ID); gone != nil {
			err = notFoundAs(gone, noSuchFile)
		}
	}
	if err != nil {
		s.fail(w, r, damagedAs(err, "file", found.ID, fileRepair))
		return
	}
	defer content.Close()
	if r.Header.Get("Range") == "" { // of a part nothing can be told
		if err := blob.Verify(content); err != nil {
			s.fail(w, r, damagedAs(err, "file", found.ID, fileRepair))
			return
		}
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("ETag", strconv.Quote(found.Digest))
	http.ServeContent(w, r, "", time.Unix(found.CreatedAt, 0), content)
}
