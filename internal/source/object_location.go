package source

import (
	"cmp"
	"net/url"
	"regexp"
	"strings"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

const (
	schemeS3     = "s3"
	schemeGoogle = "gs"
	schemeAzure  = "azblob"
)

// Bucket and region become part of a server's name.
var (
	bucketPattern = regexp.MustCompile(`^[$A-Za-z0-9][A-Za-z0-9._-]{0,254}$`)
	regionPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

// location is where an object or a prefix is.
type location struct {
	scheme, bucket string
	name           string // of an object; a prefix ends in / or is empty
	endpoint       string // of S3; empty: the provider's own
	region         string // of S3
}

func (l location) isPrefix() bool { return l.name == "" || strings.HasSuffix(l.name, "/") }

func (l location) String() string { return l.scheme + "://" + l.bucket + "/" + l.name }

// parseLocation repeats none of what it refuses: a password may be in it.
func parseLocation(spec *classifierv1alpha1.ObjectStorageSource) (location, error) {
	scheme, rest, _ := strings.Cut(spec.URL, "://")
	bucket, name, hasName := strings.Cut(rest, "/")
	switch {
	case !isScheme(scheme), !hasName:
		return location{}, invalidURL("url is not of the form s3://bucket/name, gs://bucket/name or azblob://container/name")
	case !bucketPattern.MatchString(bucket):
		return location{}, invalidURL("url does not name a bucket that there can be")
	case scheme != schemeS3 && (spec.Endpoint != "" || spec.Region != ""):
		return location{}, invalidURL("endpoint and region are for s3:// alone; remove them")
	case spec.Region != "" && !regionPattern.MatchString(spec.Region):
		return location{}, invalidURL("region does not name a region that there can be")
	}
	if problem := endpointProblem(spec.Endpoint); problem != "" {
		return location{}, invalidURL("endpoint " + problem)
	}
	return location{scheme: scheme, bucket: bucket, name: name, endpoint: spec.Endpoint, region: spec.Region}, nil
}

func isScheme(scheme string) bool {
	return scheme == schemeS3 || scheme == schemeGoogle || scheme == schemeAzure
}

// endpointProblem is what is wrong with an endpoint, as the end of a sentence.
func endpointProblem(endpoint string) string {
	if endpoint == "" {
		return ""
	}
	parsed, err := url.Parse(endpoint)
	switch {
	case err != nil, parsed.Scheme != "http" && parsed.Scheme != "https", parsed.Hostname() == "":
		return "is not an address such as https://minio.storage.svc:9000"
	case parsed.User != nil:
		return "holds a user or password; put them into keys of the Secret of credentialsSecretRef"
	case parsed.RawQuery != "", parsed.Fragment != "":
		return "has a query or fragment; remove it"
	}
	return ""
}

// isSameEndpoint compares endpoints that have no problem.
func isSameEndpoint(a, b string) bool { return normalEndpoint(a) == normalEndpoint(b) }

func normalEndpoint(endpoint string) string {
	parsed, err := url.Parse(endpoint)
	if err != nil {
		return endpoint
	}
	port := cmp.Or(parsed.Port(), map[string]string{"http": "80", "https": "443"}[parsed.Scheme])
	return parsed.Scheme + "://" + strings.ToLower(parsed.Hostname()) + ":" + port + strings.TrimRight(parsed.EscapedPath(), "/")
}
