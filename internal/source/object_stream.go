package source

import (
	"context"
	"errors"
	"io"
	"time"
)

// errSilent ends a stream of which nothing more came for too long.
var errSilent = errors.New("the storage went silent")

// objectStream reads an object.
type objectStream struct {
	objects *objects
	caller  context.Context // ends the stream
	ctx     context.Context // ends with the stream
	cancel  context.CancelCauseFunc
	silence *time.Timer // runs while the storage is waited for
	content io.ReadCloser
	left    int64 // of content
}

func openObject(caller context.Context, objects *objects, wanted object) (io.ReadCloser, error) {
	s := &objectStream{objects: objects, caller: caller, left: wanted.size}
	s.ctx, s.cancel = context.WithCancelCause(caller)
	s.silence = time.AfterFunc(objects.options.Timeout, func() { s.cancel(errSilent) })
	defer s.silence.Stop()
	var err error
	if s.content, err = objects.bucket.open(s.ctx, wanted); err != nil {
		err = s.failure(err)
		s.cancel(nil)
		return nil, err
	}
	return s, nil
}

func (s *objectStream) Read(p []byte) (int, error) {
	s.silence.Reset(s.objects.options.Timeout)
	defer s.silence.Stop()
	n, err := s.content.Read(p)
	s.left -= int64(n)
	switch {
	case s.left < 0, err == io.EOF && s.left > 0:
		return 0, ErrChanged
	case err == nil, err == io.EOF:
		return n, err
	}
	return n, s.failure(err)
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
	return s.content.Close()
}
