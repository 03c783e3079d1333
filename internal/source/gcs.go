package source

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"cloud.google.com/go/auth"
	googlecredentials "cloud.google.com/go/auth/credentials"
	"cloud.google.com/go/auth/httptransport"
	"cloud.google.com/go/storage"
	"github.com/googleapis/gax-go/v2"
	"gocloud.dev/blob/gcsblob"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
)

const serviceAccountKey = "service-account.json"

func (s *ObjectStorage) connectGoogle(ctx context.Context, location location, credentials *credentials) (*bucket, error) {
	identity, err := s.googleIdentity(ctx, credentials)
	if err != nil {
		return nil, err
	}
	authorized := *s.client
	if err := httptransport.AddAuthorizationMiddleware(&authorized, identity); err != nil {
		return nil, err
	}
	options := []option.ClientOption{
		option.WithHTTPClient(&authorized),
		option.WithoutAuthentication(), // the client does it
	}
	if s.options.GoogleEndpoint != "" {
		options = append(options, option.WithEndpoint(s.options.GoogleEndpoint))
	}
	client, err := storage.NewClient(ctx, options...)
	if err != nil {
		return nil, err
	}
	client.SetRetry(
		storage.WithMaxAttempts(maxAttempts),
		storage.WithBackoff(gax.Backoff{Initial: 100 * time.Millisecond, Max: maxBackoff}))
	opened, err := gcsblob.OpenBucket(ctx, nil, location.bucket, &gcsblob.Options{Client: client})
	if err != nil {
		return nil, err
	}
	return &bucket{
		Bucket:     opened,
		version:    googleVersion,
		answer:     googleAnswer,
		beforeRead: readAsStored,
		beforeList: listBriefly,
	}, nil
}

// googleIdentity gets a first token, so that a failure is known to be about the
// credentials.
func (s *ObjectStorage) googleIdentity(ctx context.Context, credentials *credentials) (*auth.Credentials, error) {
	options := &googlecredentials.DetectOptions{Scopes: []string{storage.ScopeReadOnly}}
	if !credentials.given() {
		options.Client = s.identity
		identity, err := googlecredentials.DetectDefault(options)
		if err != nil {
			return nil, noIdentity()
		}
		if _, err := identity.Token(ctx); err != nil {
			return nil, noIdentity()
		}
		return identity, nil
	}
	key, err := credentials.require(serviceAccountKey)
	if err != nil {
		return nil, err
	}
	options.Client = s.client
	// Other kinds of credentials name files and programs of the operator's machine.
	identity, err := googlecredentials.NewCredentialsFromJSON(googlecredentials.ServiceAccount, []byte(key[0]), options)
	if err != nil {
		return nil, credentials.invalid(serviceAccountKey + " is not the key of a service account")
	}
	_, err = identity.Token(ctx)
	if refused, ok := errors.AsType[*auth.Error](err); ok && refused.Response.StatusCode < http.StatusInternalServerError && !refused.Temporary() {
		return nil, credentials.invalid(serviceAccountKey + " is not accepted by Google; it may have been deleted")
	}
	return identity, err
}

// readAsStored keeps Google from decompressing what is stored with
// Content-Encoding: gzip.
func readAsStored(as asFunc) error {
	var handle **storage.ObjectHandle
	if as(&handle) {
		*handle = (*handle).ReadCompressed(true)
	}
	return nil
}

// listBriefly leaves out of a list what is not used of it.
func listBriefly(as asFunc) error {
	var query *storage.Query
	if !as(&query) {
		return nil
	}
	return query.SetAttrSelection([]string{"Name", "Size", "Generation"})
}

// googleVersion is the generation. The ETag changes with the metadata, too.
func googleVersion(as asFunc) string {
	var (
		listedOrLooked storage.ObjectAttrs
		read           *storage.Reader
	)
	switch {
	case as(&listedOrLooked):
		return strconv.FormatInt(listedOrLooked.Generation, 10)
	case as(&read):
		return strconv.FormatInt(read.Attrs.Generation, 10)
	}
	return ""
}

func googleAnswer(err error) answer {
	if errors.Is(err, storage.ErrBucketNotExist) || errors.Is(err, storage.ErrObjectNotExist) {
		return answer{status: http.StatusNotFound}
	}
	if response, ok := errors.AsType[*googleapi.Error](err); ok {
		return answer{status: response.Code}
	}
	return answer{}
}
