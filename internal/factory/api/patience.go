package api

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// A connection is waited for as long as it keeps moving. Bytes earn it time, at a pace
// that any network has, and never more than it began with: who has sent much cannot
// rest for long either.
const (
	senderPatience   = 10 * time.Second
	senderPace       = 64 << 10 // bytes a second: a file of 512 MB has two hours
	receiverPatience = time.Minute
	receiverPace     = 16 << 10

	// strangerPatience is what a body has of which it is not known yet whether anybody
	// wants it.
	strangerPatience = 5 * time.Second
	// answerTime is what an answer has to begin, when all of the body is there.
	answerTime = 5 * time.Minute
)

// patience is how long a connection may still be waited for.
type patience struct {
	left, most time.Duration
	pace       int64 // bytes that earn a second
}

// wait begins to wait, and says until when.
func (p *patience) wait() (begun, deadline time.Time) {
	begun = time.Now() //nolint:forbidigo // a connection's deadline is in real time
	return begun, begun.Add(p.left)
}

// moved counts what came of waiting.
func (p *patience) moved(begun time.Time, bytes int) {
	earned := time.Duration(int64(bytes) * int64(time.Second) / p.pace)
	p.left = min(p.left-time.Since(begun)+earned, p.most) //nolint:forbidigo // as above
}

// patientBody is a body whose sender is waited for.
type patientBody struct {
	io.ReadCloser
	patience   patience
	connection *http.ResponseController
}

func newPatientBody(w http.ResponseWriter, body io.ReadCloser) *patientBody {
	return &patientBody{
		ReadCloser: body,
		patience:   patience{left: senderPatience, most: senderPatience, pace: senderPace},
		connection: http.NewResponseController(w),
	}
}

func (b *patientBody) Read(p []byte) (int, error) {
	begun, deadline := b.patience.wait()
	b.setDeadline(deadline)
	n, err := b.ReadCloser.Read(p)
	b.patience.moved(begun, n)
	if errors.Is(err, io.EOF) {
		b.setDeadline(begun.Add(answerTime)) // or the client would seem to be gone
	}
	return n, err
}

func (b *patientBody) setDeadline(deadline time.Time) {
	if b.connection != nil && b.connection.SetReadDeadline(deadline) != nil {
		b.connection = nil // it knows no deadlines: there is nobody to wait for
	}
}

// patientWriter is an answer whose receiver is waited for.
type patientWriter struct {
	http.ResponseWriter
	patience   patience
	connection *http.ResponseController
}

func newPatientWriter(w http.ResponseWriter) *patientWriter {
	return &patientWriter{
		ResponseWriter: w,
		patience:       patience{left: receiverPatience, most: receiverPatience, pace: receiverPace},
		connection:     http.NewResponseController(w),
	}
}

func (w *patientWriter) Write(p []byte) (int, error) {
	begun, deadline := w.patience.wait()
	if w.connection != nil && w.connection.SetWriteDeadline(deadline) != nil {
		w.connection = nil // it knows no deadlines: there is nobody to wait for
	}
	n, err := w.ResponseWriter.Write(p)
	w.patience.moved(begun, n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *patientWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// impatient gives strangers seconds. A request that turns out to be a tenant's gets its
// time as its body is read.
func impatient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			now := time.Now() //nolint:forbidigo // a connection's deadline is in real time
			_ = http.NewResponseController(w).SetReadDeadline(now.Add(strangerPatience))
		}
		next.ServeHTTP(w, r)
	})
}
