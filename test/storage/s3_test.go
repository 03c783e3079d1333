package storage

import (
	"context"
	"io"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/classifier-factory/classifier-factory/test/objectservers"
)

func newS3Store(t *testing.T) *store {
	gateway, err := objectservers.VersityGateway()
	if err != nil {
		t.Fatal(err)
	}
	endpoint := "http://" + gateway.Address
	client := s3.New(s3.Options{
		BaseEndpoint: &endpoint,
		UsePathStyle: true,
		Region:       objectservers.S3Region,
		Credentials:  credentials.NewStaticCredentialsProvider(objectservers.S3AccessKey, objectservers.S3SecretKey, ""),
	})
	bucket := newBucketName()
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatal(err)
	}
	return &store{
		scheme:   "s3",
		address:  gateway.Address,
		bucket:   bucket,
		endpoint: endpoint,
		region:   objectservers.S3Region,
		secret:   map[string]string{"AWS_ACCESS_KEY_ID": objectservers.S3AccessKey, "AWS_SECRET_ACCESS_KEY": objectservers.S3SecretKey, "AWS_ENDPOINT_URL": endpoint},
		put: func(ctx context.Context, name string, content io.ReadSeeker, encoding string) error {
			input := &s3.PutObjectInput{Bucket: &bucket, Key: &name, Body: content}
			if encoding != "" {
				input.ContentEncoding = aws.String(encoding)
			}
			_, err := client.PutObject(ctx, input)
			return err
		},
		remove: func(ctx context.Context, name string) error {
			_, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: &name})
			return err
		},
	}
}
