// Package api is the HTTP side of a factory: routes, keys, what a request may say and
// how it is answered, and how much of it is taken at a time. What is asked for is done
// by others.
package api

import (
	"log/slog"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/classifier-factory/classifier-factory/internal/factory/basemodels"
	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/factory/serving"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/factory/training"
)

// Config says what requests are answered with.
type Config struct {
	Store  *store.Store
	Blobs  blob.Store
	Queue  *training.Queue
	Models *serving.Models

	Keys              []Key
	InsecureNoAuth    bool // asks for no key; everybody is the same tenant
	BaseModels        basemodels.Models
	RequestsPerSecond int // of each tenant; 0: no limit
	RequestsUnderWay  int // likewise
	Limits            store.Limits
	FileLifetime      time.Duration // 0: for ever
	SigningKey        []byte        // of URLs
	PublicURL         *url.URL      // where clients find the server; default: as they or their proxies say
	CORSOrigins       []string      // of pages whose scripts may use the server; default: none

	Logger   *slog.Logger
	Clock    func() time.Time
	Registry prometheus.Registerer
	Tracer   trace.Tracer // default: none
}

// Server answers requests.
type Server struct {
	config         Config
	store          *store.Store
	blobs          blob.Store
	queue          *training.Queue
	models         *serving.Models
	logger         *slog.Logger
	now            func() time.Time
	opened         time.Time
	keys           atomic.Pointer[heldKeys]
	storedKeys     *keyCache
	uses           *keyUses
	rates          *rateLimiters
	bodies         *bodyMemory
	bodySlots      *slots
	uploadSlots    *slots
	changeSlots    *slots
	turns          *cpuTurns
	arriving       *arrivingFiles
	underWay       *slots
	requestSeconds *prometheus.HistogramVec
}

// New has a server that answers once its Handler is served.
func New(config Config) *Server {
	s := &Server{
		config:      config,
		store:       config.Store,
		blobs:       config.Blobs,
		queue:       config.Queue,
		models:      config.Models,
		logger:      slog.New(identifying{config.Logger.Handler()}),
		now:         config.Clock,
		opened:      config.Clock(),
		rates:       newRateLimiters(config.RequestsPerSecond),
		uses:        newKeyUses(),
		bodies:      newBodyMemory(),
		bodySlots:   newSlots(bodiesInHand),
		uploadSlots: newSlots(uploadsInHand),
		changeSlots: newSlots(changesInHand),
		turns:       newCPUTurns(),
		arriving:    newArrivingFiles(config.Store, config.Limits),
		underWay:    newSlots(config.RequestsUnderWay),
		requestSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "classifier_factory_http_request_duration_seconds",
			Help: "How long requests took, by route and status code.",
		}, []string{"route", "code"}),
	}
	config.Registry.MustRegister(s.requestSeconds)
	s.storedKeys = newKeyCache(config.Store.KeyOfSecret)
	s.SetKeys(config.Keys)
	return s
}
