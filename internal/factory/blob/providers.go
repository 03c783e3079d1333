package blob

import (
	"cmp"
	"context"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
	"gocloud.dev/blob"
	"gocloud.dev/blob/azureblob"
	"gocloud.dev/blob/gcsblob"
	"gocloud.dev/blob/s3blob"
	"gocloud.dev/gcp"
)

// defaultRegion is what servers of S3 that are not Amazon's call theirs.
const defaultRegion = "us-east-1"

// dialBucket has a bucket with the credentials of the environment, or of the machine, as
// the provider's own tools find them. It asks for nothing yet.
func dialBucket(ctx context.Context, a *address, transport *http.Transport) (*blob.Bucket, error) {
	switch a.scheme {
	case schemeS3:
		return dialS3(ctx, a.bucket, transport)
	case schemeGoogle:
		return dialGoogle(ctx, a.bucket, transport)
	}
	return dialAzure(ctx, a.bucket)
}

func newTransport() *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone() // with the environment's proxies
	transport.MaxIdleConnsPerHost = 16
	transport.ReadBufferSize = 64 << 10
	transport.IdleConnTimeout = time.Minute
	return transport
}

// dialS3 leaves checksums out where S3 does not insist on them: not every server of S3 knows
// them, and bytes are compared with their digest anyway.
func dialS3(ctx context.Context, name string, transport *http.Transport) (*blob.Bucket, error) {
	account, err := config.LoadDefaultConfig(ctx,
		config.WithLogger(logging.Nop{}),
		config.WithRequestChecksumCalculation(aws.RequestChecksumCalculationWhenRequired),
		config.WithResponseChecksumValidation(aws.ResponseChecksumValidationWhenRequired))
	if err != nil {
		return nil, err
	}
	if client, ok := account.HTTPClient.(*awshttp.BuildableClient); ok {
		transport.TLSClientConfig = client.GetTransport().TLSClientConfig // with the certificates of AWS_CA_BUNDLE
	}
	elsewhere := cmp.Or(os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL")) != ""
	client := s3.NewFromConfig(account, func(o *s3.Options) {
		o.HTTPClient = &http.Client{Transport: transport}
		o.UsePathStyle = elsewhere
		if elsewhere {
			o.Region = cmp.Or(o.Region, defaultRegion)
		}
	})
	return s3blob.OpenBucket(ctx, client, name, &s3blob.Options{RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired})
}

func dialGoogle(ctx context.Context, name string, transport *http.Transport) (*blob.Bucket, error) {
	if os.Getenv("STORAGE_EMULATOR_HOST") != "" {
		return gcsblob.OpenBucket(ctx, gcp.NewAnonymousHTTPClient(transport), name, nil)
	}
	credentials, err := gcp.DefaultCredentials(ctx)
	if err != nil {
		return nil, err
	}
	client, err := gcp.NewHTTPClient(transport, gcp.CredentialsTokenSource(credentials))
	if err != nil {
		return nil, err
	}
	return gcsblob.OpenBucket(ctx, client, name, nil)
}

func dialAzure(ctx context.Context, name string) (*blob.Bucket, error) {
	address, err := azureblob.NewServiceURL(azureblob.NewDefaultServiceURLOptions())
	if err != nil {
		return nil, err
	}
	client, err := azureblob.NewDefaultClient(address, azureblob.ContainerName(name))
	if err != nil {
		return nil, err
	}
	return azureblob.OpenBucket(ctx, client, nil)
}
