package storage

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/source"
	"github.com/classifier-factory/classifier-factory/test/objectservers"
)

type spec = classifierv1alpha1.ObjectStorageSource

// failure is a change to a source that there is, and what comes of it.
type failure struct {
	reason string
	change func(t *testing.T, s *store, spec *spec)
	want   source.Reason
	says   string // part of the message
}

func (f failure) check(t *testing.T, s *store) {
	t.Run(f.reason, func(t *testing.T) {
		spec := s.spec("intents.jsonl")
		changed := *s
		f.change(t, &changed, spec)
		started := time.Now()
		_, err := changed.try(t.Context(), spec, changed.options())
		failed, ok := errors.AsType[*source.Error](err)
		if !ok {
			t.Fatalf("got %v, want an *Error", err)
		}
		if failed.Reason != f.want || !strings.Contains(failed.Message, f.says) {
			t.Errorf("got %s: %q, want %s: %q", failed.Reason, failed.Message, f.want, f.says)
		}
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("the message holds a secret or what a server wrote: %q", err)
		}
		if took := time.Since(started); took > 5*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func setSecret(key, value string) func(*testing.T, *store, *spec) {
	return func(_ *testing.T, s *store, _ *spec) {
		changed := map[string]string{key: value}
		for known, old := range s.secret {
			if known != key {
				changed[known] = old
			}
		}
		s.secret = changed
	}
}

// setEndpoint names another endpoint wherever it has to be named.
func setEndpoint(endpoint string) func(*testing.T, *store, *spec) {
	return func(t *testing.T, s *store, spec *spec) {
		spec.Endpoint = endpoint
		setSecret("AWS_ENDPOINT_URL", endpoint)(t, s, spec)
	}
}

func setURL(url string) func(*testing.T, *store, *spec) {
	return func(_ *testing.T, s *store, spec *spec) {
		spec.URL = strings.NewReplacer("SCHEME", s.scheme, "BUCKET", s.bucket).Replace(url)
	}
}

func TestFailuresEverywhere(t *testing.T) {
	everywhere(t, func(t *testing.T, s *store) {
		s.fill(t, "intents.jsonl", "a1\n")
		for _, test := range []failure{
			{"no such object", setURL("SCHEME://BUCKET/other.jsonl"), source.ReasonNotFound, "other.jsonl does not exist"},
			{"a name that goes on", setURL("SCHEME://BUCKET/intents"), source.ReasonNotFound, "/intents does not exist"},
			{"nothing under the prefix", setURL("SCHEME://BUCKET/other/"), source.ReasonNotFound, "there is no object under"},
			{"no such bucket", setURL("SCHEME://other-bucket/intents.jsonl"), source.ReasonBucketNotFound, "bucket other-bucket does not exist"},
			{"no such bucket to list", setURL("SCHEME://other-bucket/intents/"), source.ReasonBucketNotFound, "bucket other-bucket does not exist"},
			{"a Secret that is not there", func(_ *testing.T, _ *store, spec *spec) {
				spec.CredentialsSecretRef = &classifierv1alpha1.SecretReference{Name: "other"}
			}, source.ReasonCredentialsNotFound, "Secret other does not exist"},
			{"an empty Secret", func(_ *testing.T, s *store, _ *spec) { s.secret = nil }, source.ReasonInvalidCredentials, "Secret storage has no"},
		} {
			test.check(t, s)
		}
	})
}

func TestFailuresOfS3(t *testing.T) {
	s := newS3Store(t)
	s.fill(t, "intents.jsonl", "a1\n")
	for _, test := range []failure{
		{"an unknown key", setSecret("AWS_ACCESS_KEY_ID", "AKIACANARY"), source.ReasonInvalidCredentials, "Secret storage"},
		{"a wrong secret", setSecret("AWS_SECRET_ACCESS_KEY", "another canary"), source.ReasonInvalidCredentials, "Secret storage"},
		{"a wrong secret, under a prefix", func(t *testing.T, s *store, spec *spec) {
			setSecret("AWS_SECRET_ACCESS_KEY", "another canary")(t, s, spec)
			setURL("SCHEME://BUCKET/")(t, s, spec)
		}, source.ReasonInvalidCredentials, "Secret storage"},
		{"another region", func(_ *testing.T, _ *store, spec *spec) { spec.Region = "us-west-1" }, source.ReasonWrongRegion, "set region"},
		{"no credentials", func(_ *testing.T, _ *store, spec *spec) { spec.CredentialsSecretRef = nil }, source.ReasonAccessDenied, "without credentials"},
		{"a Secret without the endpoint", setSecret("AWS_ENDPOINT_URL", ""), source.ReasonInvalidCredentials, "add AWS_ENDPOINT_URL=http://127.0.0.1"},
		{"a Secret for another endpoint", setSecret("AWS_ENDPOINT_URL", "https://minio.example"), source.ReasonInvalidCredentials, "another endpoint"},
		{"a dataset for another endpoint", func(_ *testing.T, _ *store, spec *spec) { spec.Endpoint = "https://minio.example" }, source.ReasonInvalidCredentials, "another endpoint"},
		{"neither names one, so that it is Amazon's; it is not to be had here", func(t *testing.T, s *store, spec *spec) {
			spec.Endpoint, spec.Region = "", "nowhere-1"
			setSecret("AWS_ENDPOINT_URL", "")(t, s, spec)
		}, source.ReasonUnreachable, "check the endpoint"},
		{"nothing listens", func(t *testing.T, s *store, spec *spec) {
			address, err := objectservers.FreeAddress()
			if err != nil {
				t.Fatal(err)
			}
			setEndpoint("http://"+address)(t, s, spec)
		}, source.ReasonUnreachable, "check the endpoint"},
		{"no such host", setEndpoint("http://storage.invalid"), source.ReasonUnreachable, "check the endpoint"},
		{"TLS where there is none", setEndpoint(strings.Replace(s.endpoint, "http:", "https:", 1)), source.ReasonUnreachable, "check the endpoint"},
		{"a private host that the flags do not name", setEndpoint(strings.Replace(s.endpoint, "127.0.0.1", "localhost", 1)), source.ReasonAddressRefused, "flags"},
	} {
		test.check(t, s)
	}
}

func TestFailuresOfGoogle(t *testing.T) {
	s := newGoogleStore(t)
	s.fill(t, "intents.jsonl", "a1\n")
	for _, test := range []failure{
		{"a deleted service account", func(t *testing.T, s *store, spec *spec) {
			setSecret("service-account.json", serviceAccount(t, http.StatusBadRequest))(t, s, spec)
		}, source.ReasonInvalidCredentials, "service-account.json"},
		{"Google is down", func(t *testing.T, s *store, spec *spec) {
			setSecret("service-account.json", serviceAccount(t, http.StatusServiceUnavailable))(t, s, spec)
		}, source.ReasonUnreachable, "cannot be reached"},
		{"Google is asked too often", func(t *testing.T, s *store, spec *spec) {
			setSecret("service-account.json", serviceAccount(t, http.StatusTooManyRequests))(t, s, spec)
		}, source.ReasonUnreachable, "cannot be reached"},
		{"credentials that run a program", setSecret("service-account.json",
			`{"type": "external_account", "credential_source": {"executable": {"command": "touch canary"}}}`),
			source.ReasonInvalidCredentials, "not the key of a service account"},
	} {
		test.check(t, s)
	}
}

func TestFailuresOfAzure(t *testing.T) {
	s := newAzureStore(t)
	s.fill(t, "intents.jsonl", "a1\n")
	for _, test := range []failure{
		// Azure itself says AuthenticationFailed, azurite the AuthorizationFailure of one who may not.
		{"a wrong key", setSecret("AZURE_STORAGE_CONNECTION_STRING",
			strings.Replace(s.secret["AZURE_STORAGE_CONNECTION_STRING"], objectservers.AzureKey, "Y2FuYXJ5", 1)),
			source.ReasonAccessDenied, "Secret storage"},
		{"text that is no connection string", setSecret("AZURE_STORAGE_CONNECTION_STRING", "canary"),
			source.ReasonInvalidCredentials, "not a connection string"},
	} {
		test.check(t, s)
	}
}

func TestLimits(t *testing.T) {
	everywhere(t, func(t *testing.T, s *store) {
		s.fill(t, "intents/a.jsonl", "12345")
		s.fill(t, "intents/b.jsonl", "12345")
		for _, test := range []struct {
			reason     string
			maxBytes   int64
			maxObjects int
			allowed    bool
		}{
			{"just within both", 10, 2, true},
			{"a byte too much in all", 9, 2, false},
			{"one object too many", 10, 1, false},
		} {
			options := s.options()
			options.MaxBytes, options.MaxObjects = test.maxBytes, test.maxObjects
			_, err := s.try(t.Context(), s.spec("intents/"), options)
			failed, _ := errors.AsType[*source.Error](err)
			if test.allowed && err != nil || !test.allowed && (failed == nil || failed.Reason != source.ReasonTooLarge) {
				t.Errorf("%s: got %v", test.reason, err)
			}
		}
	})
}

func TestCancelledContext(t *testing.T) {
	everywhere(t, func(t *testing.T, s *store) {
		s.fill(t, "intents.jsonl", "a1\n")
		resolved := s.resolve(t, "intents.jsonl")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.try(ctx, s.spec("intents.jsonl"), s.options()); !errors.Is(err, context.Canceled) {
			t.Errorf("resolving: got %v", err)
		}
		if _, err := read(ctx, resolved); !errors.Is(err, context.Canceled) {
			t.Errorf("reading: got %v", err)
		}
	})
}
