package embeddings

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	firstPause = 250 * time.Millisecond // longer each time
	lastPause  = 15 * time.Second
	// maxRetryAfter is a day in seconds, for which nobody waits either.
	maxRetryAfter = 86400
)

// embeddingsRequest is as OpenAI has it. Its clients ask for base64 by themselves, which not
// every server knows.
type embeddingsRequest struct {
	Model          string   `json:"model"`
	Input          []string `json:"input"`
	EncodingFormat string   `json:"encoding_format"`
}

// limit bounds the time for which an encoder is asked.
func (p Patience) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, p.Time)
}

// ask returns the vectors of the texts, which all have the same length. It asks again when
// that may help.
func (e *Encoder) ask(ctx context.Context, texts []string, patience Patience) ([][]float32, error) {
	body, err := json.Marshal(embeddingsRequest{e.options.Model, texts, "float"})
	if err != nil {
		return nil, err
	}
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = firstPause, lastPause
	var last error // says more than that there was no time for another try
	vectors, err := backoff.Retry(ctx, func() ([][]float32, error) {
		vectors, err := e.askOnce(ctx, body, len(texts))
		if err != nil {
			e.metrics.failed(ctx)
			if ctx.Err() == nil || last == nil {
				last = err
			}
		}
		return vectors, err
	}, backoff.WithBackOff(pauses), backoff.WithMaxTries(patience.Tries), backoff.WithMaxElapsedTime(patience.Time))
	if errors.Is(err, context.DeadlineExceeded) && last != nil {
		err = last
	}
	return vectors, e.explain(err)
}

// explain makes one of our errors of all but the end of who asks.
func (e *Encoder) explain(err error) error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return e.unavailable("it is too slow for what it is asked")
	}
	return err
}

// askOnce makes one request. What it is wrapped in says whether another may help.
func (e *Encoder) askOnce(ctx context.Context, body []byte, count int) ([][]float32, error) {
	key, err := e.key()
	if err != nil {
		return nil, backoff.Permanent(e.unavailable("its API key cannot be read"))
	}
	if err := e.places.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer e.places.Release(1)
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.address, bytes.NewReader(body))
	if err != nil {
		return nil, backoff.Permanent(e.unavailable("its address cannot be used"))
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "classifier-factory")
	key.SetBearer(request)
	e.metrics.requests.Inc()
	response, err := e.http.Do(request)
	if err != nil {
		return nil, e.broken(ctx, "it was not reached")
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, e.statusError(response)
	}
	vectors, err := readVectors(response.Body, count)
	if answer, ok := errors.AsType[*answerError](err); ok {
		return nil, backoff.Permanent(e.unusable(answer.reason))
	}
	if err != nil {
		return nil, e.broken(ctx, "its answer broke off")
	}
	return vectors, nil
}

// broken is what became of a connection, without the address, which net/http's errors have.
func (e *Encoder) broken(ctx context.Context, reason string) error {
	if ctx.Err() != nil {
		reason = "it is too slow for what it is asked"
	}
	return e.unavailable(reason)
}

// statusError says what another status than 200 means.
func (e *Encoder) statusError(response *http.Response) error {
	status := response.StatusCode
	failure := e.unavailable(fmt.Sprintf("it answered with the status %d", status))
	failure.status = status
	switch {
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds >= 0 && seconds <= maxRetryAfter {
			return errors.Join(failure, backoff.RetryAfter(seconds))
		}
		return failure
	case status == http.StatusRequestTimeout || status >= 500 && status != http.StatusNotImplemented:
		return failure
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		failure.Reason = fmt.Sprintf("it refused the API key with the status %d", status)
	}
	failure.Answered = true
	return backoff.Permanent(failure)
}

// tooMuch reports whether a server may have refused a request for its size: for the number
// of its texts, or the length of one.
func tooMuch(err error) bool {
	refused, ok := errors.AsType[*Error](err)
	if !ok {
		return false
	}
	switch refused.status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return true
	}
	return false
}
