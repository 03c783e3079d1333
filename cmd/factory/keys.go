package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/api"
)

// keyInterval is how often the file of keys is read. Reading finds every kind of
// change; the links of a mounted Secret escape what watches files.
const keyInterval = 2 * time.Second

// keySource is where API keys come from. Either may be empty.
type keySource struct {
	path    string // of a file with hashes
	plain   string // a key of the default tenant
	counted bool   // the file has said how many keys it has
}

func (s *keySource) read() ([]api.Key, error) {
	var keys []api.Key
	if s.path != "" {
		content, err := os.ReadFile(s.path)
		if err != nil {
			return nil, fmt.Errorf("API keys: %w", err)
		}
		if keys, err = s.parse(content); err != nil {
			return nil, fmt.Errorf("API keys: %s: %w", s.path, err)
		}
	}
	if plain := strings.TrimSpace(s.plain); plain != "" {
		keys = append(keys, api.NewKey(api.DefaultTenant, plain))
	}
	return keys, nil
}

// parse refuses a file that no longer says how many keys it has: its end is missing.
func (s *keySource) parse(content []byte) ([]api.Key, error) {
	keys, err := api.ReadKeys(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	counted := api.HasKeyCount(content)
	if s.counted && !counted {
		return nil, errors.New("the line that says how many keys there are is missing, so that the file may not be whole; the factory must be restarted to do without it")
	}
	s.counted = counted
	return keys, nil
}

// watch passes changed keys on until the context ends. While the file cannot be
// read or is not whole, the keys stay.
func (s *keySource) watch(ctx context.Context, known []api.Key, changed func([]api.Key), logger *slog.Logger) {
	if s.path == "" {
		return
	}
	ticker := time.NewTicker(keyInterval)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		keys, err := s.read()
		if err != nil && !failing {
			logger.Error("the API keys stay as they were", slog.Any("error", err))
		}
		if failing = err != nil; failing || slices.Equal(keys, known) {
			continue
		}
		known = keys
		changed(keys)
		logger.Info("API keys changed", slog.Int("keys", len(keys)))
	}
}
