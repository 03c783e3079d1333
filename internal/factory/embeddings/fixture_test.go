package embeddings

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/embeddings/embeddingstest"
)

func TestMain(m *testing.M) {
	if file := os.Getenv(cachingChild); file != "" {
		cacheForEver(file)
	}
	os.Exit(m.Run())
}

// brief is a patience for tests in which servers fail.
var brief = Patience{Tries: 4, Time: 10 * time.Second}

func open(t testing.TB, options Options, cache *Cache) *Encoder {
	t.Helper()
	if options.BaseModel == "" {
		options.BaseModel = "sentences"
	}
	e, err := New(options, cache)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func represented(t testing.TB, e *Encoder) *Representation {
	t.Helper()
	r, err := e.Representation(t.Context(), brief)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func cacheFile(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "vectors")
}

const plenty = 1 << 30

// sentences are different ones.
func sentences(count int) []string {
	texts := make([]string, count)
	for i := range texts {
		texts[i] = fmt.Sprintf("parcel number %d is late", i)
	}
	return texts
}

// check compares vectors with those of the server.
func check(t testing.TB, server *embeddingstest.Server, texts []string, values []float32) {
	t.Helper()
	dimension := len(values) / len(texts)
	for i, text := range texts {
		if !similar(values[i*dimension:(i+1)*dimension], server.Vector(text)) {
			t.Fatalf("text %d has another vector than the server's", i)
		}
	}
}
