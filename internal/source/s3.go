package source

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"gocloud.dev/blob/s3blob"
)

// requiredS3Keys are those of a Secret without which no request can be signed.
var requiredS3Keys = []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}

// The keys of a Secret that say where the others are for. The more special one counts,
// as it does for Amazon's own tools.
const (
	endpointKey   = "AWS_ENDPOINT_URL"
	s3EndpointKey = "AWS_ENDPOINT_URL_S3"
)

const (
	// defaultRegion is what S3-compatible servers call theirs. A bucket of Amazon's
	// that is elsewhere answers with its region.
	defaultRegion = "us-east-1"

	// The reconciler repeats with a back-off of its own; these heal a blip.
	maxAttempts = 3
	maxBackoff  = 250 * time.Millisecond
)

func (s *ObjectStorage) connectS3(ctx context.Context, location location, credentials *credentials) (*bucket, error) {
	account, err := s.s3Account(ctx, location, credentials)
	if err != nil {
		return nil, err
	}
	client := s3.NewFromConfig(account, func(o *s3.Options) {
		o.HTTPClient = s.client
		o.Region = cmp.Or(location.region, o.Region, defaultRegion)
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff = maxAttempts, maxBackoff
		})
		if location.endpoint != "" {
			o.BaseEndpoint = &location.endpoint
			o.UsePathStyle = true
		}
	})
	opened, err := s3blob.OpenBucket(ctx, client, location.bucket, nil)
	if err != nil {
		return nil, err
	}
	return &bucket{Bucket: opened, version: s3Version, answer: s3Answer}, nil
}

func (s *ObjectStorage) s3Account(ctx context.Context, location location, credentials *credentials) (aws.Config, error) {
	if credentials.given() {
		keys, err := credentials.require(requiredS3Keys...)
		if err != nil {
			return aws.Config{}, err
		}
		return aws.Config{
			Credentials: awscredentials.NewStaticCredentialsProvider(keys[0], keys[1], credentials.get("AWS_SESSION_TOKEN")),
		}, nil
	}
	// The operator's own identity is not for an endpoint of the user's choice.
	if location.endpoint != "" {
		return aws.Config{Credentials: aws.AnonymousCredentials{}}, nil
	}
	own, err := config.LoadDefaultConfig(ctx, config.WithLogger(logging.Nop{}), config.WithHTTPClient(s.identity))
	if err == nil {
		_, err = own.Credentials.Retrieve(ctx)
	}
	if err != nil {
		return aws.Config{}, noIdentity()
	}
	return own, nil
}

// endpoint is where the keys of the Secret go: to the endpoint that it names itself,
// or else to Amazon. Who may edit a dataset and no Secret sends no key anywhere else.
func (c *credentials) endpoint(wanted string) (string, error) {
	if _, err := c.require(requiredS3Keys...); err != nil {
		return "", err
	}
	key := endpointKey
	if c.get(s3EndpointKey) != "" {
		key = s3EndpointKey
	}
	own := c.get(key)
	if problem := endpointProblem(own); problem != "" {
		return "", c.invalid("has an " + key + " that " + problem)
	}
	switch {
	case wanted == "":
		return own, nil
	case own == "":
		return "", c.invalid("does not say that its keys are for the endpoint of the dataset; add " + endpointKey + "=" + wanted + " to it if they are")
	case !isSameEndpoint(own, wanted):
		return "", c.invalid("names another endpoint in " + key + " than the dataset; its keys are sent to no other one. Remove endpoint from the dataset, or correct one of them")
	}
	return wanted, nil
}

func s3Version(as asFunc) string {
	var (
		listed types.Object
		looked s3.HeadObjectOutput
		read   s3.GetObjectOutput
	)
	switch {
	case as(&listed):
		return aws.ToString(listed.ETag)
	case as(&looked):
		return aws.ToString(looked.ETag)
	case as(&read):
		return aws.ToString(read.ETag)
	}
	return ""
}

func s3Answer(err error) answer {
	var answer answer
	if coded, ok := errors.AsType[smithy.APIError](err); ok {
		answer.code = coded.ErrorCode()
	}
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		answer.status = response.HTTPStatusCode()
		if region := response.Response.Header.Get("X-Amz-Bucket-Region"); regionPattern.MatchString(region) {
			answer.region = region
		}
	}
	return answer
}
