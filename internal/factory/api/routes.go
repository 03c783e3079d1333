package api

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// The most that a request's body may have.
const (
	maxFileBytes     = 512 << 20
	maxUploadBytes   = maxFileBytes + 1<<20 // the form around the file
	maxClassifyBytes = 32 << 20
	maxBodyBytes     = 1 << 20
)

// route is a way into the server.
type route struct {
	Method, Path string
	Scopes       store.Scopes // a key needs one of them
	handler      http.Handler
}

// What the table of routes says of keys.
const (
	noKey    = store.NoScope // is asked for
	classify = store.ScopeClassify
	train    = store.ScopeTrain
	admin    = store.ScopeAdmin
	actFor   = store.ScopeActFor
)

// Routes are all of the protocol, and those of keys, which are ours.
func (s *Server) Routes() []route {
	return []route{
		{"POST", "/v1/files", train, s.authenticated(s.inSlots(s.uploadSlots, s.responder(maxUploadBytes, s.uploadFile)))},
		{"GET", "/v1/files", train, s.operation(maxBodyBytes, s.listFiles)},
		{"GET", "/v1/files/{file_id}", train, s.operation(maxBodyBytes, s.getFile)},
		{"DELETE", "/v1/files/{file_id}", train, s.operation(maxBodyBytes, s.deleteFile)},
		{"GET", "/v1/files/{file_id}/content", train, s.authenticated(s.downloadFile)},
		{"GET", "/v1/files/{file_id}/url", train, s.operation(maxBodyBytes, s.signFile)},
		{"GET", "/v1/files/{file_id}/signed", noKey, http.HandlerFunc(s.downloadSignedFile)},

		{"POST", "/v1/fine_tuning/jobs", train, s.operation(maxBodyBytes, s.createJob)},
		{"GET", "/v1/fine_tuning/jobs", train, s.operation(maxBodyBytes, s.listJobs)},
		{"GET", "/v1/fine_tuning/jobs/{job_id}", train, s.operation(maxBodyBytes, s.getJob)},
		{"POST", "/v1/fine_tuning/jobs/{job_id}/start", train, s.operation(maxBodyBytes, s.startJob)},
		{"POST", "/v1/fine_tuning/jobs/{job_id}/cancel", train, s.operation(maxBodyBytes, s.cancelJob)},

		{"GET", "/v1/models", classify | train, s.operation(maxBodyBytes, s.listModels)},
		{"GET", "/v1/models/{model_id}", classify | train, s.operation(maxBodyBytes, s.getModel)},
		{"DELETE", "/v1/models/{model_id}", train, s.operation(maxBodyBytes, s.deleteModel)},
		{"PATCH", "/v1/fine_tuning/models/{model_id}", train, s.operation(maxBodyBytes, s.updateModel)},
		{"POST", "/v1/fine_tuning/models/{model_id}/archive", train, s.operation(maxBodyBytes, s.archiveModel)},
		{"DELETE", "/v1/fine_tuning/models/{model_id}/archive", train, s.operation(maxBodyBytes, s.unarchiveModel)},

		{"POST", "/v1/classifications", classify, s.classification(s.classify)},
		{"POST", "/v1/chat/classifications", classify, s.classification(s.classifyChat)},

		{"POST", "/v1/keys", admin | actFor, s.operation(maxBodyBytes, s.createKey)},
		{"GET", "/v1/keys", admin | actFor, s.operation(maxBodyBytes, s.listKeys)},
		{"GET", "/v1/keys/{key_id}", admin | actFor, s.operation(maxBodyBytes, s.getKey)},
		{"DELETE", "/v1/keys/{key_id}", admin | actFor, s.operation(maxBodyBytes, s.deleteKey)},

		{"GET", "/healthz", noKey, http.HandlerFunc(s.healthy)},
		{"GET", "/readyz", noKey, http.HandlerFunc(s.ready)},
	}
}

// Handler serves all routes.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	methods := map[string][]string{} // by path
	for _, route := range s.Routes() {
		methods[route.Path] = append(methods[route.Path], route.Method)
		mux.Handle(route.Method+" "+route.Path, s.admitted(route.Scopes, route.handler))
	}
	for path, allowed := range methods {
		mux.Handle(path, s.methodNotAllowed(allowed))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.fail(w, r, errNoRoute) })
	return Identified(s.observed(s.crossOrigin(s.decoded(impatient(mux)))))
}

// operation answers a tenant's request with a value to be written as JSON, or
// with an error.
type operation func(r *http.Request, tenant string) (any, error)

// operation answers in the name of a tenant.
func (s *Server) operation(maxBytes int64, operate operation) http.Handler {
	return s.authenticated(s.inMemory(maxBytes, s.inChangeSlots(operate)))
}

// responder bounds the body and writes the answer.
func (s *Server) responder(maxBytes int64, operate operation) handler {
	return func(w http.ResponseWriter, r *http.Request, tenant string) {
		if r.ContentLength > maxBytes {
			s.fail(w, r, errTooLarge) // before a client that waits for it has sent anything
			return
		}
		r.Body = http.MaxBytesReader(w, newPatientBody(w, r.Body), maxBytes)
		answer, err := operate(r, tenant)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.answer(w, r, http.StatusOK, answer)
	}
}

func (s *Server) methodNotAllowed(allowed []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		s.fail(w, r, errMethodNotAllowed)
	})
}

// fail answers with an error. One that is no problem is nobody's business but the
// log's.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	var answer *problem
	if !errors.As(err, &answer) {
		answer = failure(r, err)
	}
	if answer.Status >= http.StatusInternalServerError {
		s.logger.ErrorContext(r.Context(), "request failed", slog.String("route", r.Pattern), slog.Any("error", err))
	}
	if answer.Envelope != nil {
		s.answer(w, r, answer.Status, answer.Envelope)
		return
	}
	s.answer(w, r, answer.Status, answer)
}

// failure tells the client's failures from the server's own.
func failure(r *http.Request, err error) *problem {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errTimeout
	case r.Context().Err() != nil:
		return errClientGone
	case store.IsDiskFull(err):
		return errDiskFull
	case store.IsReadOnly(err):
		return errReadOnly
	case store.IsUnstorable(err):
		return errUnstorable
	}
	return errInternal
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, status int, body any) {
	w = newPatientWriter(w)
	w.Header().Set("Content-Type", "application/json")
	if answer, ok := body.(io.WriterTo); ok {
		w.WriteHeader(status)
		_, _ = answer.WriteTo(w) // a client that is gone is not our failure
		return
	}
	data, err := json.Marshal(body)
	if err != nil {
		s.logger.ErrorContext(r.Context(), "answer cannot be written as JSON", slog.String("route", r.Pattern), slog.Any("error", err))
		status, data = http.StatusInternalServerError, []byte(`{"detail":"Internal Server Error"}`)
	}
	w.WriteHeader(status)
	_, _ = w.Write(data)
}

func (s *Server) healthy(w http.ResponseWriter, r *http.Request) {
	s.answer(w, r, http.StatusOK, map[string]string{"status": "ok"})
}

// ready fails when the database does not answer, as while the server closes.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if err := s.store.Ping(r.Context()); err != nil {
		s.answer(w, r, http.StatusServiceUnavailable, map[string]string{"status": "the database does not answer"})
		return
	}
	s.healthy(w, r)
}
