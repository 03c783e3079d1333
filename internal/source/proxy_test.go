package source

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// TestEnvironmentsProxyIsNotUsed holds that a proxy, which would connect to whatever
// it is told, gets no word of a user's address and none of the operator's identity. It
// asks in a process of its own: net/http reads the environment once.
func TestEnvironmentsProxyIsNotUsed(t *testing.T) {
	const inChild = "ASK_FROM_BEHIND_A_PROXY"
	if os.Getenv(inChild) != "" {
		askEverything(t)
		return
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the proxy was asked for %s", r.URL)
	}))
	defer proxy.Close()
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	command.Env = append(os.Environ(), inChild+"=1",
		"HTTP_PROXY="+proxy.URL, "http_proxy="+proxy.URL, "HTTPS_PROXY="+proxy.URL, "https_proxy="+proxy.URL, "NO_PROXY=", "no_proxy=")
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// askEverything looks at storage that is not to be had, in each way that there is.
func askEverything(t *testing.T) {
	ownIdentity(t)
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://metadata.invalid")
	t.Setenv("GCE_METADATA_HOST", "metadata.invalid")
	t.Setenv("IDENTITY_ENDPOINT", "http://metadata.invalid")
	options := DefaultObjectStorageOptions()
	options.Timeout, options.AmbientBuckets = 2*time.Second, []string{"s3://*", "gs://*", "azblob://*"}
	readers := newCluster(t).readers()
	readers.ObjectStorage = NewObjectStorage(options)
	for _, spec := range []classifierv1alpha1.ObjectStorageSource{
		{URL: "s3://samples/a", Endpoint: "http://169.254.169.254"},
		{URL: "s3://samples/a"},
		{URL: "gs://samples/a"},
		{URL: "azblob://samples/a"},
	} {
		if _, err := Resolve(t.Context(), readers, namespace, classifierv1alpha1.DatasetSource{ObjectStorage: &spec}); err == nil {
			t.Errorf("%s was found", spec.URL)
		}
	}
}
