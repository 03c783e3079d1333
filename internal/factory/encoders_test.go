package factory

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/embeddings/embeddingstest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// startWithEncoder has a base model whose encoder asks for a key and a model's name.
func startWithEncoder(t *testing.T) (*server, *embeddingstest.Server) {
	t.Helper()
	encoder := embeddingstest.Start(t)
	encoder.Require("encoder-key", "minilm")
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("encoder-key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return startServer(t, func(c *Config) {
		c.BaseModels = []string{"plain", "sentences=embeddings:" + encoder.URL}
		c.Encoders = Encoders{Models: map[string]string{"sentences": "minilm"}, KeyFiles: map[string]string{"sentences": key}}
	}), encoder
}

func (s *server) metrics() string {
	s.t.Helper()
	recorder := httptest.NewRecorder()
	s.factory.MetricsHandler().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return recorder.Body.String()
}

func classifyBody(model string, texts ...string) string {
	return fmt.Sprintf(`{"model": %q, "input": [%s]}`, model, `"`+strings.Join(texts, `", "`)+`"`)
}

func TestEncoderBaseModel(t *testing.T) {
	s, encoder := startWithEncoder(t)
	model := s.trainFrom("sentences")
	if encoder.Texts.Load() < 6 {
		t.Errorf("%d texts were represented", encoder.Texts.Load())
	}

	_, card := s.request("GET", "/v1/models/sentences", "")
	host := strings.TrimPrefix(encoder.URL, "http://")
	for _, want := range []string{`"kind":"embeddings"`, `"dimension":64`, `"host":"` + host + `"`, "are sent to the encoder at " + host} {
		if !strings.Contains(card, want) {
			t.Errorf("%s, want %s", card, want)
		}
	}
	for _, secret := range []string{"encoder-key", "minilm"} {
		if strings.Contains(card, secret) {
			t.Errorf("the card shows %q: %s", secret, card)
		}
	}

	trained := encoder.Texts.Load()
	if status, body := s.request("POST", "/v1/classifications", classifyBody(model, "switch the lamp on 0", "what is new")); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	if asked := encoder.Texts.Load() - trained; asked != 2 { // with a probe
		t.Errorf("%d texts were asked for, of which the training knew one", asked)
	}
	for _, want := range []string{`classifier_factory_embedded_texts_total{base_model="sentences",source="cache"} 1`, `classifier_factory_embedded_texts_total{base_model="sentences",source="encoder"} 1`} {
		if metrics := s.metrics(); !strings.Contains(metrics, want) {
			t.Errorf("no %s in the metrics", want)
		}
	}

	s.close()
	s.config.BaseModels[1] = "renamed=embeddings:" + encoder.URL
	s.config.Encoders.Models = map[string]string{"renamed": "minilm"}
	s.config.Encoders.KeyFiles = map[string]string{"renamed": s.config.Encoders.KeyFiles["sentences"]}
	s.open()
	if status, body := s.request("POST", "/v1/classifications", classifyBody(model, "chandelier")); status != 200 {
		t.Errorf("under another name: %d %s", status, body)
	}
}

// TestTheSameDataGivesTheSameModel although an encoder's last digits change.
func TestTheSameDataGivesTheSameModel(t *testing.T) {
	s, encoder := startWithEncoder(t)
	encoder.AddNoise(0.001)
	digest := func() string {
		return s.digest(s.trainFrom("sentences"))
	}
	first := digest()
	s.close()
	s.open()
	if second := digest(); second != first {
		t.Errorf("models %s and %s", first, second)
	}
}

func TestEncodersThatFail(t *testing.T) {
	s, encoder := startWithEncoder(t)
	model := s.trainFrom("sentences")
	always := func(fail func(http.ResponseWriter)) {
		encoder.Before(func(w http.ResponseWriter, _ *http.Request, _ []string) bool {
			fail(w)
			return true
		})
	}
	for _, test := range []struct {
		reason string
		before func()
		status int
		want   string
	}{
		{"it fails", func() { always(func(w http.ResponseWriter) { embeddingstest.Refuse(w, 500) }) }, 503, "cannot be asked"},
		{"it breaks", func() { always(embeddingstest.Drop) }, 503, "cannot be asked"},
		{"it refuses the key", func() { always(func(w http.ResponseWriter) { embeddingstest.Refuse(w, 401) }) }, 502, "the server's log"},
		{"it is something else", func() { always(func(w http.ResponseWriter) { _, _ = w.Write([]byte("SECRET OF THE ENCODER")) }) }, 502, "the server's log"},
		{"it is another one", func() { encoder.Before(nil); encoder.BecomeAnother(32, 1) }, 422, "has changed since the model was trained"},
		{"it stays another one", func() {}, 422, "has changed since the model was trained"},
		{"it is what it was", func() { encoder.BecomeAnother(64, 0) }, 200, "scores"},
	} {
		test.before()
		status, body := s.request("POST", "/v1/classifications", classifyBody(model, "text of "+test.reason))
		if status != test.status || !strings.Contains(body, test.want) || strings.Contains(body, "SECRET") {
			t.Errorf("%s: %d %s, want %d and %q", test.reason, status, body, test.status, test.want)
		}
	}
}

func TestJobsWhoseEncoderFails(t *testing.T) {
	s, encoder := startWithEncoder(t)
	s.await(s.create(func(r *mistral.CreateJobRequest) { r.Model, r.AutoStart = "sentences", true }, s.upload("a.jsonl", household())).ID, mistral.JobSuccess)
	for _, test := range []struct {
		reason string
		change func()
		want   string
	}{
		{"while it trains", func() {
			encoder.Before(func(w http.ResponseWriter, _ *http.Request, _ []string) bool {
				embeddingstest.Refuse(w, http.StatusUnauthorized)
				return true
			})
		}, "refused the API key with the status 401"},
		{"before it is validated", func() {
			s.close() // so that nobody knows any longer what the encoder is
			s.open()
		}, "refused the API key with the status 401"},
	} {
		test.change()
		job := s.await(s.create(func(r *mistral.CreateJobRequest) { r.Model, r.AutoStart = "sentences", true }, s.upload("b.jsonl", intents(40))).ID, mistral.JobFailed)
		update := fmt.Sprintf("%+v", job.Events)
		for _, event := range job.Events {
			update += string(event.Data)
		}
		if !strings.Contains(update, "BaseModelUnavailable") || !strings.Contains(update, test.want) || strings.Contains(update, "SECRET") {
			t.Errorf("%s: %s", test.reason, update)
		}
	}
}

// TestWhoWaitsForAnEncoder takes no processor from others, not even of the same tenant.
func TestWhoWaitsForAnEncoder(t *testing.T) {
	s, encoder := startWithEncoder(t)
	plain, model := s.trainFrom("plain"), s.trainFrom("sentences")
	waits, released := make(chan struct{}, 100), make(chan struct{})
	encoder.Before(func(http.ResponseWriter, *http.Request, []string) bool {
		waits <- struct{}{}
		<-released
		return false
	})
	var group sync.WaitGroup
	for i := range 4 * runtime.GOMAXPROCS(0) {
		group.Go(func() {
			if status, body := s.request("POST", "/v1/classifications", classifyBody(model, fmt.Sprint("text ", i))); status != 200 {
				t.Errorf("%d %s", status, body)
			}
		})
	}
	<-waits
	answered := make(chan int, 1)
	go func() {
		status, _ := s.request("POST", "/v1/classifications", classifyBody(plain, "text"))
		answered <- status
	}()
	select {
	case status := <-answered:
		if status != 200 {
			t.Errorf("status %d", status)
		}
	case <-time.After(10 * time.Second):
		t.Error("who needs no encoder waits, too")
	}
	close(released)
	group.Wait()
}

// TestManyClassificationsWithABadEncoder is two hundred at once.
func TestManyClassificationsWithABadEncoder(t *testing.T) {
	s, encoder := startWithEncoder(t)
	model := s.trainFrom("sentences")
	encoder.Fail(8)
	for _, round := range []struct {
		reason  string
		before  func()
		texts   string
		allowed map[int]bool
	}{
		{"it is slow, busy and breaks", func() {}, "first", map[int]bool{200: true, 503: true}},
		{"it is well again", func() { encoder.Before(nil) }, "first", map[int]bool{200: true}},
		{"it changes", func() { encoder.BecomeAnother(48, 0) }, "second", map[int]bool{422: true}},
	} {
		round.before()
		var group sync.WaitGroup
		var statuses sync.Map
		for i := range 200 {
			group.Go(func() {
				status, body := s.request("POST", "/v1/classifications", classifyBody(model, fmt.Sprintf("%s text %d", round.texts, i/2)))
				count, _ := statuses.LoadOrStore(status, new(atomic.Int64))
				count.(*atomic.Int64).Add(1)
				if !round.allowed[status] || strings.Contains(body, "SECRET") {
					t.Errorf("%s: %d %s", round.reason, status, body)
				}
			})
		}
		group.Wait()
		statuses.Range(func(status, count any) bool {
			t.Logf("%s: %d answers with the status %d", round.reason, count.(*atomic.Int64).Load(), status)
			return true
		})
	}
	for line := range strings.Lines(s.metrics()) {
		if strings.HasPrefix(line, "classifier_factory_e") {
			t.Log(strings.TrimSpace(line))
		}
	}
}
