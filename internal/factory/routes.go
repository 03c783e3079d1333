package factory

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// The most that a request's body may have.
const (
	maxFileBytes     = 512 << 20
	maxUploadBytes   = maxFileBytes + 1<<20 // the form around the file
	maxClassifyBytes = 32 << 20
	maxBodyBytes     = 1 << 20
)

// maxTransferTime is how long a file may take in either direction: 512 MB at
// 2.3 Mbit/s.
const maxTransferTime = 30 * time.Minute

// route is a way into the server.
type route struct {
	method, path string
	handler      http.Handler
}

// routes are all of the protocol. Those of operation and authenticated ask for a key.
func (f *Factory) routes() []route {
	return []route{
		{"POST", "/v1/files", f.transfer(f.operation(maxUploadBytes, f.uploadFile))},
		{"GET", "/v1/files", f.operation(maxBodyBytes, f.listFiles)},
		{"GET", "/v1/files/{file_id}", f.operation(maxBodyBytes, f.getFile)},
		{"DELETE", "/v1/files/{file_id}", f.operation(maxBodyBytes, f.deleteFile)},
		{"GET", "/v1/files/{file_id}/content", f.transfer(f.authenticated(f.downloadFile))},
		{"GET", "/v1/files/{file_id}/url", f.operation(maxBodyBytes, f.signFile)},
		{"GET", "/v1/files/{file_id}/signed", f.transfer(http.HandlerFunc(f.downloadSignedFile))},

		{"POST", "/v1/fine_tuning/jobs", f.operation(maxBodyBytes, f.createJob)},
		{"GET", "/v1/fine_tuning/jobs", f.operation(maxBodyBytes, f.listJobs)},
		{"GET", "/v1/fine_tuning/jobs/{job_id}", f.operation(maxBodyBytes, f.getJob)},
		{"POST", "/v1/fine_tuning/jobs/{job_id}/start", f.operation(maxBodyBytes, f.startJob)},
		{"POST", "/v1/fine_tuning/jobs/{job_id}/cancel", f.operation(maxBodyBytes, f.cancelJob)},

		{"GET", "/v1/models", f.operation(maxBodyBytes, f.listModels)},
		{"GET", "/v1/models/{model_id}", f.operation(maxBodyBytes, f.getModel)},
		{"DELETE", "/v1/models/{model_id}", f.operation(maxBodyBytes, f.deleteModel)},
		{"PATCH", "/v1/fine_tuning/models/{model_id}", f.operation(maxBodyBytes, f.updateModel)},
		{"POST", "/v1/fine_tuning/models/{model_id}/archive", f.operation(maxBodyBytes, f.archiveModel)},
		{"DELETE", "/v1/fine_tuning/models/{model_id}/archive", f.operation(maxBodyBytes, f.unarchiveModel)},

		{"POST", "/v1/classifications", f.inMemory(f.classify)},
		{"POST", "/v1/chat/classifications", f.inMemory(f.classifyChat)},

		{"GET", "/healthz", http.HandlerFunc(f.healthy)},
		{"GET", "/readyz", http.HandlerFunc(f.ready)},
	}
}

// Handler serves all routes.
func (f *Factory) Handler() http.Handler {
	mux := http.NewServeMux()
	methods := map[string][]string{} // by path
	for _, route := range f.routes() {
		methods[route.path] = append(methods[route.path], route.method)
		mux.Handle(route.method+" "+route.path, route.handler)
	}
	for path, allowed := range methods {
		mux.Handle(path, f.methodNotAllowed(allowed))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { f.fail(w, r, errNoRoute) })
	return f.observed(mux)
}

// operation answers a tenant's request with a value to be written as JSON, or
// with an error.
type operation func(r *http.Request, tenant string) (any, error)

// operation authenticates and answers.
func (f *Factory) operation(maxBytes int64, operate operation) http.Handler {
	return f.authenticated(f.responder(maxBytes, operate))
}

// responder bounds the body and writes the answer.
func (f *Factory) responder(maxBytes int64, operate operation) func(http.ResponseWriter, *http.Request, string) {
	return func(w http.ResponseWriter, r *http.Request, tenant string) {
		if r.ContentLength > maxBytes {
			f.fail(w, r, errTooLarge) // before a client that waits for it has sent anything
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBytes)
		answer, err := operate(r, tenant)
		if err != nil {
			f.fail(w, r, err)
			return
		}
		f.answer(w, r, http.StatusOK, answer)
	}
}

// transfer gives a request more time than the server's timeouts do.
func (f *Factory) transfer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		giveTime(w, maxTransferTime, maxTransferTime)
		next.ServeHTTP(w, r)
	})
}

// giveTime replaces what the server's timeouts leave of a request's time.
func giveTime(w http.ResponseWriter, read, write time.Duration) {
	now := time.Now() //nolint:forbidigo // a connection's deadline is in real time
	controller := http.NewResponseController(w)
	_ = controller.SetReadDeadline(now.Add(read)) // unsupported: then there is none to extend
	_ = controller.SetWriteDeadline(now.Add(write))
}

func (f *Factory) methodNotAllowed(allowed []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		f.fail(w, r, errMethodNotAllowed)
	})
}

// fail answers with an error. One that is no problem is nobody's business but the
// log's.
func (f *Factory) fail(w http.ResponseWriter, r *http.Request, err error) {
	var answer *problem
	if !errors.As(err, &answer) {
		answer = failure(r, err)
	}
	if answer.Status >= http.StatusInternalServerError {
		f.logger.ErrorContext(r.Context(), "request failed", slog.String("route", r.Pattern), slog.Any("error", err))
	}
	f.answer(w, r, answer.Status, answer)
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
	}
	return errInternal
}

func (f *Factory) answer(w http.ResponseWriter, r *http.Request, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	if answer, ok := body.(io.WriterTo); ok {
		w.WriteHeader(status)
		_, _ = answer.WriteTo(w) // a client that is gone is not our failure
		return
	}
	data, err := json.Marshal(body)
	if err != nil {
		f.logger.ErrorContext(r.Context(), "answer cannot be written as JSON", slog.String("route", r.Pattern), slog.Any("error", err))
		status, data = http.StatusInternalServerError, []byte(`{"detail":"Internal Server Error"}`)
	}
	w.WriteHeader(status)
	_, _ = w.Write(data)
}

func (f *Factory) healthy(w http.ResponseWriter, r *http.Request) {
	f.answer(w, r, http.StatusOK, map[string]string{"status": "ok"})
}

// ready fails when the database does not answer, as while the server closes.
func (f *Factory) ready(w http.ResponseWriter, r *http.Request) {
	if err := f.store.Ping(r.Context()); err != nil {
		f.answer(w, r, http.StatusServiceUnavailable, map[string]string{"status": "the database does not answer"})
		return
	}
	f.healthy(w, r)
}
