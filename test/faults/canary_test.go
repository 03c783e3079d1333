package faults

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"go.uber.org/zap/zapcore"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// cage is a world in which secrets are looked for wherever they must not be.
type cage struct {
	*world
	log     lockedBuffer
	metrics *prometheus.Registry
	// wandb and storage are secrets beside the world's API key.
	wandb, storage string
	echoed         atomic.Int64 // requests that were sent back
}

// lockedBuffer can be written to and read at a time.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func newCage(t *testing.T) *cage {
	t.Helper()
	c := &cage{world: newWorld(t), metrics: prometheus.NewRegistry(), wandb: newSecret() + rand.Text(), storage: newSecret() + "+/&<"}
	c.registerer = c.metrics
	c.logger = zap.New(zap.WriteTo(&c.log), zap.Level(zapcore.Level(-100)))
	c.Create(&corev1.Secret{
		ObjectMeta: c.ObjectMeta("wandb"),
		StringData: map[string]string{"api-key": c.wandb},
	})
	c.Create(&corev1.Secret{
		ObjectMeta: c.ObjectMeta("storage"),
		StringData: map[string]string{"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": c.storage},
	})
	return c
}

// newSecret looks like a key, and so like a code that a client may show.
func newSecret() string { return "canary" + rand.Text() }

// observedJob is a job that sends the key of Weights & Biases, too.
func (c *cage) observedJob() *classifierv1alpha1.ClassifierTrainingJob {
	job := c.trainingJob("job", "data")
	job.Spec.Training.WeightsAndBiases = &classifierv1alpha1.WeightsAndBiases{
		Project:         "project",
		APIKeySecretRef: classifierv1alpha1.SecretKeyReference{Name: "wandb", Key: "api-key"},
	}
	return job
}

// setConnection spoils the connection's Secret.
func (c *cage) setConnection(uri, key string) {
	c.Helper()
	secret := c.connection()
	c.Edit(secret, func() { secret.Data = map[string][]byte{"uri": []byte(uri), "api-key": []byte(key)} })
}

// storedDataset is a dataset of samples in object storage, for which the Secret is.
func (c *cage) storedDataset(endpoint string) *classifierv1alpha1.ClassifierDataset {
	secret := &corev1.Secret{ObjectMeta: c.ObjectMeta("storage")}
	c.Edit(secret, func() { secret.Data["AWS_ENDPOINT_URL"] = []byte(endpoint) })
	dataset := c.dataset("data")
	dataset.Spec.Source = classifierv1alpha1.DatasetSource{ObjectStorage: &classifierv1alpha1.ObjectStorageSource{
		URL: "s3://bucket/key", Endpoint: endpoint, Region: "us-east-1",
		CredentialsSecretRef: &classifierv1alpha1.SecretReference{Name: "storage"},
	}}
	return dataset
}

// fails lets a dataset fail, and looks for secrets then.
func (c *cage) fails(dataset *classifierv1alpha1.ClassifierDataset) {
	c.Helper()
	c.provoke(dataset, "a condition", func() bool {
		c.Get(dataset.Name, dataset)
		return len(dataset.Status.Conditions) > 0
	})
}

// provoke lets an operator work until something happened and a little longer, for
// what comes of it, and looks for secrets then.
func (c *cage) provoke(dataset *classifierv1alpha1.ClassifierDataset, what string, happened func() bool) {
	c.Helper()
	c.Create(dataset)
	c.Create(c.observedJob())
	c.startOperator()
	c.Eventually("waiting for "+what, func() error {
		if !happened() {
			return errors.New("it did not come")
		}
		return nil
	})
	time.Sleep(500 * time.Millisecond)
	if err := c.leak(); err != nil {
		c.Error(err)
	}
}

// echo makes the factory send requests back instead of doing what they ask for.
func (c *cage) echo(route string, status int) {
	real := c.proxy.real
	c.proxy.real = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, route) {
			c.repeat(w, r, status)
			return
		}
		real.ServeHTTP(w, r)
	})
}

// repeat answers with the request itself, and with its secrets wherever a client
// may look for a word of the server.
func (c *cage) repeat(w http.ResponseWriter, r *http.Request, status int) {
	request, _ := httputil.DumpRequest(r, true)
	words := c.received(string(request))
	said := words[c.echoed.Add(1)%int64(len(words))]
	w.Header().Set("Content-Type", "application/json")
	for _, header := range []string{"Retry-After", "Location", "X-Request-Id", "WWW-Authenticate"} {
		w.Header().Set(header, said)
	}
	coded := map[string]any{"code": said, "type": said, "message": string(request)}
	answer, _ := json.Marshal(map[string]any{
		"code": said, "type": said, "message": string(request), "error": coded,
		"detail": []any{map[string]any{"type": said, "loc": []string{"body"}, "msg": said, "input": string(request)}},
	})
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

// received are the secrets that a request brought, and parts of them.
func (c *cage) received(request string) []string {
	var secrets []string
	for _, secret := range c.secrets() {
		if strings.Contains(request, secret) {
			secrets = append(secrets, secret, secret[:len(secret)-1])
		}
	}
	return append(secrets, "a word")
}

// publish lets an operator publish a model with its key, and looks for secrets then.
func (c *cage) publish() {
	c.Helper()
	job := c.observedJob()
	c.Create(c.dataset("data"))
	c.Create(job)
	c.startOperator()
	c.waitUntil(job, classifierv1alpha1.ConditionReady)
	if err := c.leak(); err != nil {
		c.Error(err)
	}
}

// leak looks through all that people and programs get to see.
func (c *cage) leak() error {
	c.Helper()
	for place, content := range map[string]string{
		"a status": c.statuses(),
		"an event": c.listed(&corev1.EventList{}),
		"the log":  c.log.String(),
		"a metric": c.scrape(),
	} {
		for name, secret := range c.secrets() {
			if form := findSecret(content, secret); form != "" {
				return fmt.Errorf("%s is in %s, %s", name, place, form)
			}
		}
	}
	return nil
}

// secrets are what must be nowhere, by what they are.
func (c *cage) secrets() map[string]string {
	secrets := map[string]string{"the API key": c.apiKey, "the key of Weights & Biases": c.wandb, "the storage's key": c.storage}
	for i, minted := range c.proxy.mintedKeys() {
		secrets[fmt.Sprintf("minted key %d", i)] = minted
	}
	return secrets
}

func (c *cage) statuses() string {
	c.Helper()
	return c.listed(&classifierv1alpha1.ClassifierDatasetList{}) + c.listed(&classifierv1alpha1.ClassifierTrainingJobList{})
}

func (c *cage) listed(list client.ObjectList) string {
	c.Helper()
	c.List(list)
	encoded, err := json.Marshal(list)
	if err != nil {
		c.Fatal(err)
	}
	return string(encoded)
}

func (c *cage) scrape() string {
	c.Helper()
	families, err := prometheus.Gatherers{c.metrics, ctrlmetrics.Registry}.Gather()
	if err != nil {
		c.Fatal(err)
	}
	var text bytes.Buffer
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			c.Fatal(err)
		}
	}
	return text.String()
}

// findSecret says in which form a secret, or most of it, is in a text.
func findSecret(text, secret string) string {
	secret = secret[:len(secret)-1]
	for form, encoded := range encodings(secret) {
		if strings.Contains(text, encoded) {
			return form
		}
	}
	return ""
}

func encodings(secret string) map[string]string {
	quoted, _ := json.Marshal(secret)
	forms := map[string]string{
		"as it is":         secret,
		"percent-encoded":  url.QueryEscape(secret),
		"escaped for JSON": strings.Trim(string(quoted), `"`),
		"in hexadecimal":   hex.EncodeToString([]byte(secret)),
	}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for shift := range 3 {
			// What stands before and after the secret has no part in these characters.
			encoded := encoding.EncodeToString([]byte(strings.Repeat(" ", shift) + secret))
			forms[fmt.Sprintf("in base64, shifted by %d", shift)] = encoded[4 : len(encoded)-len(encoded)%4-4]
		}
	}
	return forms
}

// TestCanary lets random keys through every path that fails, and looks for them in
// every status, event, line of the log and metric.
func TestCanary(t *testing.T) {
	t.Parallel()
	t.Run("the check can fail", func(t *testing.T) {
		t.Parallel()
		for place, plant := range map[string]func(c *cage, leak string){
			"a status": func(c *cage, leak string) {
				dataset := c.dataset("data")
				c.Create(dataset)
				dataset.Status.LastHandledReconcileAt = leak
				if err := cluster.Admin.Status().Update(c.ctx, dataset); err != nil {
					c.Fatal(err)
				}
			},
			"an event": func(c *cage, leak string) {
				c.Create(&corev1.Event{
					ObjectMeta:     c.ObjectMeta("event"),
					InvolvedObject: corev1.ObjectReference{Namespace: c.Namespace.Name},
					Message:        leak,
				})
			},
			"the log": func(c *cage, leak string) { c.logger.V(9).Info("a line", "key", leak) },
			"a metric": func(c *cage, leak string) {
				c.metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "leak", ConstLabels: prometheus.Labels{"key": leak}}, func() float64 { return 1 }))
			},
		} {
			c := newCage(t)
			if err := c.leak(); err != nil {
				t.Error(err)
			}
			plant(c, "Basic "+base64.StdEncoding.EncodeToString([]byte("user:"+c.apiKey)))
			if err := c.leak(); err == nil || !strings.Contains(err.Error(), place) {
				t.Errorf("a key in %s is not found: %v", place, err)
			}
		}
	})
	for _, kind := range kindsOfRemote {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			c := newCage(t)
			c.judge = script{{to: remote, first: 2, last: 12, fault: fault{kind: kind, pick: 3}}}.judge
			c.provoke(c.dataset("data"), "calls", func() bool { return c.made(remote) >= 4 })
		})
	}
	for name, route := range map[string]string{"files": "/v1/files", "jobs": "/v1/fine_tuning/jobs"} {
		for _, status := range []int{200, 302, 400, 401, 402, 403, 404, 408, 409, 410, 413, 418, 422, 429, 500, 503} {
			t.Run(fmt.Sprintf("%s echo with %d", name, status), func(t *testing.T) {
				t.Parallel()
				c := newCage(t)
				c.echo(route, status)
				c.provoke(c.dataset("data"), "an echo", func() bool { return c.echoed.Load() > 0 })
			})
		}
	}
	for _, status := range []int{200, 302, 401, 403, 404, 422, 500} {
		t.Run(fmt.Sprintf("models echo with %d", status), func(t *testing.T) {
			t.Parallel()
			c := newCage(t)
			c.echo("/v1/models", status)
			job := c.observedJob()
			c.Create(c.dataset("data"))
			c.Create(job)
			c.startOperator()
			c.waitUntil(job, classifierv1alpha1.ConditionReady)
			c.askForALook(job)
			c.Await(job, "an echo", func() bool { return c.echoed.Load() > 0 && job.Status.LastHandledReconcileAt != "" })
			if err := c.leak(); err != nil {
				t.Error(err)
			}
		})
	}
	// What the factory makes is repeated wherever a client may look for a word of it.
	for _, kind := range []kind{loseAnswer, hang, failAfter, truncate, breakAnswer, nullField, missingField, crashAfter} {
		t.Run(fmt.Sprintf("minting, %s", kind), func(t *testing.T) {
			t.Parallel()
			c := newCage(t)
			c.judge = func(made call) fault {
				if made.String() == "factory POST /v1/keys" && made.repeat <= 2 {
					return fault{kind: kind, pick: 3} // the field is the key
				}
				return fault{}
			}
			c.publish()
			if minted := c.proxy.mintedKeys(); len(minted) < 2 {
				t.Errorf("%d keys were minted, want those that were lost, too", len(minted))
			}
		})
	}
	for _, status := range []int{200, 401, 403, 404, 422, 429, 500} {
		t.Run(fmt.Sprintf("keys echo with %d", status), func(t *testing.T) {
			t.Parallel()
			c := newCage(t)
			c.publish()
			secret := &corev1.Secret{ObjectMeta: c.ObjectMeta("job")}
			c.echo("/v1/keys", status)
			c.Delete(secret)
			c.askForALook(&classifierv1alpha1.ClassifierTrainingJob{ObjectMeta: c.ObjectMeta("job")})
			c.Eventually("waiting for an echo", func() error {
				if c.echoed.Load() == 0 {
					return errors.New("it did not come")
				}
				return nil
			})
			if err := c.leak(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("another tenant's key", func(t *testing.T) {
		t.Parallel()
		c := newCage(t)
		cluster.Monitor.Forbid(c.strangersKey)
		job := c.observedJob()
		job.Spec.Suspend = new(true)
		c.Create(c.dataset("data"))
		c.Create(job)
		c.startOperator()
		c.waitForState(job, "VALIDATED")
		c.setConnection(c.url, c.strangersKey)
		c.askForALook(job)
		c.waitForReason(job, classifierv1alpha1.ReasonRemoteJobMissing)
		if err := c.leak(); err != nil {
			t.Error(err)
		}
	})
	for _, uri := range []string{
		"http://user:%s@127.0.0.1:1", "http://%s@127.0.0.1:1", "http://127.0.0.1:1/?key=%s", "http://127.0.0.1:1/#%s",
		"%s://127.0.0.1:1", "http://[%s", "http://127.0.0.1:%s", "http://127.0.0.1:1/\x01%s", "http://%s.invalid", "http://127.0.0.1:1/%s",
	} {
		t.Run(fmt.Sprintf("uri %q", uri), func(t *testing.T) {
			t.Parallel()
			c := newCage(t)
			c.setConnection(fmt.Sprintf(uri, c.apiKey), "key")
			c.fails(c.dataset("data"))
		})
	}
	for _, key := range []string{"%s\n", "%s\r\nX-Injected: 1", "%s\x00", "%sé", " %s", "%s " + strings.Repeat("x", 10000)} {
		t.Run(fmt.Sprintf("api-key %.30q", key), func(t *testing.T) {
			t.Parallel()
			c := newCage(t)
			c.setConnection(c.url, fmt.Sprintf(key, c.apiKey))
			c.fails(c.dataset("data"))
		})
	}
	for _, status := range []int{200, 301, 400, 401, 403, 404, 500, 503} {
		t.Run(fmt.Sprintf("storage echo with %d", status), func(t *testing.T) {
			t.Parallel()
			c := newCage(t)
			storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.repeat(w, r, status) }))
			t.Cleanup(storage.Close)
			c.fails(c.storedDataset(storage.URL))
		})
	}
}
