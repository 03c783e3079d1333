package source

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"
)

// errSilent ends a stream of which nothing more came for too long.
var errSilent = errors.New("the storage went silent")

// objectStream reads objects one after the other, each only once it is its turn.
type objectStream struct {
	objects *objects
	caller  context.Context // ends the stream
	ctx     context.Context // ends with the stream
	cancel  context.CancelCauseFunc
	silence *time.Timer // runs while the storage is waited for

	pending   []object
	content   io.ReadCloser // of the current object
	edges     edges         // of content
	left      int64         // of content
	separator bytes.Reader  // between content and the next
}

func newObjectStream(caller context.Context, objects *objects) *objectStream {
	s := &objectStream{objects: objects, caller: caller, pending: objects.found}
	s.ctx, s.cancel = context.WithCancelCause(caller)
	s.silence = time.AfterFunc(objects.options.Timeout, func() { s.cancel(errSilent) })
	s.silence.Stop()
	return s
}

// next opens the next object.
func (s *objectStream) next() (err error) {
	s.silence.Reset(s.objects.options.Timeout)
	defer s.silence.Stop()
	wanted := s.pending[0]
	if s.content, err = s.objects.bucket.open(s.ctx, wanted); err != nil {
		return s.failure(err)
	}
	s.pending = s.pending[1:]
	s.left = wanted.size
	s.edges = edges{}
	return nil
}

func (s *objectStream) Read(p []byte) (int, error) {
	for {
		if s.separator.Len() > 0 {
			return s.separator.Read(p)
		}
		if s.content == nil {
			if len(s.pending) == 0 {
				return 0, io.EOF
			}
			if err := s.next(); err != nil {
				return 0, err
			}
		}
		n, err := s.readContent(p)
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
	}
}

// readContent reads of the current object. At its end it is nil, and without an error.
func (s *objectStream) readContent(p []byte) (int, error) {
	s.silence.Reset(s.objects.options.Timeout)
	defer s.silence.Stop()
	n, err := s.content.Read(p)
	s.left -= int64(n)
	s.edges.saw(p[:n])
	switch {
	case s.left < 0, err == io.EOF && s.left > 0: //nolint:errorlint // an end that is wrapped is a failure
		return 0, ErrChanged
	case err == io.EOF: //nolint:errorlint // an end that is wrapped is a failure
		_ = s.content.Close()
		s.content = nil
		if len(s.pending) > 0 {
			s.separator.Reset(s.edges.separator())
		}
		return n, nil
	case err != nil:
		return n, s.failure(err)
	}
	return n, nil
}

func (s *objectStream) failure(err error) error {
	if errors.Is(context.Cause(s.ctx), errSilent) {
		err = errSilent
	}
	return s.objects.explain(s.caller, err)
}

func (s *objectStream) Close() error {
	s.silence.Stop()
	s.cancel(nil)
	if s.content == nil {
		return nil
	}
	return s.content.Close()
}
