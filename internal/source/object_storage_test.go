package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// hostileStorage is a server at a user's endpoint that says what no storage does.
type hostileStorage struct {
	url     string
	readers Readers
}

func newHostileStorage(t *testing.T, timeout time.Duration, answer http.HandlerFunc) hostileStorage {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	readers := newCluster(t, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "storage"},
		// A file that was made with an editor ends with a line end.
		Data: map[string][]byte{
			"AWS_ACCESS_KEY_ID":     []byte("AKIACANARY\n"),
			"AWS_SECRET_ACCESS_KEY": []byte("canary\n"),
			"AWS_ENDPOINT_URL":      []byte(server.URL + "\n"),
		},
	}).readers()
	readers.ObjectStorage = NewObjectStorage(localStorage(timeout))
	return hostileStorage{server.URL, readers}
}

// localStorage is what ships, with servers of this machine and another time-out.
func localStorage(timeout time.Duration) ObjectStorageOptions {
	options := DefaultObjectStorageOptions()
	options.PrivateHosts = []string{"127.0.0.1"}
	options.Timeout = timeout
	return options
}

func (s hostileStorage) spec() *classifierv1alpha1.ObjectStorageSource {
	return &classifierv1alpha1.ObjectStorageSource{
		URL:                  "s3://samples/intents/",
		CredentialsSecretRef: &classifierv1alpha1.SecretReference{Name: "storage"},
	}
}

// readAll resolves and reads a source.
func (s hostileStorage) readAll(ctx context.Context, spec *classifierv1alpha1.ObjectStorageSource) (string, error) {
	resolved, err := Resolve(ctx, s.readers, namespace, classifierv1alpha1.DatasetSource{ObjectStorage: spec})
	if err != nil {
		return "", err
	}
	return read(ctx, resolved)
}

func isList(r *http.Request) bool { return r.URL.Query().Has("list-type") }

// listed is a list of one object of 3 bytes.
const listed = `<ListBucketResult><Contents><Key>intents/a</Key><LastModified>2026-01-01T00:00:00Z</LastModified><ETag>"1"</ETag><Size>3</Size></Contents></ListBucketResult>`

func TestHostileStorage(t *testing.T) {
	errorOf := func(status int, code string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprintf(w, `<Error><Code>%s</Code><Message>canary</Message></Error>`, code)
		}
	}
	object := func(write func(w http.ResponseWriter)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if isList(r) {
				fmt.Fprint(w, listed)
				return
			}
			w.Header().Set("ETag", `"1"`)
			write(w)
		}
	}
	for _, test := range []struct {
		reason string
		answer http.HandlerFunc
		want   Reason // empty: the source changed
	}{
		{"an expired token", errorOf(400, "ExpiredToken"), ReasonExpiredCredentials},
		{"a bucket elsewhere", errorOf(301, "PermanentRedirect"), ReasonWrongRegion},
		{"an archived object", errorOf(403, "InvalidObjectState"), ReasonArchived},
		{"not allowed", errorOf(403, "AccessDenied"), ReasonAccessDenied},
		{"overloaded", errorOf(503, "SlowDown"), ReasonStorageFailed},
		{"a code that nobody knows", errorOf(400, "canary"), ReasonStorageFailed},
		{"no storage at all", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>canary</html>") }, ReasonNotFound},
		{"a list without times", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `<ListBucketResult><Contents><Key>canary</Key><Size>3</Size></Contents></ListBucketResult>`)
		}, ReasonStorageFailed},
		{"an endless list", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>canary</NextContinuationToken></ListBucketResult>`)
		}, ReasonUnreachable},
		{"a list that never comes", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, ReasonUnreachable},
		{"objects larger than any number", func(w http.ResponseWriter, _ *http.Request) {
			object := strings.Replace(strings.TrimSuffix(strings.TrimPrefix(listed, "<ListBucketResult>"), "</ListBucketResult>"), ">3<", ">9223372036854775807<", 1)
			fmt.Fprint(w, "<ListBucketResult>", object, object, "</ListBucketResult>")
		}, ReasonTooLarge},
		{"content that never comes", object(func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "3")
			_, _ = io.WriteString(w, "a")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(time.Second)
		}), ReasonUnreachable},
		{"content that breaks off", object(func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "3")
			_, _ = io.WriteString(w, "a")
		}), ReasonUnreachable},
		{"content that is shorter than listed", object(func(w http.ResponseWriter) { fmt.Fprint(w, "a\n") }), ""},
		{"content that is longer than listed", object(func(w http.ResponseWriter) { fmt.Fprint(w, "aaa\n") }), ""},
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			storage := newHostileStorage(t, 800*time.Millisecond, test.answer)
			_, err := storage.readAll(t.Context(), storage.spec())
			failed, _ := errors.AsType[*Error](err)
			switch {
			case test.want == "" && !errors.Is(err, ErrChanged), test.want != "" && (failed == nil || failed.Reason != test.want):
				t.Errorf("got %#v, want %s", err, test.want)
			case strings.Contains(strings.ToLower(err.Error()), "canary"):
				t.Errorf("the message holds a secret or what the server wrote: %q", err)
			}
		})
	}
}

func TestBucketSaysItsRegion(t *testing.T) {
	for header, want := range map[string]string{
		"ap-south-1":     "is in the region ap-south-1",
		"canary\u00a0is": "is in another region",
	} {
		storage := newHostileStorage(t, 5*time.Second, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amz-Bucket-Region", header)
			w.WriteHeader(http.StatusMovedPermanently)
		})
		_, err := storage.readAll(t.Context(), storage.spec())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// An operator on a cloud has an identity. It is sent to that cloud, and to no
// endpoint that stands in a dataset.
func TestOwnIdentityIsNotSentToEndpoints(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAOWN")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "own")
	t.Setenv("AWS_SESSION_TOKEN", "own")
	storage := newHostileStorage(t, 5*time.Second, func(w http.ResponseWriter, r *http.Request) {
		for name, values := range r.Header {
			if name == "Authorization" || strings.Contains(strings.Join(values, " "), "own") {
				t.Errorf("the endpoint got %s: %s", name, values)
			}
		}
		if isList(r) {
			fmt.Fprint(w, listed)
			return
		}
		w.Header().Set("ETag", `"1"`)
		fmt.Fprint(w, "a1\n")
	})
	storage.readers.ObjectStorage.options.AmbientBuckets = []string{"s3://samples"}
	spec := &classifierv1alpha1.ObjectStorageSource{URL: "s3://samples/intents/", Endpoint: storage.url}
	if got, err := storage.readAll(t.Context(), spec); err != nil || got != "a1\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestCredentialsOfTheSecretAreUsedWithoutTheLineEndOfAFile(t *testing.T) {
	storage := newHostileStorage(t, 5*time.Second, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "Credential=AKIACANARY/") {
			t.Errorf("got Authorization: %q", r.Header.Get("Authorization"))
		}
		if isList(r) {
			fmt.Fprint(w, listed)
			return
		}
		w.Header().Set("ETag", `"1"`)
		fmt.Fprint(w, "a1\n")
	})
	if got, err := storage.readAll(t.Context(), storage.spec()); err != nil || got != "a1\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

// The silence that ends a stream is the storage's, not the reader's.
func TestSlowReadersAreWaitedFor(t *testing.T) {
	const timeout = 200 * time.Millisecond
	storage := newHostileStorage(t, timeout, func(w http.ResponseWriter, r *http.Request) {
		if isList(r) {
			fmt.Fprint(w, listed)
			return
		}
		w.Header().Set("ETag", `"1"`)
		fmt.Fprint(w, "a1\n")
	})
	resolved, err := Resolve(t.Context(), storage.readers, namespace, classifierv1alpha1.DatasetSource{ObjectStorage: storage.spec()})
	if err != nil {
		t.Fatal(err)
	}
	content := resolved.Open(t.Context())
	defer content.Close()
	time.Sleep(2 * timeout)
	if got, err := readParts(content); err != nil || got != "a1\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestNamesThatWouldBeAskedForUnderAnother(t *testing.T) {
	s3, azure := &bucket{}, &bucket{escaped: azureEscaped}
	for _, test := range []struct {
		bucket *bucket
		name   string
		ok     bool
	}{
		{s3, "100% of 'intents' #1?/äöü..jsonl", true},
		{s3, "a/../b", false},
		{s3, "a\nb", false},
		{azure, "intents/äöü (1).jsonl", true},
		{azure, "100%.jsonl", false},
		{azure, `a\b`, false},
	} {
		if err := test.bucket.checkName(test.name); (err == nil) != test.ok {
			t.Errorf("%q: got %v", test.name, err)
		}
	}
}
