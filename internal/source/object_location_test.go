package source

import (
	"strings"
	"testing"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

func TestParseLocation(t *testing.T) {
	for _, test := range []struct {
		reason                string
		url, endpoint, region string
		want                  location
	}{
		{"an object of S3", "s3://samples/intents/train.jsonl", "", "", location{scheme: "s3", bucket: "samples", name: "intents/train.jsonl"}},
		{"a prefix", "gs://samples/intents/", "", "", location{scheme: "gs", bucket: "samples", name: "intents/"}},
		{"a whole bucket", "azblob://samples/", "", "", location{scheme: "azblob", bucket: "samples"}},
		{"a name is taken as it is", "s3://samples/a%20b//c d", "", "", location{scheme: "s3", bucket: "samples", name: "a%20b//c d"}},
		{"old buckets have capitals and underscores", "s3://My_Samples/a", "", "", location{scheme: "s3", bucket: "My_Samples", name: "a"}},
		{"Azure's root container", "azblob://$root/a", "", "", location{scheme: "azblob", bucket: "$root", name: "a"}},
		{"a server of the user's", "s3://samples/a", "https://minio.storage.svc:9000/s3", "eu-west-3",
			location{scheme: "s3", bucket: "samples", name: "a", endpoint: "https://minio.storage.svc:9000/s3", region: "eu-west-3"}},
	} {
		got, err := parseLocation(&classifierv1alpha1.ObjectStorageSource{URL: test.url, Endpoint: test.endpoint, Region: test.region})
		if err != nil || got != test.want {
			t.Errorf("%s: got %+v, %v, want %+v", test.reason, got, err, test.want)
		}
	}
}

func TestParseLocationRefuses(t *testing.T) {
	for _, test := range []struct {
		reason                string
		url, endpoint, region string
		says                  string
	}{
		{"another scheme", "file://samples/canary", "", "", "url"},
		{"no scheme", "samples/canary", "", "", "url"},
		{"no name", "s3://canary", "", "", "url"},
		{"no bucket", "s3:///canary", "", "", "bucket"},
		{"a password in place of a bucket", "s3://user:canary@samples/a", "", "", "bucket"},
		{"a bucket that would change the server's name", "s3://canary.example#/a", "", "", "bucket"},
		{"an endpoint for Google", "gs://samples/a", "https://canary.example", "", "endpoint"},
		{"a region for Azure", "azblob://samples/a", "", "canary", "region"},
		{"a region that would change the server's name", "s3://samples/a", "", "canary.example/", "region"},
		{"an endpoint that is no address", "s3://samples/a", "https://", "", "endpoint"},
		{"an endpoint that is no URL", "s3://samples/a", "https://[canary", "", "endpoint"},
		{"an endpoint of another scheme", "s3://samples/a", "ftp://canary.example", "", "endpoint"},
		{"a password in the endpoint", "s3://samples/a", "https://user:canary@minio.example", "", "credentialsSecretRef"},
		{"a token in the endpoint", "s3://samples/a", "https://minio.example/?token=canary", "", "query"},
	} {
		_, err := parseLocation(&classifierv1alpha1.ObjectStorageSource{URL: test.url, Endpoint: test.endpoint, Region: test.region})
		failed, ok := err.(*Error)
		if !ok || failed.Reason != ReasonInvalidURL || !strings.Contains(failed.Message, test.says) || strings.Contains(failed.Message, "canary") {
			t.Errorf("%s: got %v", test.reason, err)
		}
	}
}
