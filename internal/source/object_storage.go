package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"gocloud.dev/blob"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/parts"
)

// ObjectStorageOptions limit what is read of object storage, and from where.
type ObjectStorageOptions struct {
	// MaxBytes and MaxObjects are how much one source may be.
	MaxBytes   int64
	MaxObjects int
	// Timeout of looking at a source, however many requests that takes, and of
	// waiting for more of its content. A third of it is for the first byte of an answer.
	Timeout time.Duration
	// MinBytesPerSecond is how much of the content must come. A storage that sends
	// less is given up when it is a Timeout behind.
	MinBytesPerSecond int64
	// PrivateHosts are the hosts that may be at loopback and private addresses,
	// such as minio.storage.svc. The others must be at public ones: whoever may
	// create a dataset must not reach all that the operator reaches. Link-local
	// addresses and those of cloud metadata are refused for every host.
	PrivateHosts []string
	// AmbientBuckets are patterns of the buckets that the operator reads as itself
	// when a dataset names no Secret; see ParseAmbientBuckets. It lends its identity
	// to no other one, and does not even look whether it has one.
	AmbientBuckets []string
	// GoogleEndpoint is the address of Google's storage API. Empty: the public one.
	GoogleEndpoint string
}

// DefaultObjectStorageOptions suit storage on the internet.
func DefaultObjectStorageOptions() ObjectStorageOptions {
	return ObjectStorageOptions{
		MaxBytes:   5 << 30,
		MaxObjects: 10_000,
		Timeout:    30 * time.Second,
		// 2 MBit/s: what a bad line gives. The largest source takes five hours of it.
		MinBytesPerSecond: 256 << 10,
	}
}

// ObjectStorage is how object storage is reached.
type ObjectStorage struct {
	options  ObjectStorageOptions
	client   *http.Client
	identity *http.Client // asks for the operator's own identity
}

// NewObjectStorage makes an ObjectStorage; it does not connect.
func NewObjectStorage(options ObjectStorageOptions) *ObjectStorage {
	return &ObjectStorage{
		options:  options,
		client:   newStorageClient(options),
		identity: newIdentityClient(),
	}
}

// objects are the objects of a bucket whose content, one after the other, is the samples.
type objects struct {
	location    location
	selection   selection // of a prefix
	credentials *credentials
	bucket      *bucket
	options     ObjectStorageOptions
	found       []object // in the order of their names
	leftOut     leftOut
}

// object is an object as it was found.
type object struct {
	name    string
	version string
	size    int64
}

func resolveObjects(ctx context.Context, readers Readers, namespace string, spec *classifierv1alpha1.ObjectStorageSource) (Source, error) {
	if readers.ObjectStorage == nil {
		return nil, errors.New("object storage is not set up")
	}
	location, err := parseLocation(spec)
	if err != nil {
		return nil, err
	}
	selection, err := parseSelection(location.name, spec)
	if err != nil {
		return nil, err
	}
	credentials, err := readCredentials(ctx, readers.Live, namespace, spec.CredentialsSecretRef)
	if err != nil {
		return nil, err
	}
	if location.scheme == schemeS3 && credentials.given() {
		if location.endpoint, err = credentials.endpoint(location.endpoint); err != nil {
			return nil, err
		}
	}
	resolved := &objects{location: location, selection: selection, credentials: credentials, options: readers.ObjectStorage.options}
	if err := resolved.resolve(ctx, readers.ObjectStorage); err != nil {
		return nil, resolved.explain(ctx, err)
	}
	return resolved, nil
}

func (o *objects) resolve(ctx context.Context, storage *ObjectStorage) (err error) {
	ctx, cancel := context.WithTimeout(ctx, o.options.Timeout)
	defer cancel()
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = errLate
		}
	}()
	if o.bucket, err = storage.connect(ctx, o.location, o.credentials); err != nil {
		return err
	}
	if o.found, err = o.look(ctx); err != nil {
		return err
	}
	return o.checkSize()
}

func (s *ObjectStorage) connect(ctx context.Context, location location, credentials *credentials) (*bucket, error) {
	if !credentials.given() && location.endpoint == "" && !s.lendsIdentityTo(location) {
		return nil, notLent(location)
	}
	switch location.scheme {
	case schemeS3:
		return s.connectS3(ctx, location, credentials)
	case schemeGoogle:
		return s.connectGoogle(ctx, location, credentials)
	default:
		return s.connectAzure(ctx, location, credentials)
	}
}

// look finds the objects without reading them.
func (o *objects) look(ctx context.Context) ([]object, error) {
	if !o.location.isPrefix() {
		found, err := o.bucket.stat(ctx, o.location.name)
		if err != nil {
			return nil, o.diagnose(ctx, err)
		}
		return []object{found}, nil
	}
	found, err := o.bucket.list(ctx, o.location.name, o.options.MaxObjects, o.wants)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, &Error{ReasonNotFound, o.nothingFound()}
	}
	slices.SortFunc(found, func(a, b object) int { return strings.Compare(a.name, b.name) })
	return found, nil
}

// wants reports whether an object is read, and counts those that are not.
func (o *objects) wants(listed *blob.ListObject) bool {
	if isFolderMarker(listed) {
		return false
	}
	why := o.selection.causeOf(listed)
	if why != notLeftOut {
		o.leftOut.add(o.location.nameOf(listed.Key), why)
	}
	return why == notLeftOut
}

func (o *objects) nothingFound() string {
	if o.leftOut.count == 0 {
		return "there is no object under " + o.location.String()
	}
	return fmt.Sprintf("there is nothing to read under %s: %s (%s)", o.location, &o.leftOut, o.leftOut.causes())
}

// diagnose finds out why an object could not be looked at. S3 answers that with
// nothing but a status, and Google says the same of a missing object and a missing
// bucket; the answer to a list tells more.
func (o *objects) diagnose(ctx context.Context, err error) error {
	if reasonOf(o.bucket.answer(err)) == "" {
		return err
	}
	_, _, listErr := o.bucket.page(ctx, o.location.name, blob.FirstPageToken, 1)
	if listErr == nil || reasonOf(o.bucket.answer(listErr)) == ReasonAccessDenied {
		return err
	}
	return listErr
}

func (o *objects) checkSize() error {
	left := o.options.MaxBytes
	for _, found := range o.found {
		if left -= found.size; left < 0 {
			return errTooMany
		}
	}
	return nil
}

func (o *objects) Identity() string {
	parts := []string{"objectStorage", o.location.scheme, o.location.endpoint, o.location.bucket}
	for _, found := range o.found {
		parts = append(parts, found.name, found.version, strconv.FormatInt(found.size, 10))
	}
	return fingerprint(parts...)
}

// LeftOut says which objects under a prefix are not read. It is empty if all are.
func LeftOut(resolved Source) string {
	if found, ok := resolved.(*objects); ok {
		return found.leftOut.String()
	}
	return ""
}

func (o *objects) SizeBytes() (size int64, exact bool) {
	for _, found := range o.found {
		size += found.size
	}
	return size, true
}

// Open names the parts as they are under the prefix.
func (o *objects) Open(ctx context.Context) Content {
	all, pace := make([]parts.Part, 0, len(o.found)), newPace(o.options)
	for _, found := range o.found {
		all = append(all, parts.Part{Name: o.location.nameOf(found.name), Open: func() (io.ReadCloser, error) { return openObject(ctx, o, found, pace) }})
	}
	return parts.Of(all)
}
