package blob

import (
	"context"
	"io"
	"time"
)

// stagedForBucket is a blob on this machine's disk that becomes one of a bucket's.
type stagedForBucket struct {
	*stagedFile
	bucket *Bucket
}

// Name sends the bytes, under their name from the first on: no bucket shows an object before
// all of it is there. Then it reads them again, for there is no checksum that all providers have.
func (s *stagedForBucket) Name(digest string) error {
	err := newPatience(s.bucket.patience).persist(func() error { return s.send(digest) })
	if err != nil {
		return s.bucket.explain(err)
	}
	stored, err := s.bucket.Open(digest)
	if err != nil {
		return err
	}
	defer stored.Close()
	return Verify(stored)
}

func (s *stagedForBucket) send(digest string) error {
	// What is in the senders' hands has been read before it is sent.
	inHands := time.Duration(min(s.size, senders*partBytes)/bucketPace) * time.Second
	p := newPatience(s.bucket.patience + inHands)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	sent := &watchedReader{Reader: s.Reader(), patience: p, giveUp: func() { cancel(errSlow) }, moved: func(int) {}}
	sent.wait(0)
	err := s.bucket.put(ctx, s.bucket.key(digest), sent)
	sent.moved(0)
	return causeOf(ctx, err)
}

// watchedReader is read by a bucket, which is given up when it takes its time.
type watchedReader struct {
	io.Reader
	patience *patience
	giveUp   func()
	moved    func(bytes int)
	last     int // bytes
}

func (w *watchedReader) wait(bytes int) {
	w.last, w.moved = bytes, w.patience.watch(w.giveUp)
}

func (w *watchedReader) Read(data []byte) (int, error) {
	w.moved(w.last) // have been taken
	n, err := w.Reader.Read(data)
	w.wait(n)
	if err != nil && err != io.EOF {
		err = &localError{err}
	}
	return n, err
}
