package storage

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/source"
)

const namespace = "team"

// store is a bucket as its owner sees it.
type store struct {
	scheme, bucket   string
	address          string // of the server
	endpoint, region string // of S3
	google           string // address of Google's server
	secret           map[string]string
	// put stores an object with a Content-Encoding, which may be empty.
	put    func(ctx context.Context, name string, content io.ReadSeeker, encoding string) error
	remove func(ctx context.Context, name string) error
}

// kinds make an empty bucket each, or skip the test where the server is not to be had.
var kinds = []struct {
	name string
	make func(t *testing.T) *store
}{
	{"S3", newS3Store},
	{"Google", newGoogleStore},
	{"Azure", newAzureStore},
}

// everywhere runs a test with an empty bucket of every kind.
func everywhere(t *testing.T, test func(t *testing.T, s *store)) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) { test(t, kind.make(t)) })
	}
}

var buckets atomic.Int64

func newBucketName() string { return fmt.Sprintf("samples-%d", buckets.Add(1)) }

func (s *store) fill(t *testing.T, name, content string) {
	t.Helper()
	s.fillEncoded(t, name, content, "")
}

func (s *store) fillEncoded(t *testing.T, name, content, encoding string) {
	t.Helper()
	if err := s.put(t.Context(), name, strings.NewReader(content), encoding); err != nil {
		t.Fatalf("storing %s: %v", name, err)
	}
}

func (s *store) options() source.ObjectStorageOptions {
	options := source.DefaultObjectStorageOptions()
	options.PrivateHosts = []string{"127.0.0.1"}
	options.GoogleEndpoint = s.google
	return options
}

func (s *store) spec(name string) *classifierv1alpha1.ObjectStorageSource {
	return &classifierv1alpha1.ObjectStorageSource{
		URL:                  s.scheme + "://" + s.bucket + "/" + name,
		Endpoint:             s.endpoint,
		Region:               s.region,
		CredentialsSecretRef: &classifierv1alpha1.SecretReference{Name: "storage"},
	}
}

// try resolves a source with the store's Secret.
func (s *store) try(ctx context.Context, spec *classifierv1alpha1.ObjectStorageSource, options source.ObjectStorageOptions) (source.Source, error) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "storage"}, Data: map[string][]byte{}}
	for key, value := range s.secret {
		secret.Data[key] = []byte(value)
	}
	readers := source.Readers{
		Live:          fake.NewClientBuilder().WithObjects(secret).Build(),
		ObjectStorage: source.NewObjectStorage(options),
	}
	return source.Resolve(ctx, readers, namespace, classifierv1alpha1.DatasetSource{ObjectStorage: spec})
}

func (s *store) resolve(t *testing.T, name string) source.Source {
	t.Helper()
	resolved, err := s.try(t.Context(), s.spec(name), s.options())
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

// read gives the whole content, each part ended by a line break, and the error of
// reading it.
func read(ctx context.Context, from source.Source) (string, error) {
	content := from.Open(ctx)
	defer content.Close()
	var read bytes.Buffer
	for {
		_, part, err := content.Next()
		if err == io.EOF {
			return read.String(), nil
		}
		if err == nil {
			_, err = read.ReadFrom(part)
		}
		if err != nil {
			return read.String(), err
		}
		if !bytes.HasSuffix(read.Bytes(), []byte("\n")) {
			read.WriteByte('\n')
		}
	}
}

func (s *store) content(t *testing.T, name string) string {
	t.Helper()
	content, err := read(t.Context(), s.resolve(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}
