package factory

import (
	"context"
	"log/slog"
	"path/filepath"

	"github.com/classifier-factory/classifier-factory/internal/factory/basemodels"
)

// cacheName is the file of vectors in the directory. It is in no backup, for what it has can
// be asked again.
const cacheName = "embeddings.sqlite"

// DefaultCacheBytes are some 250 000 vectors of 1024 numbers.
const DefaultCacheBytes = 1 << 30

// Encoders are what base models with an encoder need beside their flags.
type Encoders struct {
	Models     map[string]string // by the base model's name: what the encoder's server calls it; default: as it
	KeyFiles   map[string]string // by the base model's name: the file with the encoder's API key; default: none
	CacheBytes int64             // of vectors that are kept; default: DefaultCacheBytes
}

// in keeps the vectors in a factory's directory.
func (e Encoders) in(directory string) basemodels.Encoders {
	if e.CacheBytes == 0 {
		e.CacheBytes = DefaultCacheBytes
	}
	return basemodels.Encoders{
		Models:     e.Models,
		KeyFiles:   e.KeyFiles,
		CacheFile:  filepath.Join(directory, cacheName),
		CacheBytes: e.CacheBytes,
	}
}

// greetEncoders asks encoders what they are, so that cards say it, and that whoever starts
// a factory learns early what is wrong with an address or a key.
func (f *foundation) greetEncoders(ctx context.Context) {
	for i := range f.baseModels {
		base := &f.baseModels[i]
		if base.Encoder == nil {
			continue
		}
		logger := f.config.Logger.With(slog.String("base_model", base.Name))
		if err := base.Greet(ctx); err != nil && ctx.Err() == nil {
			logger.WarnContext(ctx, "the base model's encoder cannot be used yet", slog.Any("error", err))
		} else if err == nil {
			logger.InfoContext(ctx, "the base model's encoder answers", slog.Int("dimension", base.Dimension()))
		}
	}
}
