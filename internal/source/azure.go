package source

import (
	"context"
	"errors"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	azblob "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"gocloud.dev/blob/azureblob"
)

const (
	azureAccountVariable = "AZURE_STORAGE_ACCOUNT"

	accountKey          = "AZURE_STORAGE_ACCOUNT"
	sharedKeyKey        = "AZURE_STORAGE_KEY"
	sasTokenKey         = "AZURE_STORAGE_SAS_TOKEN"
	connectionStringKey = "AZURE_STORAGE_CONNECTION_STRING"
)

// azureEscaped are characters that gocloud does not send to Azure as they are.
const azureEscaped = "\"#%?\\\x7F"

// An account becomes part of a server's name.
var accountPattern = regexp.MustCompile(`^[a-z0-9]{3,24}$`)

func (s *ObjectStorage) connectAzure(ctx context.Context, location location, credentials *credentials) (*bucket, error) {
	options := &container.ClientOptions{ClientOptions: policy.ClientOptions{
		Transport: s.client,
		Retry:     policy.RetryOptions{MaxRetries: maxAttempts - 1, RetryDelay: 100 * time.Millisecond, MaxRetryDelay: maxBackoff},
	}}
	client, err := s.azureContainer(ctx, location.bucket, credentials, options)
	if err != nil {
		return nil, err
	}
	opened, err := azureblob.OpenBucket(ctx, client, nil)
	if err != nil {
		return nil, err
	}
	return &bucket{Bucket: opened, version: azureVersion, answer: azureAnswer, escaped: azureEscaped}, nil
}

func (s *ObjectStorage) azureContainer(ctx context.Context, name string, credentials *credentials, options *container.ClientOptions) (*container.Client, error) {
	if !credentials.given() {
		return s.ownAzureContainer(ctx, name, options)
	}
	if text := credentials.get(connectionStringKey); text != "" {
		client, err := container.NewClientFromConnectionString(text, name, options)
		if err != nil {
			return nil, credentials.invalid(connectionStringKey + " is not a connection string")
		}
		return client, nil
	}
	account, err := credentials.require(accountKey)
	if err != nil {
		return nil, err
	}
	address, err := azureAddress(account[0], name)
	if err != nil {
		return nil, credentials.invalid("has an " + accountKey + " that is not a name of 3 to 24 small letters and digits")
	}
	if token := credentials.get(sasTokenKey); token != "" {
		return container.NewClientWithNoCredential(address+"?"+strings.TrimPrefix(token, "?"), options)
	}
	if credentials.get(sharedKeyKey) == "" {
		return nil, credentials.invalid("has neither " + sharedKeyKey + " nor " + sasTokenKey)
	}
	key, err := container.NewSharedKeyCredential(account[0], credentials.get(sharedKeyKey))
	if err != nil {
		return nil, credentials.invalid("has an " + sharedKeyKey + " that is not Base64")
	}
	return container.NewClientWithSharedKeyCredential(address, key, options)
}

// ownAzureContainer opens a container of the operator's own account.
func (s *ObjectStorage) ownAzureContainer(ctx context.Context, name string, options *container.ClientOptions) (*container.Client, error) {
	address, err := azureAddress(os.Getenv(azureAccountVariable), name)
	if err != nil {
		return nil, noIdentity()
	}
	identity, err := azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{
		ClientOptions: azcore.ClientOptions{Transport: s.identity},
	})
	if err != nil {
		return nil, noIdentity()
	}
	scope := policy.TokenRequestOptions{Scopes: []string{"https://storage.azure.com/.default"}}
	if _, err := identity.GetToken(ctx, scope); err != nil {
		return nil, noIdentity()
	}
	return container.NewClient(address, identity, options)
}

func azureAddress(account, name string) (string, error) {
	if !accountPattern.MatchString(account) {
		return "", errors.New("no name of a storage account")
	}
	return "https://" + account + ".blob.core.windows.net/" + url.PathEscape(name), nil
}

// azureVersion is the ETag, which stands in quotes in headers and without in lists.
func azureVersion(as asFunc) string {
	var (
		listed container.BlobItem
		looked azblob.GetPropertiesResponse
		read   azblob.DownloadStreamResponse
		etag   *azcore.ETag
	)
	switch {
	case as(&listed):
		etag = listed.Properties.ETag
	case as(&looked):
		etag = looked.ETag
	case as(&read):
		etag = read.ETag
	}
	if etag == nil {
		return ""
	}
	return strings.Trim(string(*etag), `"`)
}

func azureAnswer(err error) answer {
	if response, ok := errors.AsType[*azcore.ResponseError](err); ok {
		return answer{status: response.StatusCode, code: response.ErrorCode}
	}
	return answer{}
}
