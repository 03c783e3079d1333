package source

import (
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

func secretOf(data ...string) *credentials {
	given := &credentials{secret: "storage", data: map[string][]byte{}}
	for i := 0; i < len(data); i += 2 {
		given.data[data[i]] = []byte(data[i+1])
	}
	return given
}

func TestIncompleteCredentials(t *testing.T) {
	storage := NewObjectStorage(DefaultObjectStorageOptions())
	for _, test := range []struct {
		reason      string
		scheme      string
		credentials *credentials
		says        string
	}{
		{"nothing for S3", schemeS3, secretOf(), "has no AWS_ACCESS_KEY_ID and no AWS_SECRET_ACCESS_KEY"},
		{"half of it", schemeS3, secretOf("AWS_ACCESS_KEY_ID", "canary"), "has no AWS_SECRET_ACCESS_KEY"},
		{"an empty value", schemeS3, secretOf("AWS_ACCESS_KEY_ID", "canary", "AWS_SECRET_ACCESS_KEY", " \n"), "has no AWS_SECRET_ACCESS_KEY"},
		{"nothing for Google", schemeGoogle, secretOf("key.json", "canary"), "has no service-account.json"},
		{"no JSON", schemeGoogle, secretOf("service-account.json", "canary"), "not the key of a service account"},
		{"a user's token", schemeGoogle, secretOf("service-account.json", `{"type": "authorized_user", "refresh_token": "canary"}`), "not the key of a service account"},
		{"nothing for Azure", schemeAzure, secretOf(), "has no AZURE_STORAGE_ACCOUNT"},
		{"an account without a key", schemeAzure, secretOf("AZURE_STORAGE_ACCOUNT", "samples"), "has neither AZURE_STORAGE_KEY nor AZURE_STORAGE_SAS_TOKEN"},
		{"an account that would change the server's name", schemeAzure,
			secretOf("AZURE_STORAGE_ACCOUNT", "canary.example/", "AZURE_STORAGE_KEY", "Y2FuYXJ5"), "AZURE_STORAGE_ACCOUNT that is not a name"},
		{"a key that is none", schemeAzure, secretOf("AZURE_STORAGE_ACCOUNT", "samples", "AZURE_STORAGE_KEY", "canary!"), "not Base64"},
	} {
		_, err := storage.connect(t.Context(), location{scheme: test.scheme, bucket: "samples"}, test.credentials)
		failed, ok := err.(*Error)
		if !ok || failed.Reason != ReasonInvalidCredentials || !strings.Contains(failed.Message, test.says) {
			t.Errorf("%s: got %v, want %q", test.reason, err, test.says)
		} else if strings.Contains(failed.Message, "canary") {
			t.Errorf("%s: the message holds a secret: %q", test.reason, failed)
		}
	}
}

func TestAddressOfAzureAccounts(t *testing.T) {
	storage := NewObjectStorage(DefaultObjectStorageOptions())
	for _, test := range []struct {
		reason      string
		credentials *credentials
		want        string
	}{
		{"a key", secretOf("AZURE_STORAGE_ACCOUNT", "team", "AZURE_STORAGE_KEY", "Y2FuYXJ5"), "https://team.blob.core.windows.net/samples"},
		{"a token as the portal gives it", secretOf("AZURE_STORAGE_ACCOUNT", "team", "AZURE_STORAGE_SAS_TOKEN", "?sv=1&sig=x"), "https://team.blob.core.windows.net/samples?sv=1&sig=x"},
		{"another cloud", secretOf("AZURE_STORAGE_CONNECTION_STRING", "AccountName=team;AccountKey=Y2FuYXJ5;EndpointSuffix=core.chinacloudapi.cn"), "https://team.blob.core.chinacloudapi.cn/samples"},
	} {
		client, err := storage.azureContainer(t.Context(), "samples", test.credentials, &container.ClientOptions{})
		if err != nil || client.URL() != test.want {
			t.Errorf("%s: got %v, %v, want %s", test.reason, client, err, test.want)
		}
	}
}
