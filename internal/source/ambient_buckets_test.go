package source

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

func TestParseAmbientBuckets(t *testing.T) {
	for _, test := range []struct {
		reason string
		list   string
		want   []string // nil: refused
	}{
		{"none", "", []string{}},
		{"one of each kind, and a blank after a comma", "s3://company-*, gs://texts,azblob://a?", []string{"s3://company-*", "gs://texts", "azblob://a?"}},
		{"every bucket of a kind", "s3://*", []string{"s3://*"}},
		{"a comma at the end", "s3://a,", []string{"s3://a"}},
		{"no scheme", "company-*", nil},
		{"another scheme", "file://company", nil},
		{"every scheme would be an oversight", "*://company", nil},
		{"a prefix, which would not be looked at", "s3://company/texts/*", nil},
		{"no bucket", "s3://", nil},
		{"no pattern", "s3://[", nil},
	} {
		got, err := ParseAmbientBuckets(test.list)
		if (err == nil) != (test.want != nil) || err == nil && !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, %v", test.reason, got, err)
		}
	}
}

// ownIdentity gives the operator of the test an identity in every cloud, which asks
// a server for tokens as it would the metadata service, and counts how often it does.
func ownIdentity(t *testing.T) *atomic.Int64 {
	t.Helper()
	asked := &atomic.Int64{}
	metadata := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(metadata.Close)
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "AZURE_") || strings.HasPrefix(name, "GOOGLE_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.URL)
	t.Setenv("GCE_METADATA_HOST", strings.TrimPrefix(metadata.URL, "http://"))
	t.Setenv("AZURE_STORAGE_ACCOUNT", "operators")
	t.Setenv("AZURE_CLIENT_ID", "operator")
	t.Setenv("AZURE_TENANT_ID", "company")
	t.Setenv("AZURE_AUTHORITY_HOST", metadata.URL)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("token"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AZURE_FEDERATED_TOKEN_FILE", token)
	t.Setenv("IDENTITY_ENDPOINT", metadata.URL)
	t.Setenv("IDENTITY_HEADER", "operator")
	return asked
}

// TestOwnIdentityIsLentToListedBucketsAlone holds that nothing asks a metadata service
// for the sake of a bucket that the flags do not list.
func TestOwnIdentityIsLentToListedBucketsAlone(t *testing.T) {
	for _, test := range []struct {
		reason  string
		listed  []string
		url     string
		asks    bool
		message string
	}{
		{"S3, nothing is listed", nil, "s3://company-texts/a", false, "have s3://company-texts listed in the operator's flag --ambient-buckets"},
		{"Google, nothing is listed", nil, "gs://company-texts/a", false, "have gs://company-texts listed"},
		{"Azure, nothing is listed", nil, "azblob://company-texts/a", false, "have azblob://company-texts listed"},
		{"another bucket is listed", []string{"s3://company-logs"}, "s3://company-texts/", false, "credentialsSecretRef"},
		{"its name begins alike", []string{"s3://company"}, "s3://company-texts/", false, "credentialsSecretRef"},
		{"the bucket is listed elsewhere", []string{"gs://company-*"}, "s3://company-texts/", false, "credentialsSecretRef"},
		{"S3 is listed", []string{"s3://company-*"}, "s3://company-texts/a", true, "no identity of its own"},
		{"Google is listed", []string{"s3://a", "gs://company-*"}, "gs://company-texts/a", true, "no identity of its own"},
		{"Azure is listed", []string{"azblob://company-texts"}, "azblob://company-texts/a", true, "no identity of its own"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			asked := ownIdentity(t)
			options := DefaultObjectStorageOptions()
			options.Timeout, options.AmbientBuckets = 5*time.Second, test.listed
			readers := newCluster(t).readers()
			readers.ObjectStorage = NewObjectStorage(options)
			_, err := Resolve(t.Context(), readers, namespace, classifierv1alpha1.DatasetSource{
				ObjectStorage: &classifierv1alpha1.ObjectStorageSource{URL: test.url},
			})
			failed, ok := errors.AsType[*Error](err)
			if !ok || failed.Reason != ReasonCredentialsNotFound || !strings.Contains(failed.Message, test.message) {
				t.Errorf("got %#v, want %q", err, test.message)
			}
			if asks := asked.Load() > 0; asks != test.asks {
				t.Errorf("an identity was asked for: %t", asks)
			}
		})
	}
}
