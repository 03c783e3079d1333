package storage

import (
	"context"
	"io"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	s3Region    = "eu-west-3"
	s3AccessKey = "AKIAEXAMPLE"
	s3SecretKey = "canary-of-s3"
)

func newS3Store(t *testing.T) *store {
	gateway, err := startVersityGateway()
	if err != nil {
		t.Fatal(err)
	}
	endpoint := "http://" + gateway.address
	client := s3.New(s3.Options{
		BaseEndpoint: &endpoint,
		UsePathStyle: true,
		Region:       s3Region,
		Credentials:  credentials.NewStaticCredentialsProvider(s3AccessKey, s3SecretKey, ""),
	})
	bucket := newBucketName()
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatal(err)
	}
	return &store{
		scheme:   "s3",
		address:  gateway.address,
		bucket:   bucket,
		endpoint: endpoint,
		region:   s3Region,
		secret:   map[string]string{"AWS_ACCESS_KEY_ID": s3AccessKey, "AWS_SECRET_ACCESS_KEY": s3SecretKey, "AWS_ENDPOINT_URL": endpoint},
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
