package mistral

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestErrorAnswers(t *testing.T) {
	tests := []struct {
		reason         string
		status         int
		body           string
		code           string
		is             func(error) bool
		outcomeUnknown bool
		text           string // empty: not looked at
	}{
		{
			reason: "validation errors as a list",
			status: 422, is: IsInvalid, code: "value_error",
			body: `{"detail":[{"type":"value_error","loc":["body","job_in"],"msg":"Value error, canary","input":"canary","ctx":{"error":"canary"}}]}`,
			text: "CreateJob: the server answered 422 Unprocessable Entity (value_error)",
		},
		{
			reason: "the first of several validation errors that has a type",
			status: 422, is: IsInvalid, code: "extra_forbidden",
			body: `{"detail":[{"type":"can ary"},{"type":"extra_forbidden","loc":["body",0]}]}`,
		},
		{
			reason: "a validation error as a sentence",
			status: 422, is: IsInvalid,
			body: `{"detail":"Model not available for this type of fine-tuning (canary)."}`,
			text: "CreateJob: the server answered 422 Unprocessable Entity",
		},
		{
			reason: "a refused upload has a sentence and a message",
			status: 422, is: IsInvalid,
			body: `{"detail":"Invalid file format.","message":"Received file with mimetype canary"}`,
		},
		{reason: "a malformed request", status: 400, is: IsInvalid, body: `{"detail":"canary"}`},
		{
			reason: "a key that is not accepted",
			status: 401, is: IsUnauthorized, body: `{"detail":"Unauthorized"}`,
			text: "CreateJob: the server answered 401 Unauthorized: it does not accept the API key",
		},
		{
			reason: "a gateway's form of it",
			status: 401, is: IsUnauthorized, body: `{"message":"canary","request_id":"0123456789abcdef0123456789abcdef"}`,
		},
		{reason: "no permission", status: 403, is: IsForbidden, body: `{"detail":"canary"}`},
		{reason: "no such job", status: 404, is: IsNotFound, body: `{"detail":"No fine tuning job matches canary."}`},
		{reason: "a similar job exists", status: 409, is: IsConflict, body: `{"detail":"canary"}`},
		{
			reason: "a retired route",
			status: 410, is: IsRetired, body: `{"detail":"canary"}`,
			text: "CreateJob: the server answered 410 Gone: it no longer offers this operation",
		},
		{reason: "a body over a gateway's limit, told in HTML", status: 413, body: `<html><title>canary</title></html>`},
		{
			reason: "a rate limit in the service's envelope",
			status: 429, is: IsTooManyRequests, code: "1300",
			body: `{"object":"error","message":"canary","type":"rate_limited","param":null,"code":"1300","raw_status_code":429}`,
		},
		{
			reason: "a code that came as a number",
			status: 429, is: IsTooManyRequests, code: "1300", body: `{"code":1300,"type":"rate_limited"}`,
		},
		{reason: "a rate limit in a gateway's form", status: 429, is: IsTooManyRequests, body: `{"message":"canary"}`},
		{
			reason: "no capacity, with a null for its code",
			status: 503, outcomeUnknown: true, code: "invalid_request_error",
			body: `{"object":"error","message":"canary","type":"invalid_request_error","param":null,"code":null}`,
			text: "CreateJob: the server answered 503 Service Unavailable (invalid_request_error)",
		},
		{
			reason: "an envelope inside an envelope",
			status: 500, outcomeUnknown: true, code: "server_error", body: `{"error":{"message":"canary","type":"server_error"}}`,
		},
		{reason: "an error that is a sentence", status: 500, outcomeUnknown: true, body: `{"error":"canary"}`},
		{reason: "a gateway's page", status: 502, outcomeUnknown: true, body: `<html><body>canary</body></html>`},
		{reason: "a time-out behind the gateway", status: 504, outcomeUnknown: true, body: `canary`},
		{reason: "a time-out of the server itself", status: 408, outcomeUnknown: true, body: ``},
		{reason: "a status without a name", status: 599, outcomeUnknown: true, text: "CreateJob: the server answered 599"},
		{reason: "JSON that is no object", status: 400, is: IsInvalid, body: `["canary"]`},
		{reason: "JSON that was cut off", status: 400, is: IsInvalid, body: `{"code":"canary`},
		{reason: "a code with other characters", status: 400, is: IsInvalid, body: `{"code":"can ary","type":"<canary>"}`},
		{reason: "a code that is too long", status: 400, is: IsInvalid, body: `{"code":"canary` + strings.Repeat("y", 64) + `"}`},
		{reason: "a code that is no text", status: 400, is: IsInvalid, body: `{"code":{"canary":1},"type":true,"detail":7}`},
		{reason: "the key as the code", status: 400, is: IsInvalid, body: `{"code":"x-` + testKey + `"}`},
	}
	helpers := map[string]func(error) bool{
		"IsInvalid": IsInvalid, "IsUnauthorized": IsUnauthorized, "IsForbidden": IsForbidden, "IsNotFound": IsNotFound,
		"IsConflict": IsConflict, "IsRetired": IsRetired, "IsTooManyRequests": IsTooManyRequests,
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			client := serve(t, answering(test.status, test.body))
			_, err := client.CreateJob(t.Context(), CreateJobRequest{})
			var answer *Error
			if !errors.As(err, &answer) {
				t.Fatalf("error is %T: %v", err, err)
			}
			if answer.Operation != "CreateJob" || answer.StatusCode != test.status || answer.Code != test.code {
				t.Errorf("error is %+v, want status %d and code %q", answer, test.status, test.code)
			}
			if OutcomeUnknown(err) != test.outcomeUnknown {
				t.Errorf("outcome unknown is %t", OutcomeUnknown(err))
			}
			if test.text != "" && err.Error() != test.text {
				t.Errorf("text is %q, want %q", err, test.text)
			}
			if strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), testKey) {
				t.Errorf("text repeats the answer: %q", err)
			}
			held := 0
			for name, is := range helpers {
				if is(err) {
					if held++; test.is == nil || !test.is(err) {
						t.Errorf("%s holds", name)
					}
				}
			}
			if want := test.is != nil; (held == 1) != want {
				t.Errorf("%d of the Is functions hold", held)
			}

			_, err = client.GetJob(t.Context(), "j1")
			if OutcomeUnknown(err) {
				t.Error("the outcome of reading is unknown")
			}
		})
	}
}

func TestUnreadableAnswers(t *testing.T) {
	tests := []struct {
		reason, body, text string
	}{
		{"no body", ``, "is not the JSON"},
		{"a login page", `<html>canary</html>`, "is not the JSON"},
		{"JSON that was cut off", `{"id":"j1","model":"canary`, "is not the JSON"},
		{"two documents", `{"id":"j1"}{"id":"canary"}`, "is not the JSON"},
		{"another JSON type", `["canary"]`, "is not the JSON"},
		{"a field of another type", `{"id":"j1","created_at":"canary"}`, "another type than the protocol's at created_at"},
		{"null", `null`, "lacks"},
		{"another service's object", `{"canary":1}`, "lacks"},
		{"an empty ID", `{"id":""}`, "lacks"},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			client := serve(t, answering(http.StatusOK, test.body))
			_, err := client.CreateJob(t.Context(), CreateJobRequest{})
			var answer *Error
			if !errors.As(err, &answer) || answer.StatusCode != http.StatusOK {
				t.Fatalf("error is %v", err)
			}
			if !strings.Contains(err.Error(), test.text) || strings.Contains(err.Error(), "canary") {
				t.Errorf("text is %q", err)
			}
			if !OutcomeUnknown(err) {
				t.Error("the job may have been created, but the outcome counts as known")
			}
		})
	}
}

func TestListMustBeOne(t *testing.T) {
	tests := []struct {
		reason, body string
		jobs         int
		refused      bool
	}{
		{"jobs", `{"data":[{"id":"j1"}],"object":"list","total":1}`, 1, false},
		{"no object and total", `{"data":[{"id":"j1"}]}`, 1, false},
		{"null for no jobs", `{"data":null,"object":"list","total":0}`, 0, false},
		{"something else must not look like no jobs", `{"message":"ok"}`, 0, true},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			client := serve(t, answering(http.StatusOK, test.body))
			list, err := client.ListJobs(t.Context(), JobFilter{})
			if (err != nil) != test.refused {
				t.Fatalf("error is %v", err)
			}
			if err == nil && len(list.Data) != test.jobs {
				t.Errorf("got %d jobs", len(list.Data))
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := []struct {
		header string
		want   time.Duration
	}{
		{"", 0},
		{"30", 30 * time.Second},
		{"1.5", 1500 * time.Millisecond},
		{"0", 0},
		{"-5", 0},
		{"soon", 0},
		{"NaN", 0},
		{"86400", maxRetryAfter},
		{"1e300", maxRetryAfter},
		{"Inf", maxRetryAfter},
		{"Fri, 02 Jan 2026 03:05:05 GMT", time.Minute},
		{"Fri, 02 Jan 2026 03:04:00 GMT", 0},
		{"Fri, 01 Jan 2027 00:00:00 GMT", maxRetryAfter},
	}
	for _, test := range tests {
		t.Run(test.header, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", test.header)
				w.WriteHeader(http.StatusTooManyRequests)
			}))
			defer server.Close()
			client, err := NewClient(Config{BaseURL: server.URL, Now: func() time.Time { return now }})
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.ListModels(t.Context())
			var answer *Error
			if !errors.As(err, &answer) || answer.RetryAfter != test.want {
				t.Errorf("error is %+v, want %s", answer, test.want)
			}
		})
	}
}

func TestBrokenExchanges(t *testing.T) {
	ended := errors.New("the manager stops")
	tests := []struct {
		reason         string
		server         http.HandlerFunc // nil: nothing listens
		context        func(context.Context) context.Context
		cause          error
		outcomeUnknown bool
		text           string
	}{
		{
			reason: "nothing listens",
			text:   "CreateJob: could not connect to the server: connection refused",
		},
		{
			reason:  "the context had ended before",
			server:  answering(http.StatusOK, `{"id":"j1"}`),
			context: func(ctx context.Context) context.Context { return cancelled(ctx, nil) },
			cause:   context.Canceled,
			text:    "CreateJob: the request was cancelled",
		},
		{
			reason:  "the context had ended with a cause of its own",
			server:  answering(http.StatusOK, `{"id":"j1"}`),
			context: func(ctx context.Context) context.Context { return cancelled(ctx, ended) },
			cause:   context.Canceled,
			text:    "CreateJob: the request was cancelled",
		},
		{
			reason:         "the answer does not come in time",
			server:         stall,
			context:        soonOver,
			cause:          context.DeadlineExceeded,
			outcomeUnknown: true,
			text:           "CreateJob: the request timed out",
		},
		{
			reason: "the answer does not end in time",
			server: func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, `{"id":"j1"`)
				_ = http.NewResponseController(w).Flush()
				stall(w, r)
			},
			context:        soonOver,
			cause:          context.DeadlineExceeded,
			outcomeUnknown: true,
			text:           "CreateJob: the answer broke off",
		},
		{
			reason:         "the server hangs up after the request",
			server:         hangUp(""),
			cause:          io.EOF,
			outcomeUnknown: true,
			text:           "CreateJob: the connection broke before the answer",
		},
		{
			reason:         "the server hangs up in the answer",
			server:         hangUp("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":\"canary"),
			cause:          io.ErrUnexpectedEOF,
			outcomeUnknown: true,
			text:           "CreateJob: the answer broke off",
		},
		{
			reason:         "the server does not speak HTTP",
			server:         hangUp("SSH-2.0-canary\r\n"),
			outcomeUnknown: true,
			text:           "CreateJob: the connection broke before the answer",
		},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			server := httptest.NewServer(test.server)
			defer server.Close()
			if test.server == nil {
				server.Close()
			}
			ctx := t.Context()
			if test.context != nil {
				ctx = test.context(ctx)
			}
			_, err := newTestClient(t, server.URL+"/secret-path").CreateJob(ctx, CreateJobRequest{})
			if err == nil || err.Error() != test.text {
				t.Fatalf("error is %v, want %q", err, test.text)
			}
			if test.cause != nil && !errors.Is(err, test.cause) {
				t.Errorf("error does not wrap %v", test.cause)
			}
			if OutcomeUnknown(err) != test.outcomeUnknown {
				t.Errorf("outcome unknown is %t", OutcomeUnknown(err))
			}
			if cause := errors.Unwrap(err); cause != nil && strings.Contains(cause.Error(), "secret-path") {
				t.Errorf("the cause names the URL: %v", cause)
			}
		})
	}
}

func TestServerThatIsNotTrusted(t *testing.T) {
	server := httptest.NewUnstartedServer(answering(http.StatusOK, `{"id":"j1"}`))
	server.Config.ErrorLog = discardLog
	server.StartTLS()
	defer server.Close()
	_, err := newTestClient(t, server.URL).CreateJob(t.Context(), CreateJobRequest{})
	if want := "CreateJob: the server's certificate is not trusted"; err == nil || err.Error() != want || OutcomeUnknown(err) {
		t.Errorf("error is %v, want %q of a known outcome", err, want)
	}
}

func TestServerWithoutTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(answering(http.StatusOK, `{"id":"j1"}`))
	server.Config.ErrorLog = discardLog
	server.Start()
	defer server.Close()
	client := newTestClient(t, strings.Replace(server.URL, "http:", "https:", 1))
	_, err := client.CreateJob(t.Context(), CreateJobRequest{})
	if want := "CreateJob: the base URL says https, but the server speaks HTTP"; err == nil || err.Error() != want || OutcomeUnknown(err) {
		t.Errorf("error is %v, want %q of a known outcome", err, want)
	}
}

func TestTransportThatSaysNothingMayHaveSent(t *testing.T) {
	client, err := NewClient(Config{BaseURL: "http://host", HTTPClient: &http.Client{Transport: failingTransport{}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateJob(t.Context(), CreateJobRequest{}); !OutcomeUnknown(err) || !errors.Is(err, net.ErrClosed) {
		t.Errorf("error is %v, want one of unknown outcome", err)
	}
}

func TestOtherErrorsAreNoAnswers(t *testing.T) {
	for _, err := range []error{nil, io.EOF} {
		if IsNotFound(err) || IsInvalid(err) || OutcomeUnknown(err) {
			t.Errorf("%v counts as an answer", err)
		}
	}
}

type failingTransport struct{}

func (failingTransport) RoundTrip(*http.Request) (*http.Response, error) { return nil, net.ErrClosed }

func cancelled(ctx context.Context, cause error) context.Context {
	ctx, cancel := context.WithCancelCause(ctx)
	cancel(cause)
	return ctx
}

func soonOver(ctx context.Context) context.Context {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	context.AfterFunc(ctx, cancel)
	return ctx
}

// stall answers nothing until the client has gone. A server notices that only
// when it has read the request.
func stall(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// hangUp reads the request, writes some bytes and closes the connection.
func hangUp(answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(connection, answer)
		_ = connection.Close()
	}
}
