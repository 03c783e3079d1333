package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"gocloud.dev/blob"
)

// object is one of a bucket that is being read. A connection that is lost is made again
// where it was lost.
type object struct {
	bucket   *Bucket
	digest   string
	patience *patience
	size     int64
	offset   int64 // of the next byte

	reader *blob.Reader // at the offset; nil: none
	ctx    context.Context
	end    context.CancelCauseFunc
}

// begin asks for the bytes from the offset on.
func (o *object) begin() error {
	o.ctx, o.end = context.WithCancelCause(context.Background())
	moved := o.watch()
	reader, err := o.bucket.bucket.NewRangeReader(o.ctx, o.bucket.key(o.digest), o.offset, -1, nil)
	if err != nil {
		err = o.bucket.missing(o.ctx, err)
	}
	moved(0)
	if err != nil {
		err = causeOf(o.ctx, err)
		o.end(nil)
		return err
	}
	o.reader, o.size = reader, reader.Size()
	return nil
}

// watch gives up the present request, and none that follows it.
func (o *object) watch() (moved func(bytes int)) {
	end := o.end
	return o.patience.watch(func() { end(errSlow) })
}

// drop ends a request.
func (o *object) drop() error {
	if o.reader == nil {
		return nil
	}
	o.end(nil)
	err := o.reader.Close()
	o.reader = nil
	return err
}

func (o *object) Read(data []byte) (n int, err error) {
	if o.offset >= o.size {
		return 0, io.EOF
	}
	err = o.patience.persist(func() error {
		if o.reader == nil {
			if err := o.begin(); err != nil {
				return err
			}
		}
		n, err = o.readOn(data)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) { // removed while it was read
		err = &DamagedError{Digest: o.digest, Missing: true}
	}
	return n, o.bucket.explain(err)
}

// readOn fails only if nothing came.
func (o *object) readOn(data []byte) (int, error) {
	moved := o.watch()
	n, err := o.reader.Read(data)
	moved(n)
	o.offset += int64(n)
	if n > 0 {
		return n, nil
	}
	err = causeOf(o.ctx, err)
	if err != nil {
		_ = o.drop() // the next one goes on
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return 0, err
}

// Seek asks for nothing until bytes are read.
func (o *object) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += o.offset
	case io.SeekEnd:
		offset += o.size
	}
	if offset < 0 {
		return 0, fmt.Errorf("seek to %d", offset)
	}
	if offset != o.offset {
		_ = o.drop() // it was only read
	}
	o.offset = offset
	return offset, nil
}

func (o *object) Stat() (fs.FileInfo, error) { return objectInfo{o}, nil }

func (o *object) Close() error { return o.drop() }

// objectInfo is what is known of an object.
type objectInfo struct{ object *object }

func (i objectInfo) Name() string     { return i.object.digest }
func (i objectInfo) Size() int64      { return i.object.size }
func (objectInfo) Mode() fs.FileMode  { return 0o400 }
func (objectInfo) ModTime() time.Time { return time.Time{} }
func (objectInfo) IsDir() bool        { return false }
func (objectInfo) Sys() any           { return nil }
