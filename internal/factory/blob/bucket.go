package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"time"

	"gocloud.dev/blob"
)

const (
	objectType = "application/octet-stream"
	// partBytes is how much of a blob is sent in one request; what is larger is sent in
	// parts, of which senders are under way at a time.
	partBytes = 8 << 20
	senders   = 2
)

// Bucket is a Store in object storage, which others may use at the same time. Blobs come
// to a disk first: what they are called follows from their bytes.
type Bucket struct {
	bucket    *blob.Bucket
	transport *http.Transport
	address   *address
	incoming  string // a folder
	patience  time.Duration
}

func dial(ctx context.Context, a *address, incoming string) (*Bucket, error) {
	b := &Bucket{transport: newTransport(), address: a, incoming: incoming, patience: bucketPatience}
	var err error
	if b.bucket, err = dialBucket(context.WithoutCancel(ctx), a, b.transport); err != nil {
		return nil, b.unusable(err)
	}
	return b, nil
}

// reached fails soon if the bucket cannot be used.
func reached(b *Bucket, err error) (Store, error) {
	if err != nil {
		return nil, err
	}
	if err := newPatience(b.patience).within(b.look); err != nil {
		return nil, errors.Join(b.unusable(err), b.Close())
	}
	return b, nil
}

func (b *Bucket) unusable(err error) error {
	return fmt.Errorf("%w; see that --blob-url names a bucket that is there, and that the environment has credentials to list, read, write and delete in it", b.explain(err))
}

// look fails if the bucket is missing, be it that a provider says the same of an object.
func (b *Bucket) look(ctx context.Context) error {
	_, _, err := b.bucket.ListPage(ctx, blob.FirstPageToken, 1, &blob.ListOptions{Prefix: b.address.prefix})
	return err
}

// Close implements Store.
func (b *Bucket) Close() error {
	defer b.transport.CloseIdleConnections()
	return b.bucket.Close()
}

func (b *Bucket) key(digest string) string { return b.address.prefix + "blobs/" + digest }

// ask repeats a short request until it succeeds or the bucket was waited for long enough.
func (b *Bucket) ask(do func(context.Context) error) error {
	p := newPatience(b.patience)
	return b.explain(p.persist(func() error { return p.within(do) }))
}

// missing tells a missing object, as an fs.ErrNotExist, from a missing bucket.
func (b *Bucket) missing(ctx context.Context, err error) error {
	if !isNotFound(err) || b.look(ctx) != nil {
		return err
	}
	return fs.ErrNotExist
}

// Remove implements Store.
func (b *Bucket) Remove(digest string) error {
	err := b.ask(func(ctx context.Context) error {
		return b.missing(ctx, b.bucket.Delete(ctx, b.key(digest)))
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Digests implements Store.
func (b *Bucket) Digests() ([]string, error) {
	var digests []string
	for token := blob.FirstPageToken; len(token) > 0; {
		err := b.ask(func(ctx context.Context) error {
			page, next, err := b.bucket.ListPage(ctx, token, 1000, &blob.ListOptions{Prefix: b.key("")})
			if err != nil {
				return err
			}
			for _, listed := range page {
				if digest := listed.Key[len(b.key("")):]; isDigest(digest) {
					digests = append(digests, digest)
				}
			}
			token = next
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return digests, nil
}

// ReadNote implements Store.
func (b *Bucket) ReadNote(name string) (content []byte, err error) {
	err = b.ask(func(ctx context.Context) (err error) {
		content, err = b.bucket.ReadAll(ctx, b.address.prefix+name)
		return b.missing(ctx, err)
	})
	return content, err
}

// WriteNote implements Store.
func (b *Bucket) WriteNote(name string, content []byte) error {
	return b.ask(func(ctx context.Context) error {
		return b.put(ctx, b.address.prefix+name, bytes.NewReader(content))
	})
}

// put stores an object as a whole or not at all.
func (b *Bucket) put(ctx context.Context, key string, content io.Reader) (err error) {
	defer func() {
		if recover() != nil { // gocloud dereferences nil when a stream to Azure fails
			err = errors.New("sending was cut off")
		}
	}()
	return b.bucket.Upload(ctx, key, content, &blob.WriterOptions{ContentType: objectType, BufferSize: partBytes, MaxConcurrency: senders})
}

// Stage implements Store.
func (b *Bucket) Stage() (Staged, error) {
	file, err := stageIn(b.incoming)
	if err != nil {
		return nil, err
	}
	return &stagedForBucket{file, b}, nil
}

// Open implements Store.
func (b *Bucket) Open(digest string) (Content, error) {
	o := &object{bucket: b, digest: digest, patience: newPatience(b.patience)}
	if err := b.explain(o.patience.persist(o.begin)); err != nil {
		_ = o.Close()
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &DamagedError{Digest: digest, Missing: true}
		}
		return nil, err
	}
	return newVerifiedContent(o, digest)
}
