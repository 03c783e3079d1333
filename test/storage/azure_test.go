package storage

import (
	"context"
	"io"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/classifier-factory/classifier-factory/test/objectservers"
)

func newAzureStore(t *testing.T) *store {
	if objectservers.Azurite() == "" {
		t.Skip("Azure is not tested here: it needs azurite-blob of the npm package azurite (Node, 365 MB), in the PATH or named by AZURITE")
	}
	server, err := objectservers.AzureServer()
	if err != nil {
		t.Fatal(err)
	}
	endpoint := "http://" + server.Address + "/" + objectservers.AzureAccount
	connection := "DefaultEndpointsProtocol=http;AccountName=" + objectservers.AzureAccount + ";AccountKey=" + objectservers.AzureKey + ";BlobEndpoint=" + endpoint
	bucket := newBucketName()
	client, err := container.NewClientFromConnectionString(connection, bucket, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Create(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return &store{
		scheme:  "azblob",
		address: server.Address,
		bucket:  bucket,
		secret:  map[string]string{"AZURE_STORAGE_CONNECTION_STRING": connection},
		put: func(ctx context.Context, name string, content io.ReadSeeker, encoding string) error {
			options := &blockblob.UploadOptions{}
			if encoding != "" {
				options.HTTPHeaders = &blob.HTTPHeaders{BlobContentEncoding: to.Ptr(encoding)}
			}
			_, err := client.NewBlockBlobClient(name).Upload(ctx, streaming.NopCloser(content), options)
			return err
		},
		remove: func(ctx context.Context, name string) error {
			_, err := client.NewBlobClient(name).Delete(ctx, nil)
			return err
		},
	}
}
