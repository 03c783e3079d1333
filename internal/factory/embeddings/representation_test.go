package embeddings

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/embeddings/embeddingstest"
)

func TestVectorsAreThoseOfTheServer(t *testing.T) {
	for _, test := range []struct {
		reason, suffix string
		texts          []string
	}{
		{"one text", "", []string{"where is it"}},
		{"an address with the version", "/v1", []string{"where is it"}},
		{"an address that ends in a slash", "/", []string{"where is it"}},
		{"more than a server takes at once", "", sentences(100)},
		{"the same text again", "", []string{"a cat", "a dog", "a cat"}},
		{"more bytes than are sent at once", "", []string{strings.Repeat("long ", 1600), strings.Repeat("text ", 1600), strings.Repeat("cat dog ", 1000)}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			server := embeddingstest.Start(t)
			server.Require("the-key", "minilm")
			key := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(key, []byte("the-key\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			r := represented(t, open(t, Options{URL: server.URL + test.suffix, Model: "minilm", KeyFile: key}, NewCache("", 0)))
			values, err := r.Represent(t.Context(), test.texts)
			if err != nil || len(values) != len(test.texts)*r.Dimension() {
				t.Fatalf("%d numbers, %v", len(values), err)
			}
			check(t, server, test.texts, values)
		})
	}
}

func TestNothingIsAskedOfEmptyTexts(t *testing.T) {
	server := embeddingstest.Start(t)
	r := represented(t, open(t, Options{URL: server.URL}, NewCache("", 0)))
	server.Requests.Store(0)
	values, err := r.Represent(t.Context(), []string{"", " \n"})
	if err != nil || server.Requests.Load() > 0 || slices.ContainsFunc(values, func(value float32) bool { return value != 0 }) {
		t.Errorf("%v, %d requests, vectors %v", err, server.Requests.Load(), values)
	}
}

// TestServersThatFailForAWhile are asked again.
func TestServersThatFailForAWhile(t *testing.T) {
	for _, test := range []struct {
		reason string
		fail   func(w http.ResponseWriter)
	}{
		{"it is busy and says for how long", func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "0")
			embeddingstest.Refuse(w, http.StatusTooManyRequests)
		}},
		{"it is busy", func(w http.ResponseWriter) { embeddingstest.Refuse(w, http.StatusTooManyRequests) }},
		{"it fails", func(w http.ResponseWriter) { embeddingstest.Refuse(w, http.StatusInternalServerError) }},
		{"a proxy does not reach it", func(w http.ResponseWriter) { embeddingstest.Refuse(w, http.StatusBadGateway) }},
		{"it loads its model", func(w http.ResponseWriter) { embeddingstest.Refuse(w, http.StatusServiceUnavailable) }},
		{"the connection breaks", embeddingstest.Drop},
		{"the answer breaks off", func(w http.ResponseWriter) {
			_, _ = w.Write([]byte(`{"object": "list", "data": [{"index": 0, "embedding": [0.1`))
		}},
		{"the answer breaks off before its announced end", func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write([]byte(`{"data": [`))
			embeddingstest.Drop(w)
		}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			server := embeddingstest.Start(t)
			var asked atomic.Int64
			server.Before(func(w http.ResponseWriter, _ *http.Request, _ []string) bool {
				if asked.Add(1)%2 == 1 {
					test.fail(w)
					return true
				}
				return false
			})
			r := represented(t, open(t, Options{URL: server.URL}, NewCache("", 0)))
			values, err := r.Represent(t.Context(), sentences(3))
			if err != nil || asked.Load() != 4 {
				t.Fatalf("%v after %d requests", err, asked.Load())
			}
			check(t, server, sentences(3), values)
		})
	}
}

// TestServersThatAreOfNoUse are given up with a sentence.
func TestServersThatAreOfNoUse(t *testing.T) {
	status := func(status int) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { embeddingstest.Refuse(w, status) }
	}
	for _, test := range []struct {
		reason, want string
		answered     bool
		requests     int64
		fail         func(w http.ResponseWriter)
	}{
		{"the key is not its own", "refused the API key with the status 401", true, 1, status(http.StatusUnauthorized)},
		{"the key may not", "refused the API key with the status 403", true, 1, status(http.StatusForbidden)},
		{"it does not know the model", "status 404", true, 1, status(http.StatusNotFound)},
		{"it moved", "status 302", true, 1, func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://192.0.2.1/")
			w.WriteHeader(http.StatusFound)
		}},
		{"it fails for ever", "status 500", false, 4, status(http.StatusInternalServerError)},
		{"it breaks for ever", "not reached", false, 4, embeddingstest.Drop},
		{"it is busy for longer than anybody waits", "status 429", false, 1, func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "3600")
			embeddingstest.Refuse(w, http.StatusTooManyRequests)
		}},
		{"it is something else", "no JSON", true, 1, func(w http.ResponseWriter) { _, _ = w.Write([]byte("<html>SECRET OF THE ENCODER</html>")) }},
		{"it never ends", "larger than any", true, 1, func(w http.ResponseWriter) { neverEnd(w, `{"data": [`, " ") }},
		{"a text never ends", "larger than any", true, 1, func(w http.ResponseWriter) { neverEnd(w, `{"model": "`, "SECRET") }},
		{"its vectors are zero", "zero", true, 1, func(w http.ResponseWriter) {
			_, _ = w.Write([]byte(`{"data": [{"index":0,"embedding":[0]},{"index":1,"embedding":[0]},{"index":2,"embedding":[0]},{"index":3,"embedding":[0]}]}`))
		}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			server := embeddingstest.Start(t)
			server.Before(func(w http.ResponseWriter, _ *http.Request, _ []string) bool {
				test.fail(w)
				return true
			})
			_, err := open(t, Options{URL: server.URL}, NewCache("", 0)).Representation(t.Context(), brief)
			failure, ok := errors.AsType[*Error](err)
			if !ok || !strings.Contains(err.Error(), test.want) || failure.Answered != test.answered || server.Requests.Load() != test.requests {
				t.Errorf("%v (answered: %v) after %d requests", err, failure != nil && failure.Answered, server.Requests.Load())
			}
			if strings.Contains(err.Error(), "SECRET") {
				t.Errorf("%v shows what was answered", err)
			}
		})
	}
}

// neverEnd writes until nobody reads.
func neverEnd(w http.ResponseWriter, start, rest string) {
	_, err := io.WriteString(w, start)
	for rest := strings.Repeat(rest, 1000); err == nil; {
		_, err = io.WriteString(w, rest)
	}
}

// TestMemoryIsBounded while many ask a server that never ends what it says.
func TestMemoryIsBounded(t *testing.T) {
	server := embeddingstest.Start(t)
	r := represented(t, open(t, Options{URL: server.URL}, NewCache("", 0)))
	server.Before(func(w http.ResponseWriter, _ *http.Request, _ []string) bool {
		neverEnd(w, `{"object": "`, "endless")
		return true
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if _, err := r.Represent(t.Context(), sentences(4)); err == nil || !strings.Contains(err.Error(), "larger than any") {
				t.Errorf("%v", err)
			}
		})
	}
	group.Wait()
	runtime.ReadMemStats(&after)
	if taken := after.HeapSys - min(before.HeapSys, after.HeapSys); taken > 2*MemoryBytes {
		t.Errorf("the heap grew by %d MiB", taken>>20)
	} else {
		t.Logf("the heap grew by %d MiB", taken>>20)
	}
}

func TestASlowServerIsGivenUp(t *testing.T) {
	server := embeddingstest.Start(t)
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	server.Before(func(_ http.ResponseWriter, r *http.Request, _ []string) bool {
		select {
		case <-r.Context().Done():
		case <-done:
		}
		return true
	})
	e := open(t, Options{URL: server.URL}, NewCache("", 0))
	if _, err := e.Representation(t.Context(), Patience{Tries: 4, Time: 50 * time.Millisecond}); err == nil || !strings.Contains(err.Error(), "too slow") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Representation(ctx, brief); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, although nobody waits any longer", err)
	}
}

// TestServersThatTakeLess are sent fewer and shorter texts.
func TestServersThatTakeLess(t *testing.T) {
	for _, test := range []struct {
		reason string
		status int
		tooBig func(texts []string) bool
		texts  []string
	}{
		{"five texts at once", http.StatusRequestEntityTooLarge, func(texts []string) bool { return len(texts) > 5 }, sentences(40)},
		{"texts of 300 bytes", http.StatusUnprocessableEntity, func(texts []string) bool {
			return slices.ContainsFunc(texts, func(text string) bool { return len(text) > 300 })
		}, append(sentences(5), strings.Repeat("é word ", 1000))},
	} {
		t.Run(test.reason, func(t *testing.T) {
			server := embeddingstest.Start(t)
			server.Before(func(w http.ResponseWriter, _ *http.Request, texts []string) bool {
				if test.tooBig(texts) {
					embeddingstest.Refuse(w, test.status)
					return true
				}
				return false
			})
			r := represented(t, open(t, Options{URL: server.URL}, NewCache("", 0)))
			values, err := r.Represent(t.Context(), test.texts)
			if err != nil {
				t.Fatal(err)
			}
			check(t, server, test.texts[:5], values[:5*r.Dimension()])
			if square(values[len(values)-r.Dimension():]) == 0 {
				t.Error("the last text has no vector")
			}
		})
	}
}

// TestServersThatRefuseEverything are not asked about every text by itself.
func TestServersThatRefuseEverything(t *testing.T) {
	server := embeddingstest.Start(t)
	r := represented(t, open(t, Options{URL: server.URL}, NewCache("", 0)))
	server.Requests.Store(0)
	server.Before(func(w http.ResponseWriter, _ *http.Request, _ []string) bool {
		embeddingstest.Refuse(w, http.StatusBadRequest)
		return true
	})
	_, err := r.Represent(t.Context(), []string{strings.Repeat("long ", 2000), "short"})
	if err == nil || !strings.Contains(err.Error(), "status 400") || server.Requests.Load() > 10 {
		t.Errorf("%v after %d requests", err, server.Requests.Load())
	}
}

func TestChangedEncodersAreNoticed(t *testing.T) {
	for _, test := range []struct {
		reason    string
		dimension int
		seed      uint64
	}{
		{"another dimension", 32, 0},
		{"other vectors", 64, 1},
	} {
		t.Run(test.reason, func(t *testing.T) {
			server := embeddingstest.Start(t)
			cache := NewCache(cacheFile(t), plenty)
			e := open(t, Options{URL: server.URL}, cache)
			before := represented(t, e)
			known, err := before.Represent(t.Context(), sentences(1))
			if err != nil {
				t.Fatal(err)
			}
			server.BecomeAnother(test.dimension, test.seed)
			if _, err := before.Represent(t.Context(), sentences(2)); !errors.As(err, new(*ChangedError)) {
				t.Errorf("what was not asked before: %v", err)
			}
			if again, err := before.Represent(t.Context(), sentences(1)); err != nil || !slices.Equal(again, known) {
				t.Errorf("what was asked before: %v", err)
			}
			after := represented(t, e)
			if after.Dimension() != test.dimension || after.recognises(before.Fingerprint()) || !after.recognises(after.Fingerprint()) {
				t.Errorf("it is not told from what it was")
			}
			values, err := after.Represent(t.Context(), sentences(2))
			if err != nil {
				t.Fatal(err)
			}
			check(t, server, sentences(2), values)
		})
	}
}

// TestLastDigitsTellNothing of whether an encoder is the same.
func TestLastDigitsTellNothing(t *testing.T) {
	server := embeddingstest.Start(t)
	server.AddNoise(0.01)
	file := cacheFile(t)
	first := represented(t, open(t, Options{URL: server.URL}, NewCache(file, plenty)))
	if _, err := first.Represent(t.Context(), sentences(100)); err != nil {
		t.Fatal(err)
	}
	apart := represented(t, open(t, Options{URL: server.URL}, NewCache("", 0)))
	if !apart.recognises(first.Fingerprint()) || apart.Digest() == first.Digest() {
		t.Error("it is not the same to who has no cache")
	}
	if again := represented(t, open(t, Options{URL: server.URL}, NewCache(file, plenty))); again.Digest() != first.Digest() {
		t.Error("it has another digest than before")
	}
}

// TestManyAtOnce is two hundred who ask a server that is slow, breaks and is busy.
func TestManyAtOnce(t *testing.T) {
	server := embeddingstest.Start(t)
	e := open(t, Options{URL: server.URL}, NewCache(cacheFile(t), plenty))
	r, err := e.Representation(t.Context(), Patient)
	if err != nil {
		t.Fatal(err)
	}
	server.Fail(10)
	var group sync.WaitGroup
	for i := range 200 {
		group.Go(func() {
			texts := sentences(100)[i/4 : i/4+20] // others ask about them, too
			values, err := r.Represent(t.Context(), texts)
			if err != nil {
				t.Errorf("%d: %v", i, err)
				return
			}
			check(t, server, texts, values)
		})
	}
	group.Wait()
	// The server still counts those that it has just dropped.
	if most := server.MostAtOnce.Load(); most > 2*requestsAtOnce {
		t.Errorf("%d requests at once", most)
	}
}
