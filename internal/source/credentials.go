package source

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// credentials are the data of a Secret. Without a Secret they are the operator's
// own identity for buckets that its flags list, and none for an endpoint of the
// user's choice.
type credentials struct {
	secret string // its name
	data   map[string][]byte
}

func (c *credentials) given() bool { return c.secret != "" }

// readCredentials asks the API server: Secrets are in no cache.
func readCredentials(ctx context.Context, live client.Reader, namespace string, reference *classifierv1alpha1.SecretReference) (*credentials, error) {
	if reference == nil {
		return &credentials{}, nil
	}
	secret := &corev1.Secret{}
	err := live.Get(ctx, client.ObjectKey{Namespace: namespace, Name: reference.Name}, secret)
	if apierrors.IsNotFound(err) {
		return nil, &Error{ReasonCredentialsNotFound, fmt.Sprintf("Secret %s does not exist; create it with the credentials of the storage", reference.Name)}
	}
	if err != nil {
		return nil, err
	}
	return &credentials{secret: reference.Name, data: secret.Data}, nil
}

// get gives a value without the line end that files and pipes add.
func (c *credentials) get(key string) string { return strings.TrimSpace(string(c.data[key])) }

// require gives the values of keys that must be there.
func (c *credentials) require(keys ...string) ([]string, error) {
	var values, missing []string
	for _, key := range keys {
		if value := c.get(key); value != "" {
			values = append(values, value)
		} else {
			missing = append(missing, key)
		}
	}
	if len(missing) > 0 {
		return nil, c.invalid("has no " + strings.Join(missing, " and no "))
	}
	return values, nil
}

func (c *credentials) invalid(problem string) *Error {
	return &Error{ReasonInvalidCredentials, fmt.Sprintf("Secret %s %s", c.secret, problem)}
}

// notLent says that a dataset must bring credentials for a bucket.
func notLent(location location) *Error {
	return &Error{ReasonCredentialsNotFound, fmt.Sprintf("the operator does not read the bucket %s as itself; "+
		"name a Secret with credentials in credentialsSecretRef, or have %s://%[1]s listed in the operator's flag --ambient-buckets", location.bucket, location.scheme)}
}

// noIdentity says that the operator has no identity that the storage knows.
func noIdentity() *Error {
	return &Error{ReasonCredentialsNotFound, "the operator has no identity of its own for this storage; name a Secret with credentials in credentialsSecretRef"}
}
