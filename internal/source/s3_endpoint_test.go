package source

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// TestKeysAreForTheEndpointOfTheirSecret holds that whoever may edit a dataset, and no
// Secret, cannot have the keys of one used at a server of their own.
func TestKeysAreForTheEndpointOfTheirSecret(t *testing.T) {
	for _, test := range []struct {
		reason   string
		secret   map[string]string
		endpoint string // of the dataset; OWN is the server's, as it is in the Secret
		says     string // empty: it is read
	}{
		{"the Secret's alone", map[string]string{"AWS_ENDPOINT_URL": "OWN"}, "", ""},
		{"both name it", map[string]string{"AWS_ENDPOINT_URL": "OWN"}, "OWN", ""},
		{"the same in other words", map[string]string{"AWS_ENDPOINT_URL": "OWN"}, "OWN/", ""},
		{"that of S3 counts", map[string]string{"AWS_ENDPOINT_URL": "https://sts.example", "AWS_ENDPOINT_URL_S3": "OWN"}, "OWN", ""},
		{"only the dataset names one", nil, "OWN", "add AWS_ENDPOINT_URL=OWN to it"},
		{"another one", map[string]string{"AWS_ENDPOINT_URL": "https://minio.example"}, "OWN", "another endpoint in AWS_ENDPOINT_URL"},
		{"another one for S3", map[string]string{"AWS_ENDPOINT_URL": "OWN", "AWS_ENDPOINT_URL_S3": "https://minio.example"}, "OWN", "another endpoint in AWS_ENDPOINT_URL_S3"},
		{"another path", map[string]string{"AWS_ENDPOINT_URL": "OWN/s3"}, "OWN/t3", "another endpoint"},
		{"another scheme", map[string]string{"AWS_ENDPOINT_URL": "OWN"}, "https://127.0.0.1", "another endpoint"},
		{"no address", map[string]string{"AWS_ENDPOINT_URL": "canary"}, "", "has an AWS_ENDPOINT_URL that is not an address"},
		{"a password in the address", map[string]string{"AWS_ENDPOINT_URL": "https://user:canary@minio.example"}, "", "has an AWS_ENDPOINT_URL that holds a user or password"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			asked := false
			storage := newHostileStorage(t, 5*time.Second, func(w http.ResponseWriter, r *http.Request) {
				asked = true
				if isList(r) {
					fmt.Fprint(w, listed)
					return
				}
				w.Header().Set("ETag", `"1"`)
				fmt.Fprint(w, "a1\n")
			})
			own := func(text string) string { return strings.ReplaceAll(text, "OWN", storage.url) }
			storage.editSecret(t, func(secret *corev1.Secret) {
				delete(secret.Data, "AWS_ENDPOINT_URL")
				for key, value := range test.secret {
					secret.Data[key] = []byte(own(value) + "\n")
				}
			})
			spec := storage.spec()
			spec.Endpoint = own(test.endpoint)
			got, err := storage.readAll(t.Context(), spec)
			if test.says == "" {
				if err != nil || got != "a1\n" {
					t.Errorf("got %q, %v", got, err)
				}
				return
			}
			failed, ok := errors.AsType[*Error](err)
			if !ok || failed.Reason != ReasonInvalidCredentials || !strings.Contains(failed.Message, own(test.says)) || strings.Contains(failed.Message, "canary") {
				t.Errorf("got %#v, want %q", err, own(test.says))
			}
			if asked {
				t.Error("the server was asked")
			}
		})
	}
}

// TestTheSecretsEndpointIsPartOfTheIdentity holds that the same bucket elsewhere is read again.
func TestTheSecretsEndpointIsPartOfTheIdentity(t *testing.T) {
	answer := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, listed) }
	first, second := newHostileStorage(t, 5*time.Second, answer), newHostileStorage(t, 5*time.Second, answer)
	source := classifierv1alpha1.DatasetSource{ObjectStorage: first.spec()}
	before := resolve(t, first.readers, source).Identity()
	first.editSecret(t, func(secret *corev1.Secret) { secret.Data["AWS_ENDPOINT_URL"] = []byte(second.url) })
	if resolve(t, first.readers, source).Identity() == before {
		t.Error("the identity stays")
	}
}

func TestSameEndpoints(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"https://minio.example", "HTTPS://MinIO.example:443/", true},
		{"http://minio.example:80/s3/", "http://minio.example/s3", true},
		{"http://[::1]:9000", "http://[::1]:9000/", true},
		{"http://minio.example", "https://minio.example", false},
		{"https://minio.example", "https://minio.example:9000", false},
		{"https://minio.example", "https://minio.example.evil.example", false},
		{"https://minio.example/a", "https://minio.example/b", false},
	} {
		if got := isSameEndpoint(test.a, test.b); got != test.want {
			t.Errorf("%s and %s: got %t", test.a, test.b, got)
		}
	}
}

func (s hostileStorage) editSecret(t *testing.T, edit func(*corev1.Secret)) {
	t.Helper()
	secret := &corev1.Secret{}
	if err := s.readers.Live.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "storage"}, secret); err != nil {
		t.Fatal(err)
	}
	edit(secret)
	if err := s.readers.Live.(client.Client).Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
}
