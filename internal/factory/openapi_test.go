package factory

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/content"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
)

// document is docs/reference/openapi.yaml. It is read once for all tests.
var document = sync.OnceValues(func() (*v3.Document, error) {
	content, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", "openapi.yaml"))
	if err != nil {
		return nil, err
	}
	parsed, err := libopenapi.NewDocument(content)
	if err != nil {
		return nil, err
	}
	model, err := parsed.BuildV3Model()
	if err != nil {
		return nil, err
	}
	return &model.Model, nil
})

// strictly reports members that the document does not have.
var strictly = sync.OnceValues(func() (validator.Validator, error) {
	model, err := document()
	if err != nil {
		return nil, err
	}
	return validator.NewValidatorFromV3Model(model, config.WithFormatAssertions(), config.WithStrictMode(),
		config.WithStrictIgnoredHeadersExtra("X-Content-Type-Options", "Last-Modified", "Server", "X-Request-Id"),
		// Objects whose names are the tenant's or the metrics': their values have a schema.
		config.WithStrictIgnorePaths("$.body.results[*].**", "$.body.evaluation.targets[*].metrics.*", "$.body.detail[*].ctx.*"),
	), nil
})

// leniently lets requests have what the document does not mention. A server that
// asks for no key serves requests without one.
var leniently = sync.OnceValues(func() (validator.Validator, error) {
	model, err := document()
	if err != nil {
		return nil, err
	}
	return validator.NewValidatorFromV3Model(model, config.WithFormatAssertions(), config.WithoutSecurityValidation(),
		config.WithRejectUndeclaredRequestBody(), config.WithBodyDecoder("multipart/form-data", content.MultipartDecoder())), nil
})

// documented serves what next does, and holds it to the document: every answer is
// described, and every request that is served is one that the document allows.
func documented(t testing.TB, next http.Handler) http.Handler {
	t.Helper()
	answers, err := strictly()
	if err != nil {
		t.Fatal(err)
	}
	requests, err := leniently()
	if err != nil {
		t.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Requests of the protocol's routes alone: the answers to others are no part of it.
		request := r.Clone(r.Context())
		var body readBody
		served := r.WithContext(r.Context()) // the server must see its own body in r
		served.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(r.Body, &body), r.Body}
		recorder := &answerRecorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(recorder, served)
		if !strings.Contains(served.Pattern, " ") || recorder.status == 499 {
			return
		}
		name := r.Method + " " + r.URL.String()
		request.Body = io.NopCloser(unpacked(t, request, body.Bytes()))
		if recorder.status == http.StatusOK {
			if r.ContentLength != 0 && body.Len() == 0 {
				t.Errorf("the body of %s was not read, so that the document has none", name)
			}
			if ok, problems := requests.ValidateHttpRequestSync(request); !ok {
				for _, problem := range problems {
					t.Errorf("the document does not allow %s %s: %s: %s %v", name, body.String(), problem.Message, problem.Reason, problem.SchemaValidationErrors)
				}
			}
		}
		response := &http.Response{StatusCode: recorder.status, Header: recorder.Header().Clone(), Body: io.NopCloser(&recorder.body)}
		answer := recorder.body.String()
		if ok, problems := answers.ValidateHttpResponse(request, response); !ok {
			for _, problem := range problems {
				t.Errorf("the document does not describe %s: %d %s: %s: %s %v", name, recorder.status, answer, problem.Message, problem.Reason, problem.SchemaValidationErrors)
			}
		}
	})
}

// unpacked is a body as the document describes it.
func unpacked(t testing.TB, request *http.Request, body []byte) io.Reader {
	if request.Header.Get("Content-Encoding") != "gzip" {
		return bytes.NewReader(body)
	}
	request.Header.Del("Content-Encoding")
	reader, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return bytes.NewReader(nil)
	}
	return reader
}

// readBody is what was read of a request's body. Of one that is larger than any test's
// that is served, it keeps the beginning.
type readBody struct{ bytes.Buffer }

func (b *readBody) Write(data []byte) (int, error) {
	b.Buffer.Write(data[:min(len(data), (32<<20)-b.Len())])
	return len(data), nil
}

// answerRecorder keeps an answer that is JSON.
type answerRecorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (w *answerRecorder) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *answerRecorder) Write(data []byte) (int, error) {
	if w.Header().Get("Content-Type") == "application/json" {
		w.body.Write(data)
	}
	return w.ResponseWriter.Write(data)
}

func (w *answerRecorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// TestDocumentHasTheRoutes, every one of them and no other.
func TestDocumentHasTheRoutes(t *testing.T) {
	model, err := document()
	if err != nil {
		t.Fatal(err)
	}
	var described, registered []string
	for path, item := range model.Paths.PathItems.FromOldest() {
		for method := range item.GetOperations().FromOldest() {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	s := startServer(t, nil)
	for _, route := range s.factory.api.Routes() {
		registered = append(registered, route.Method+" "+route.Path)
	}
	slices.Sort(described)
	slices.Sort(registered)
	if !slices.Equal(described, registered) {
		t.Errorf("described:\n%s\nregistered:\n%s", strings.Join(described, "\n"), strings.Join(registered, "\n"))
	}
}

// TestDocumentIsHeld makes sure that what holds all other tests to the document
// notices what it does not describe.
func TestDocumentIsHeld(t *testing.T) {
	const (
		boundary = "--boundary\r\nContent-Disposition: form-data; name="
		file     = boundary + "file; filename=a.jsonl\r\n\r\n{}\r\n"
		purpose  = boundary + "purpose\r\n\r\n"
		end      = "\r\n--boundary--\r\n"
		digest   = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
		uploaded = `{"id":"01234567-89ab-4def-8123-456789abcdef","object":"file","bytes":2,"created_at":1,"filename":"a.jsonl","purpose":"fine-tune",
			"sample_type":"pretrain","source":"upload","num_lines":1,"mimetype":"application/jsonl","signature":"0123456789abcdef",
			"expires_at":null,"visibility":"workspace","sha256":"` + digest + `"}`
		archive  = "/v1/fine_tuning/models/m/archive"
		archived = `{"id":"m","object":"model","archived":true}`
		unread   = "unread"
	)
	for _, test := range []struct {
		reason, method, path, request string
		status                        int
		answer                        string
		fails                         bool
	}{
		{"as described", "GET", "/healthz", "", 200, `{"status":"ok"}`, false},
		{"a status that is not described", "GET", "/healthz", "", 204, "", true},
		{"a member that is not described", "GET", "/healthz", "", 200, `{"status":"ok","more":1}`, true},
		{"a member of another type", "GET", "/healthz", "", 200, `{"status":1}`, true},
		{"a member is missing", "GET", "/healthz", "", 200, `{}`, true},
		{"a list that is null", "GET", "/v1/files", "", 200, `{"data":null,"object":"list","total":0}`, true},
		{"a format that is none", "GET", "/v1/files", "", 200, `{"data":[{"id":"x"}],"object":"list","total":0}`, true},
		{"a served query that is not described", "GET", "/v1/files?page=x", "", 200, `{"data":[],"object":"list","total":0}`, true},
		{"a served body that is not described", "POST", "/v1/classifications", `{"model":"m","input":"x","more":1}`, 200,
			`{"id":"0123456789abcdef0123456789abcdef","model":"m","results":[]}`, true},
		{"a form as described", "POST", "/v1/files", file + purpose + "fine-tune" + end, 200, uploaded, false},
		{"a served form with a value that is not described", "POST", "/v1/files", file + purpose + "batch" + end, 200, uploaded, true},
		{"a served form without a file", "POST", "/v1/files", purpose + "fine-tune" + end, 200, uploaded, true},
		{"a served form that ends too early", "POST", "/v1/files", file, 200, uploaded, true},
		{"a refused form is anything", "POST", "/v1/files", purpose + "batch" + end, 422, `{"detail":"sentence"}`, false},
		{"no body, as described", "POST", archive, "", 200, archived, false},
		{"a body that is not described", "POST", archive, "{}", 200, archived, true},
		{"a body that is not described and not read either", "POST", archive, unread, 200, archived, true},
		{"a refused body is anything", "POST", "/v1/classifications", `{"more":1}`, 422, `{"detail":[{"type":"t","loc":["body"],"msg":"m"}]}`, false},
		{"a refusal in another form", "POST", "/v1/classifications", `{"more":1}`, 422, `{"detail":"sentence"}`, true},
	} {
		recorded := &recordingTB{TB: t}
		mux := http.NewServeMux()
		path, _, _ := strings.Cut(test.path, "?")
		mux.HandleFunc(test.method+" "+path, func(w http.ResponseWriter, r *http.Request) {
			if test.request != unread {
				_, _ = io.Copy(io.Discard, r.Body)
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(test.status)
			_, _ = io.WriteString(w, test.answer)
		})
		request := httptest.NewRequest(test.method, test.path, strings.NewReader(test.request))
		request.Header.Set("Authorization", "Bearer key")
		switch {
		case strings.HasPrefix(test.request, boundary):
			request.Header.Set("Content-Type", "multipart/form-data; boundary=boundary")
		case test.request != "":
			request.Header.Set("Content-Type", "application/json")
		}
		documented(recorded, mux).ServeHTTP(httptest.NewRecorder(), request)
		if recorded.failed != test.fails {
			t.Errorf("%s: noticed: %v", test.reason, recorded.failed)
		}
	}
}

// TestUploadFormIsAsDescribed: a form that the server takes is one that the document
// allows, and the other way round.
func TestUploadFormIsAsDescribed(t *testing.T) {
	s := startServer(t, nil)
	requests, err := leniently()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		reason  string
		fields  []string
		allowed bool
	}{
		{"the file alone", nil, true},
		{"the purpose that there is", []string{"purpose", "fine-tune"}, true},
		{"another purpose", []string{"purpose", "batch"}, false},
		{"an empty purpose", []string{"purpose", ""}, false},
		{"each visibility", []string{"visibility", "workspace"}, true},
		{"each visibility", []string{"visibility", "user"}, true},
		{"another visibility", []string{"visibility", "world"}, false},
		{"an empty visibility", []string{"visibility", ""}, false},
		{"the shortest expiry", []string{"expiry", "1"}, true},
		{"the longest expiry", []string{"expiry", "8760"}, true},
		{"an expiry that is over", []string{"expiry", "0"}, false},
		{"an expiry in the past", []string{"expiry", "-1"}, false},
		{"an expiry in seconds", []string{"expiry", "86400"}, false},
		{"an expiry that overflows", []string{"expiry", "99999999999999999999"}, false},
		{"a part of an hour", []string{"expiry", "1.5"}, false},
		{"an expiry that is no number", []string{"expiry", "null"}, false},
		{"an empty expiry", []string{"expiry", ""}, false},
		{"all fields", []string{"expiry", "24", "purpose", "fine-tune", "visibility", "user"}, true},
		{"two files", []string{"file", "{}"}, false},
		{"a value twice: which one counts?", []string{"visibility", "user", "visibility", "workspace"}, false},
		{"a field that no server has yet", []string{"more", "x", "more", "y"}, true},
	} {
		contentType, body := form(t, "a.jsonl", "{}", test.fields...)
		content, _ := io.ReadAll(body) // from memory
		request := httptest.NewRequest(http.MethodPost, "/v1/files", bytes.NewReader(content))
		request.Header.Set("Content-Type", contentType)
		if allows, _ := requests.ValidateHttpRequestSync(request); allows != test.allowed {
			t.Errorf("%s: %q is allowed by the document: %v", test.reason, test.fields, allows)
		}
		status, answer := s.requestAs("alice-key", "POST", "/v1/files", contentType, bytes.NewReader(content))
		if want := map[bool]int{true: 200, false: 422}[test.allowed]; status != want {
			t.Errorf("%s: %q: %d %s, want %d", test.reason, test.fields, status, answer, want)
		}
	}
}

// recordingTB remembers a failure instead of failing.
type recordingTB struct {
	testing.TB
	failed bool
}

func (r *recordingTB) Errorf(string, ...any) { r.failed = true }
