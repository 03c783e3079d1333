// Package buckettest has buckets for tests: empty ones, of the servers of
// test/objectservers.
package buckettest

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/classifier-factory/classifier-factory/test/objectservers"
)

var asked = flag.Bool("bucket", false, "keep the bytes of the tests' factories in a bucket instead of a directory")

var folders atomic.Int64

// Chosen is the address for a test that runs with either: none with a directory.
func Chosen(t testing.TB) string {
	t.Helper()
	if !*asked {
		return ""
	}
	return S3(t)
}

// DirectoryOnly leaves out a test of directories when the others run with a bucket.
func DirectoryOnly(t testing.TB, reason string) {
	t.Helper()
	if *asked {
		t.Skipf("of a directory alone: %s", reason)
	}
}

const bucket = "factory"

// makeS3 has one bucket for all tests of a process, and the environment that leads to it. The
// bucket is a folder of the gateway's.
var makeS3 = sync.OnceValues(func() (*objectservers.Server, error) {
	gateway, err := objectservers.VersityGateway()
	if err != nil {
		return nil, err
	}
	return gateway, errors.Join(os.Mkdir(filepath.Join(gateway.Folder, bucket), 0o700),
		os.Setenv("AWS_ENDPOINT_URL", "http://"+gateway.Address), os.Setenv("AWS_REGION", objectservers.S3Region),
		os.Setenv("AWS_ACCESS_KEY_ID", objectservers.S3AccessKey), os.Setenv("AWS_SECRET_ACCESS_KEY", objectservers.S3SecretKey))
})

// S3 is a folder in a bucket, with nothing in it.
func S3(t testing.TB) string {
	t.Helper()
	if _, err := makeS3(); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("s3://%s/test%d", bucket, folders.Add(1))
}

// Path is that of an object's file on the disk below the gateway.
func Path(t testing.TB, address, name string) string {
	t.Helper()
	gateway, err := makeS3()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(gateway.Folder, strings.TrimPrefix(address, "s3://"), name)
}

var makeGoogle = sync.OnceValue(func() error {
	server, err := objectservers.GoogleServer()
	if err != nil {
		return err
	}
	if err := os.Setenv("STORAGE_EMULATOR_HOST", server.Address); err != nil {
		return err
	}
	response, err := http.Post("http://"+server.Address+"/storage/v1/b?project=test", "application/json", strings.NewReader(`{"name": "`+bucket+`"}`))
	if err != nil {
		return err
	}
	return response.Body.Close()
})

// Google is likewise one of Google's.
func Google(t testing.TB) string {
	t.Helper()
	if err := makeGoogle(); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("gs://%s/test%d", bucket, folders.Add(1))
}

// Azure is likewise one of Azure's, or the test is skipped where Azurite is not to be had.
func Azure(t testing.TB) string {
	t.Helper()
	if objectservers.Azurite() == "" {
		t.Skip("Azure is not tested here: it needs azurite-blob of the npm package azurite, in the PATH or named by AZURITE")
	}
	server, err := objectservers.AzureServer()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("AZURE_STORAGE_CONNECTION_STRING", "DefaultEndpointsProtocol=http;AccountName="+objectservers.AzureAccount+
		";AccountKey="+objectservers.AzureKey+";BlobEndpoint=http://"+server.Address+"/"+objectservers.AzureAccount)
	name := fmt.Sprintf("factory%d", folders.Add(1))
	client, err := container.NewClientFromConnectionString(os.Getenv("AZURE_STORAGE_CONNECTION_STRING"), name, nil)
	if err == nil {
		_, err = client.Create(t.Context(), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return "azblob://" + name
}

// Tests are those of a package, after which the servers end.
type Tests struct{ Tests interface{ Run() int } }

// Run is for the package's TestMain.
func (t Tests) Run() int {
	code := t.Tests.Run()
	if err := objectservers.StopAll(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	return code
}
