package mistral

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/propagation"
)

const (
	// maxAnswerBytes is many times a page of 100 jobs or a batch of classifications.
	maxAnswerBytes = 8 << 20
	// maxModelsBytes is for the list of models, which has no pages: some 70 000 of them.
	maxModelsBytes = 32 << 20
	// maxErrorBytes is enough for an error's code.
	maxErrorBytes = 64 << 10
	// minTellingKey is the length from which a key is in an answer by no accident.
	minTellingKey = 16

	defaultUserAgent = "classifier-factory"
	jsonMediaType    = "application/json"
	actForHeader     = "Factory-Act-For"
)

// Config says which server a Client talks to, and how.
type Config struct {
	// BaseURL is the server's address. A path in it is kept; the /v1 that every
	// route starts with may be left out.
	BaseURL string
	// Key is sent as a bearer token; the zero Key sends none.
	Key Key
	// Namespace is the one in whose name is asked, each of which is a tenant of its own
	// to a server that knows of it; others ignore it. Empty: the key's own tenant.
	Namespace string
	// HTTPClient sends the requests. Its redirect policy is not used: no
	// redirect is followed, so that the key goes nowhere else. Nil is a client
	// without a time-out of its own.
	HTTPClient *http.Client
	UserAgent  string           // empty: the project's name
	Now        func() time.Time // nil: time.Now. It turns a Retry-After date into a duration
}

// Client speaks the protocol with one server. A call is one HTTP request, never
// repeated, and ends with its context. It may be used concurrently.
type Client struct {
	base      *url.URL // ends in /v1
	key       Key
	namespace string
	http      http.Client
	userAgent string
	now       func() time.Time
}

// NewClient makes a client; it does not connect.
func NewClient(config Config) (*Client, error) {
	base, err := parseBaseURL(config.BaseURL)
	if err != nil {
		return nil, err
	}
	if err := config.Key.Validate(); err != nil {
		return nil, err
	}
	client := &Client{
		base:      base,
		key:       config.Key,
		namespace: config.Namespace,
		userAgent: cmp.Or(config.UserAgent, defaultUserAgent),
		now:       config.Now,
	}
	if config.HTTPClient != nil {
		client.http = *config.HTTPClient
	}
	client.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if client.now == nil {
		client.now = time.Now
	}
	return client, nil
}

// parseBaseURL adds the version of the protocol if it is not there.
func parseBaseURL(text string) (*url.URL, error) {
	base, err := ParseServerURL(text)
	if err != nil {
		return nil, fmt.Errorf("the base URL %w", err)
	}
	if !strings.HasSuffix(strings.TrimRight(base.Path, "/"), "/v1") {
		base = base.JoinPath("v1")
	}
	return base, nil
}

// ParseServerURL reads the address of a server that is given its key apart from it. Its
// errors go on after what the URL is called, and show nothing of it, for it may hold a secret.
func ParseServerURL(text string) (*url.URL, error) {
	base, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil:
		return nil, errors.New("cannot be parsed")
	case base.Scheme != "http" && base.Scheme != "https":
		return nil, errors.New("must start with http:// or https://")
	case base.Hostname() == "":
		return nil, errors.New("has no host")
	case base.User != nil:
		return nil, errors.New("must not have a user or password; the API key is given apart from it")
	case base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return nil, errors.New("must not have a query or fragment")
	}
	return base, nil
}

// request is one call of the protocol.
type request struct {
	operation string
	method    string
	path      []string // segments below /v1, not escaped
	query     url.Values
	accept    string   // empty: JSON
	limit     int64    // of the answer's bytes; 0: maxAnswerBytes
	body      any      // sent as JSON
	form      *form    // sent instead of body
	secrets   []string // in body, beside the client's own key
	readOnly  bool     // changes nothing although its method is not GET
}

func (r request) changes() bool { return r.method != http.MethodGet && !r.readOnly }

// maxIDLength is three times a UUID, which IDs of files and jobs are.
const maxIDLength = 128

func isID(id string) bool { return id != "" && len(id) <= maxIDLength }

// answer is a message that can tell whether it is one, or just some other JSON.
type answer[T any] interface {
	*T
	complete() bool
}

// send makes a request and reads its answer.
func send[T any, A answer[T]](ctx context.Context, c *Client, r request) (*T, error) {
	response, err := c.exchange(ctx, r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()

	limit := cmp.Or(r.limit, maxAnswerBytes)
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err != nil {
		return nil, unreadable(r, response.StatusCode, "the answer broke off", cmp.Or(ctx.Err(), err))
	}
	if int64(len(body)) > limit {
		return nil, unreadable(r, response.StatusCode, fmt.Sprintf("the answer is larger than %d MiB", limit>>20), nil)
	}
	// What an answer says of a job is shown to many who must not have the key.
	if key := c.key.reveal(); len(key) >= minTellingKey && bytes.Contains(body, []byte(key)) {
		return nil, unreadable(r, response.StatusCode, "the answer repeats the API key", nil)
	}
	message := new(T)
	if err := json.Unmarshal(body, message); err != nil {
		return nil, unreadable(r, response.StatusCode, describeDecoding(err), err)
	}
	if !A(message).complete() {
		return nil, unreadable(r, response.StatusCode, "the answer lacks what the protocol requires", nil)
	}
	return message, nil
}

func describeDecoding(err error) string {
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) && safeCode.MatchString(mismatch.Field) {
		return "the answer has another type than the protocol's at " + mismatch.Field
	}
	return "the answer is not the JSON that the protocol describes"
}

// exchange makes a request and returns the answer if its status is 2xx. The
// caller closes its body.
func (c *Client) exchange(ctx context.Context, r request) (*http.Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, transportError(ctx, r, err, false)
	}
	delivery := &delivery{}
	httpRequest, err := c.newRequest(delivery.watch(ctx), r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.operation, err)
	}
	response, err := c.http.Do(httpRequest)
	if err != nil {
		return nil, transportError(ctx, r, err, delivery.possible())
	}
	if response.StatusCode >= 200 && response.StatusCode < 300 {
		return response, nil
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxErrorBytes))
	refused := refusal(r, response, body, c.now())
	if repeats(refused.Code, append(r.secrets, c.key.reveal())) {
		refused.Code = ""
	}
	return nil, refused
}

// repeats reports whether a code is a secret of the request, or a good part of one:
// a server must not get it into a message by sending it back.
func repeats(code string, secrets []string) bool {
	const telling = 8 // characters, fewer than a key has and more than words have in common with one
	return slices.ContainsFunc(secrets, func(secret string) bool {
		return secret != "" && (strings.Contains(code, secret) || len(code) >= telling && strings.Contains(secret, code))
	})
}

func (c *Client) newRequest(ctx context.Context, r request) (*http.Request, error) {
	target, err := c.url(r)
	if err != nil {
		return nil, err
	}
	var body io.Reader
	if r.body != nil {
		data, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	httpRequest, err := http.NewRequestWithContext(ctx, r.method, target, body)
	if err != nil {
		return nil, err
	}
	header := httpRequest.Header
	header.Set("User-Agent", c.userAgent)
	header.Set("Accept", cmp.Or(r.accept, jsonMediaType))
	if r.body != nil {
		header.Set("Content-Type", jsonMediaType)
	}
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(header)) // where there is a span
	if key := c.key.reveal(); key != "" {
		header.Set("Authorization", "Bearer "+key)
	}
	if c.namespace != "" {
		header.Set(actForHeader, c.namespace)
	}
	if r.form != nil {
		r.form.attach(httpRequest)
	}
	return httpRequest, nil
}

// url refuses the segments that would change the route instead of naming an
// object: they come from other places' answers and manifests.
func (c *Client) url(r request) (string, error) {
	segments := make([]string, len(r.path))
	for i, segment := range r.path {
		if segment == "" || segment == "." || segment == ".." {
			return "", errors.New("the ID is empty or made of dots")
		}
		segments[i] = url.PathEscape(segment)
	}
	target := c.base.JoinPath(segments...)
	target.RawQuery = r.query.Encode()
	return target.String(), nil
}

// pageQuery leaves out what is zero, as the server's defaults are the SDKs'.
func pageQuery(page, size int) url.Values {
	query := url.Values{}
	if page > 0 {
		query.Set("page", strconv.Itoa(page))
	}
	if size > 0 {
		query.Set("page_size", strconv.Itoa(size))
	}
	return query
}

func setQuery(query url.Values, name, value string) {
	if value != "" {
		query.Set(name, value)
	}
}

// delivery watches whether a request can have reached the server.
type delivery struct{ dialled, connected atomic.Bool }

func (d *delivery) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { d.dialled.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { d.connected.Store(true) },
	})
}

// possible is false only if a connection was asked for and never came: a
// transport that does not say must be taken to have sent the request.
func (d *delivery) possible() bool { return d.connected.Load() || !d.dialled.Load() }
