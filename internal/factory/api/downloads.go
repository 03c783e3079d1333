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
	"strings"
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
	signer := callerOf(r.Context())
	expires := strconv.FormatInt(s.now().Add(time.Duration(hours)*time.Hour).Unix(), 10)
	query := url.Values{"expires": {expires}, "key": {signer.keyID}, "signature": {s.signature(found.ID, expires, signer.keyID, signer.namespace)}}
	if signer.namespace != "" {
		query.Set("namespace", signer.namespace)
	}
	signed := s.publicURL(r).JoinPath("v1", "files", found.ID, "signed")
	signed.RawQuery = query.Encode()
	return mistral.SignedURL{URL: signed.String()}, nil
}

func (s *Server) downloadSignedFile(w http.ResponseWriter, r *http.Request) {
	signer, err := s.signer(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	found, err := s.store.File(r.Context(), signer.tenant, r.PathValue("file_id"))
	if err != nil {
		s.fail(w, r, notFoundAs(err, noSuchFile))
		return
	}
	s.limited(func(w http.ResponseWriter, r *http.Request, _ string) { s.serveFile(w, r, found) })(w, r, found.Tenant)
}

// signer is who made the signed URL of a request. The URL can do what its key still can.
func (s *Server) signer(r *http.Request) (*caller, error) {
	keyID, namespace, expires := r.FormValue("key"), r.FormValue("namespace"), r.FormValue("expires")
	expiry, err := strconv.ParseInt(expires, 10, 64)
	if err != nil || !hmac.Equal([]byte(r.FormValue("signature")), []byte(s.signature(r.PathValue("file_id"), expires, keyID, namespace))) || s.now().Unix() >= expiry {
		return nil, errSignedURL
	}
	found, err := s.keyOfID(r.Context(), keyID)
	switch {
	case errors.Is(err, errUnauthorized):
		return nil, errSignedURL
	case err != nil:
		return nil, err
	case !found.scopes.Any(train), namespace != "" && !found.scopes.Any(actFor):
		return nil, errSignedURL
	case namespace != "":
		return found.actFor(namespace), nil
	}
	return found, nil
}

func (s *Server) signature(id, expires, keyID, namespace string) string {
	mac := hmac.New(sha256.New, s.config.SigningKey)
	mac.Write([]byte(strings.Join([]string{id, expires, keyID, namespace}, "\n")))
	return hex.EncodeToString(mac.Sum(nil))
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
	http.ServeContent(newPatientWriter(w), r, "", time.Unix(found.CreatedAt, 0), content)
}
