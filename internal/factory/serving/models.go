// Package serving answers with trained models: it knows which there are, keeps the
// last used in memory, and writes what they say of texts. It trains none, and knows no
// HTTP.
package serving

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/classifier-factory/classifier-factory/internal/factory/basemodels"
	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// Models are those that are classified with: what is known of them, and the
// last used in memory.
type Models struct {
	index      *modelIndex
	cache      *modelCache
	baseModels basemodels.Models
	classified prometheus.Counter
}

// NewModels keeps up to capacity bytes of model files in memory.
func NewModels(stored *store.Store, blobs blob.Store, baseModels basemodels.Models, capacity int64, clock func() time.Time, registry prometheus.Registerer) *Models {
	m := &Models{
		index: newModelIndex(stored.ServedModel, clock),
		cache: newModelCache(blobs, capacity),

		baseModels: baseModels,
		classified: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "classifier_factory_classified_inputs_total",
			Help: "How many texts and conversations were classified.",
		}),
	}
	stored.OnModelChange(func(_, id string) { m.Forget(id) })
	registry.MustRegister(m.classified, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "classifier_factory_loaded_model_bytes",
		Help: "How many bytes of model files are in memory.",
	}, func() float64 { return float64(m.cache.loaded()) }))
	return m
}

// Find knows a tenant's model, or returns store.ErrNotFound.
func (m *Models) Find(ctx context.Context, tenant, id string) (store.ServedModel, error) {
	return m.index.find(ctx, tenant, id)
}

// Forget is called when a model may have changed, here before anybody is told. It is forgotten
// for all tenants: several have one that is inherited.
func (m *Models) Forget(id string) {
	m.index.forget(func(known string) bool { return known == id })
}

// ForgetAll is called when any model may have changed in another process.
func (m *Models) ForgetAll() { m.index.forget(func(string) bool { return true }) }
