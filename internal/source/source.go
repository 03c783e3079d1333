// Package source opens what a dataset's samples are read from as a stream with
// an identity. It does not look at what the stream holds.
package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// ErrChanged says that the source is no longer what Resolve saw. Resolve it again.
var ErrChanged = errors.New("the source changed while it was read")

// NotFoundError is a source that is not there.
type NotFoundError struct {
	Kind, Name string
	Key        string // set when the object is there, but not the key
}

func (e *NotFoundError) Error() string {
	if e.Key != "" {
		return fmt.Sprintf("%s %s has no key %s", e.Kind, e.Name, e.Key)
	}
	return fmt.Sprintf("%s %s does not exist", e.Kind, e.Name)
}

// Source is samples as they were when it was resolved.
type Source interface {
	// Identity changes whenever the content may have.
	Identity() string
	// SizeBytes is how large the content is as it is stored, or may be at most where
	// that is not known before it is read.
	SizeBytes() (size int64, exact bool)
	// Open reads the content from its start, part by part. Reading fails with
	// ErrChanged rather than give another content than the identity's.
	Open(ctx context.Context) Content
}

// Content is a source's parts, one after the other.
type Content interface {
	// Next closes the part before and opens the next, with the name that a person finds
	// it by, empty if the source has but one. io.EOF: there is none.
	Next() (name string, content io.Reader, err error)
	// Close closes the part that is open.
	Close() error
}

// Readers are where objects of the cluster are read from.
type Readers struct {
	// Metadata gives PartialObjectMetadata, from a cache.
	Metadata client.Reader
	// Live asks the API server.
	Live client.Reader
	// ObjectStorage is needed for sources in object storage alone.
	ObjectStorage *ObjectStorage
}

// Resolve looks at a source without reading it. A source that is not there is a
// *NotFoundError, and what is wrong with object storage an *Error.
func Resolve(ctx context.Context, readers Readers, namespace string, spec classifierv1alpha1.DatasetSource) (Source, error) {
	switch {
	case spec.Inline != nil:
		return inline(spec.Inline.Data), nil
	case len(spec.ConfigMaps) > 0:
		return resolveConfigMaps(ctx, readers, namespace, spec.ConfigMaps)
	case spec.ObjectStorage != nil:
		return resolveObjects(ctx, readers, namespace, spec.ObjectStorage)
	}
	return nil, errors.New("the source is of no known kind")
}

func fingerprint(parts ...string) string {
	hash := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(hash.Sum(nil)[:16])
}
