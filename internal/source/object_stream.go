package source

import (
	"context"
	"errors"
	"io"
	"time"
)

// objectStream reads an object.
type objectStream struct {
	objects *objects
	pace    *pace
	caller  context.Context // ends the stream
	ctx     context.Context // ends with the stream
	cancel  context.CancelCauseFunc
	late    *time.Timer // runs while the storage is waited for
	content io.ReadCloser
	left    int64 // of content
}

func openObject(caller context.Context, objects *objects, wanted object, pace *pace) (io.ReadCloser, error) {
	s := &objectStream{objects: objects, pace: pace, caller: caller, left: wanted.size}
	s.ctx, s.cancel = context.WithCancelCause(caller)
	started := time.Now()
	s.late = time.AfterFunc(pace.left, func() { s.cancel(errGivenUp) })
	defer s.late.Stop()
	var err error
	if s.content, err = objects.bucket.open(s.ctx, wanted); err != nil {
		err = s.failure(err, time.Since(started))
		s.cancel(nil)
		return nil, err
	}
	pace.opened(time.Since(started))
	return s, nil
}

func (s *objectStream) Read(p []byte) (int, error) {
	started := time.Now()
	s.late.Reset(s.pace.left)
	defer s.late.Stop()
	n, err := s.content.Read(p)
	waited := time.Since(started)
	s.pace.read(waited, n)
	s.left -= int64(n)
	switch {
	case s.left < 0, err == io.EOF && s.left > 0:
		return 0, ErrChanged
	case err == nil, err == io.EOF:
		return n, err
	}
	return n, s.failure(err, waited)
}

// failure tells a storage that was silent at last from one that sent too little.
func (s *objectStream) failure(err error, waited time.Duration) error {
	if errors.Is(context.Cause(s.ctx), errGivenUp) && waited < s.pace.timeout/2 {
		err = errTooSlow
	}
	return s.objects.explain(s.caller, err)
}

func (s *objectStream) Close() error {
	s.late.Stop()
	s.cancel(nil)
	return s.content.Close()
}
