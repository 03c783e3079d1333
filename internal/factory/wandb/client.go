// Package wandb reports trainings to Weights & Biases, by the HTTP interface that its
// open-source client speaks: a run is made by GraphQL, and its history is a file to which
// lines are written at their offsets, so that what is sent again is there once.
package wandb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	// callTimeout is what one request may take.
	callTimeout = 10 * time.Second
	// maxAnswerBytes is many times what is answered to any request.
	maxAnswerBytes = 1 << 20
	// maxNameLength of what the server calls the parts of a run's address.
	maxNameLength = 256
)

// Client speaks with the one server whose address it has. It may be used concurrently.
type Client struct {
	base *url.URL
	http http.Client
}

// NewClient makes a client; it does not connect.
func NewClient(base *url.URL) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = callTimeout
	return &Client{base: base, http: http.Client{
		Transport: transport,
		// None is followed: the key goes nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close ends the connections that are idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// RunRequest is a run to be made in the key's own entity.
type RunRequest struct {
	ID          string // within the project; to ask again for the same is to find it
	Project     string
	DisplayName string
	Config      map[string]any // what the training was asked for
}

// Run is a run that the server has.
type Run struct {
	Entity, Project, ID string
	URL                 string // of its page
}

const upsertRun = `mutation UpsertRun($name: String!, $project: String!, $displayName: String, $config: JSONString) {
  upsertBucket(input: {name: $name, modelName: $project, displayName: $displayName, config: $config}) {
    bucket { id name project { name entity { name } } }
  }
}`

// CreateRun makes a run.
func (c *Client) CreateRun(ctx context.Context, key mistral.Key, request RunRequest) (Run, error) {
	values := map[string]any{}
	for name, value := range request.Config {
		values[name] = map[string]any{"value": value}
	}
	config, err := json.Marshal(values)
	if err != nil {
		return Run{}, err
	}
	var answer struct {
		Data struct {
			UpsertBucket struct {
				Bucket struct {
					Name    string
					Project struct {
						Name   string
						Entity struct{ Name string }
					}
				}
			}
		}
		Errors []json.RawMessage
	}
	err = c.post(ctx, key, c.base.JoinPath("graphql"), map[string]any{
		"operationName": "UpsertRun",
		"query":         upsertRun,
		"variables": map[string]any{
			"name": request.ID, "project": request.Project, "displayName": request.DisplayName, "config": string(config),
		},
	}, &answer)
	if err != nil {
		return Run{}, err
	}
	made := answer.Data.UpsertBucket.Bucket
	run := Run{Entity: made.Project.Entity.Name, Project: made.Project.Name, ID: made.Name}
	if len(answer.Errors) > 0 || !isName(run.Entity) || !isName(run.Project) || !isName(run.ID) {
		return Run{}, ErrRefused
	}
	run.URL = c.page(run)
	return run, nil
}

// isName reports whether a name can be a part of a path.
func isName(name string) bool {
	return name != "" && name != "." && name != ".." && len(name) <= maxNameLength
}

// page is where people look at a run. The server that programs speak with may have a
// host of its own.
func (c *Client) page(run Run) string {
	pages := *c.base
	if rest, ok := strings.CutPrefix(pages.Host, "api.wandb."); ok {
		pages.Host = "wandb." + rest
	} else if rest, ok := strings.CutPrefix(pages.Host, "api."); ok {
		pages.Host = "app." + rest
	}
	return pages.JoinPath(url.PathEscape(run.Entity), url.PathEscape(run.Project), "runs", url.PathEscape(run.ID)).String()
}

// lines of a file, from an offset.
type lines struct {
	Offset  int      `json:"offset"`
	Content []string `json:"content"`
}

// chunk is what is told of a run at a time. An empty one says that it goes on.
type chunk struct {
	Files      map[string]lines `json:"files,omitempty"`
	Preempting *bool            `json:"preempting,omitempty"`
	Complete   *bool            `json:"complete,omitempty"`
	ExitCode   *int             `json:"exitcode,omitempty"`
}

func (c *Client) stream(ctx context.Context, key mistral.Key, run Run, told chunk) error {
	address := c.base.JoinPath("files", url.PathEscape(run.Entity), url.PathEscape(run.Project), url.PathEscape(run.ID), "file_stream")
	return c.post(ctx, key, address, told, nil)
}

// post makes one request. Its errors hold nothing of the address, the request or the
// answer.
func (c *Client) post(ctx context.Context, key mistral.Key, address *url.URL, body, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	content, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), bytes.NewReader(content))
	if err != nil {
		return ErrRefused
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "classifier-factory")
	key.SetBasicAuth(request, "api")
	response, err := c.http.Do(request)
	if err != nil {
		return &temporaryError{reason: "it was not reached"}
	}
	defer response.Body.Close()
	read, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err := statusError(response); err != nil {
		return err
	}
	if err != nil {
		return &temporaryError{reason: "its answer broke off"}
	}
	if answer != nil && json.Unmarshal(read, answer) != nil {
		return ErrRefused
	}
	return nil
}

var (
	// ErrKeyRefused says that the key opens nothing, or not the project.
	ErrKeyRefused = errors.New("the server of Weights & Biases refused the key")
	// ErrRefused says that the server will not take the report, however often it is sent.
	ErrRefused = errors.New("the server of Weights & Biases refused the report")
)

// temporaryError is of a request that may succeed when it is made again.
type temporaryError struct {
	reason string
	after  time.Duration // that the server asks to wait for
}

func (e *temporaryError) Error() string {
	return "the server of Weights & Biases did not take the report: " + e.reason
}

// statusError is nil for a request that was served.
func statusError(response *http.Response) error {
	switch status := response.StatusCode; {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fmt.Errorf("%w with the status %d", ErrKeyRefused, status)
	case status == http.StatusRequestTimeout, status == http.StatusConflict, status == http.StatusTooManyRequests,
		status >= 500 && status != http.StatusNotImplemented:
		seconds, _ := strconv.ParseInt(response.Header.Get("Retry-After"), 10, 16)
		return &temporaryError{reason: fmt.Sprintf("it answered with the status %d", status), after: time.Duration(seconds) * time.Second}
	default:
		return fmt.Errorf("%w with the status %d", ErrRefused, status)
	}
}
