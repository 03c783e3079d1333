package storage

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"cloud.google.com/go/storage"
	"google.golang.org/api/option"

	"github.com/classifier-factory/classifier-factory/test/objectservers"
)

func newGoogleStore(t *testing.T) *store {
	server, err := objectservers.GoogleServer()
	if err != nil {
		t.Fatal(err)
	}
	endpoint := "http://" + server.Address + "/storage/v1/"
	client, err := storage.NewClient(t.Context(), option.WithEndpoint(endpoint), option.WithoutAuthentication())
	if err != nil {
		t.Fatal(err)
	}
	bucket := newBucketName()
	if err := client.Bucket(bucket).Create(t.Context(), "project", nil); err != nil {
		t.Fatal(err)
	}
	return &store{
		scheme:  "gs",
		address: server.Address,
		bucket:  bucket,
		google:  endpoint,
		secret:  map[string]string{"service-account.json": serviceAccount(t, http.StatusOK)},
		put: func(ctx context.Context, name string, content io.ReadSeeker, encoding string) error {
			writer := client.Bucket(bucket).Object(name).NewWriter(ctx)
			writer.ContentEncoding = encoding
			writer.ChunkSize = 0 // one request
			if _, err := io.Copy(writer, content); err != nil {
				return err
			}
			return writer.Close()
		},
		remove: func(ctx context.Context, name string) error {
			return client.Bucket(bucket).Object(name).Delete(ctx)
		},
	}
}

// serviceAccount is the key of a service account whose token server answers with
// the status.
func serviceAccount(t *testing.T, status int) string {
	t.Helper()
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if status == http.StatusOK {
			fmt.Fprint(w, `{"access_token": "canary-of-google", "token_type": "Bearer", "expires_in": 3600}`)
		} else {
			fmt.Fprint(w, `{"error": "invalid_grant", "error_description": "canary-of-google"}`)
		}
	}))
	t.Cleanup(tokens.Close)
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := json.Marshal(map[string]string{
		"type":         "service_account",
		"client_email": "reader@project.iam.gserviceaccount.com",
		"private_key":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})),
		"token_uri":    tokens.URL,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(key)
}
