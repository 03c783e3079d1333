package factory

import (
	"bufio"
	"container/list"
	"fmt"
	"sync"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
)

// modelCache keeps the models that were used last in memory. Its keys are
// digests, so that what it has is never out of date.
type modelCache struct {
	blobs    *blobs
	capacity int

	mutex   sync.Mutex
	entries map[string]*list.Element
	recent  list.List // of *cachedModel, the last used first
}

type cachedModel struct {
	digest string
	load   func() (*classifier.Model, error) // reads the file once, however many wait for it
}

func newModelCache(blobs *blobs, capacity int) *modelCache {
	return &modelCache{blobs: blobs, capacity: capacity, entries: map[string]*list.Element{}}
}

func (c *modelCache) get(digest string) (*classifier.Model, error) {
	loaded, err := c.entry(digest).load()
	if err != nil {
		c.remove(digest)
		return nil, fmt.Errorf("load model %s: %w", digest, err)
	}
	return loaded, nil
}

func (c *modelCache) entry(digest string) *cachedModel {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if element, ok := c.entries[digest]; ok {
		c.recent.MoveToFront(element)
		return element.Value.(*cachedModel)
	}
	entry := &cachedModel{digest: digest, load: sync.OnceValues(func() (*classifier.Model, error) { return c.read(digest) })}
	c.entries[digest] = c.recent.PushFront(entry)
	if c.recent.Len() > c.capacity {
		c.removeElement(c.recent.Back())
	}
	return entry
}

func (c *modelCache) read(digest string) (*classifier.Model, error) {
	content, err := c.blobs.open(digest)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	return classifier.ReadModel(bufio.NewReader(content))
}

func (c *modelCache) remove(digest string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if element, ok := c.entries[digest]; ok {
		c.removeElement(element)
	}
}

func (c *modelCache) removeElement(element *list.Element) {
	delete(c.entries, element.Value.(*cachedModel).digest)
	c.recent.Remove(element)
}
