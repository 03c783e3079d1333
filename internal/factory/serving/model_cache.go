package serving

import (
	"bufio"
	"container/list"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
)

// modelCache keeps the models that were used last in memory. Its keys are
// digests, so that what it has is never out of date.
type modelCache struct {
	blobs    blob.Store
	capacity int64 // bytes of model files; the model that was used last has room anyway

	mutex   sync.Mutex
	size    int64
	entries map[string]*list.Element
	recent  list.List // of *cachedModel, the last used first
}

type cachedModel struct {
	digest string
	size   int64                        // 0 until it is loaded
	load   func() (*loadedModel, error) // reads the file once, however many wait for it
}

// loadedModel is a model in memory, with what is the same in all of its answers.
type loadedModel struct {
	*classifier.Model
	answers     []targetAnswer
	resultBytes int // the most that a result can have
}

// isMultiClass tells whether a target's scores are not the probabilities of its labels.
func (m *loadedModel) isMultiClass() bool {
	return slices.ContainsFunc(m.answers, func(a targetAnswer) bool { return a.thresholds != "" })
}

func newLoadedModel(model *classifier.Model) *loadedModel {
	loaded := &loadedModel{Model: model, answers: newTargetAnswers(model)}
	for _, target := range loaded.answers {
		loaded.resultBytes += target.maxBytes()
	}
	return loaded
}

func newModelCache(blobs blob.Store, capacity int64) *modelCache {
	return &modelCache{blobs: blobs, capacity: capacity, entries: map[string]*list.Element{}}
}

func (c *modelCache) get(digest string) (*loadedModel, error) {
	model, err := c.entry(digest).load()
	if err == nil {
		return model, nil
	}
	if _, lasting := errors.AsType[*classifier.VersionError](err); !lasting {
		c.remove(digest) // the next one tries again
	}
	return nil, fmt.Errorf("load model %s: %w", digest, err)
}

func (c *modelCache) entry(digest string) *cachedModel {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if element, ok := c.entries[digest]; ok {
		c.recent.MoveToFront(element)
		return element.Value.(*cachedModel)
	}
	entry := &cachedModel{digest: digest}
	entry.load = sync.OnceValues(func() (*loadedModel, error) { return c.read(entry) })
	c.entries[digest] = c.recent.PushFront(entry)
	return entry
}

func (c *modelCache) read(entry *cachedModel) (*loadedModel, error) {
	content, err := c.blobs.Open(entry.digest)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	model, err := classifier.ReadModel(bufio.NewReader(content))
	if _, damaged := io.Copy(io.Discard, content); damaged != nil {
		return nil, damaged // which is why, if it could not be read
	}
	if err != nil {
		return nil, err
	}
	info, err := content.Stat()
	if err != nil {
		return nil, err
	}
	c.count(entry, info.Size())
	return newLoadedModel(model), nil
}

// count makes room for a model that was loaded, unless it is forgotten already.
func (c *modelCache) count(entry *cachedModel, size int64) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if element, ok := c.entries[entry.digest]; !ok || element.Value != entry {
		return
	}
	entry.size = size
	c.size += size
	for c.size > c.capacity && c.recent.Len() > 1 {
		c.removeElement(c.recent.Back())
	}
}

func (c *modelCache) remove(digest string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if element, ok := c.entries[digest]; ok {
		c.removeElement(element)
	}
}

func (c *modelCache) removeElement(element *list.Element) {
	removed := element.Value.(*cachedModel)
	c.size -= removed.size
	delete(c.entries, removed.digest)
	c.recent.Remove(element)
}

// loaded is how many bytes of model files are in memory.
func (c *modelCache) loaded() int64 {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.size
}
