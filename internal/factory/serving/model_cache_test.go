package serving

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
)

func TestModelCacheForgetsTheLeastUsed(t *testing.T) {
	blobs, err := blob.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var digests []string
	var sizes []int64
	for _, rows := range []int{20, 22, 24} {
		digest, size := keepModel(t, blobs, rows)
		digests, sizes = append(digests, digest), append(sizes, size)
	}
	size := func(i int) int64 { return sizes[i] }
	cache := newModelCache(blobs, size(0)+max(size(1), size(2)))
	get := func(i int) any {
		loaded, err := cache.get(digests[i])
		if err != nil {
			t.Fatal(err)
		}
		return loaded
	}
	first, second := get(0), get(1)
	get(0)
	get(2)
	if get(0) != first {
		t.Error("the model that was used again was forgotten")
	}
	if get(1) == second {
		t.Error("three models are kept where two have room")
	}
	if _, err := cache.get("none"); err == nil || len(cache.entries) > 2 {
		t.Errorf("get() of an unknown model: %v; %d entries", err, len(cache.entries))
	}
	if cache.size != size(0)+size(1) {
		t.Errorf("%d bytes counted; %d are kept", cache.size, size(0)+size(1))
	}
}

func TestModelOfAnotherVersionIsReadOnce(t *testing.T) {
	directory := t.TempDir()
	blobs, err := blob.Open(directory)
	if err != nil {
		t.Fatal(err)
	}
	digest, _ := keepModel(t, blobs, 20)
	content, err := os.ReadFile(filepath.Join(directory, "blobs", digest))
	if err != nil {
		t.Fatal(err)
	}
	content[len("CFMODEL")]--
	digest = fmt.Sprintf("%x", sha256.Sum256(content))
	if err := os.WriteFile(filepath.Join(directory, "blobs", digest), content, 0o600); err != nil {
		t.Fatal(err)
	}
	cache := newModelCache(blobs, 1)
	for range 2 {
		if _, err := cache.get(digest); err == nil || len(cache.entries) != 1 {
			t.Errorf("get() = %v, %d entries; the file is read again and again", err, len(cache.entries))
		}
	}
}

// keepModel trains a model and keeps its file.
func keepModel(t *testing.T, blobs blob.Store, rows int) (digest string, size int64) {
	t.Helper()
	examples, err := classifier.NewCorpus(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer examples.Close()
	for i := range rows {
		if err := examples.Add(classifier.Example{Text: fmt.Sprint([]string{"lamp ", "song "}[i%2], i), Weight: 1, Labels: [][]int{{i % 2}}}); err != nil {
			t.Fatal(err)
		}
	}
	made, err := classifier.Train(t.Context(), examples, nil, classifier.Options{
		Targets:         []classifier.Target{{Name: "intent", Labels: []string{"light", "music"}, Loss: classifier.SingleClass, Weight: 1}},
		Hyperparameters: classifier.Hyperparameters{Steps: 10, LearningRate: 1e-4, WeightDecay: 0.1, WarmupFraction: 0.05},
		Seed:            1,
	})
	if err != nil {
		t.Fatal(err)
	}
	staged, err := blobs.Stage()
	if err != nil {
		t.Fatal(err)
	}
	defer staged.Discard()
	if _, err := made.Model.WriteTo(staged); err != nil {
		t.Fatal(err)
	}
	if digest, err = staged.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := staged.Name(digest); err != nil {
		t.Fatal(err)
	}
	return digest, staged.Size()
}
