// Package connection holds one Connection for each factory, key and namespace: the
// client, what lists told, and the watching of jobs, shared by everything in the
// namespace that talks to that factory with that key. The budget of calls and the pause
// after a failure are one for all namespaces of a factory and key. It knows nothing of
// Kubernetes, and decides about no object.
package connection

import (
	"context"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"k8s.io/utils/clock"

	"github.com/classifier-factory/classifier-factory/internal/dial"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/internal/turns"
)

// maxIdleTime is how long a connection is kept that is not asked for and watches
// no job: longer than it pauses by itself, so that a pause is not forgotten.
const maxIdleTime = 20 * time.Minute

// maxSuspects is how many calls may wait for answers of factories whose last call
// failed, a quarter of the operator's workers, and maxNamespaceSuspects how many of them
// of one namespace, which keeps workers for its other factories.
const (
	maxSuspects          = 32
	maxNamespaceSuspects = 3
)

// Options are what all connections of a pool have in common.
type Options struct {
	Clock     clock.WithTickerAndDelayedExecution
	UserAgent string
	// CallsPerSecond and CallBurst are the budget of each factory and key: how many calls
	// there are in the long run, and how many at once after a rest.
	CallsPerSecond float64
	CallBurst      int
	// MinPollInterval is how soon jobs are looked at again after one changed. It
	// grows to MaxPollInterval while none does.
	MinPollInterval time.Duration
	MaxPollInterval time.Duration
	// PrivateHosts may be at private and loopback addresses; see dial.Public.
	PrivateHosts []string
	// Registerer gets the metrics. Nil: nobody sees them.
	Registerer prometheus.Registerer
	// Tracer makes a span of each call. Nil: none is made.
	Tracer trace.Tracer
}

// DefaultOptions suit a factory in the same cluster: it answers within milliseconds;
// a training of seconds is followed closely, one of hours costs two calls a minute.
func DefaultOptions() Options {
	return Options{
		Clock:           clock.RealClock{},
		UserAgent:       "classifier-factory-operator",
		CallsPerSecond:  200,
		CallBurst:       200,
		MinPollInterval: 500 * time.Millisecond,
		MaxPollInterval: 30 * time.Second,
	}
}

// Pool hands out connections. The zero Pool is not usable; see NewPool.
type Pool struct {
	ctx      context.Context
	options  Options
	http     *http.Client
	metrics  *metrics
	suspects *turns.Line

	mu          sync.Mutex
	connections map[tenancy]*Connection
	gates       map[endpoint]*gate // of the connections
	connected   int                // ever
}

// tenancy tells connections apart: to a factory that knows namespaces each is a tenant,
// to whom lists and IDs mean what they mean to no other.
type tenancy struct {
	endpoint
	namespace string
}

// endpoint is what has a budget. A changed key is another endpoint, so that
// what was held against the old key is not held against the new one.
type endpoint struct {
	url string
	key mistral.Key
}

// NewPool makes a pool whose connections watch jobs until the context ends.
func NewPool(ctx context.Context, options Options) *Pool {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	// A connection's address is a user's word. Behind a proxy of the environment
	// nobody would see where it leads to.
	transport.Proxy, transport.DialContext = nil, dial.Public(options.PrivateHosts)
	return &Pool{
		ctx:         ctx,
		options:     options,
		http:        &http.Client{Transport: transport},
		metrics:     newMetrics(options.Registerer, options.Tracer),
		suspects:    turns.NewSlots(maxSuspects, maxNamespaceSuspects),
		connections: map[tenancy]*Connection{},
		gates:       map[endpoint]*gate{},
	}
}

// Get gives the connection to a factory with a key, for a namespace. It does not connect.
// The error says what is wrong with the address or key, and shows neither.
func (p *Pool) Get(url string, key mistral.Key, namespace string) (*Connection, error) {
	url = strings.TrimRight(strings.TrimSpace(url), "/")
	p.mu.Lock()
	defer p.mu.Unlock()
	at, now := tenancy{endpoint{url: url, key: key}, namespace}, p.options.Clock.Now()
	if known, ok := p.connections[at]; ok {
		known.got = now
		return known, nil
	}
	p.forgetIdle(now)
	connection, err := p.connect(at)
	if err != nil {
		return nil, err
	}
	connection.got = now
	p.connections[at] = connection
	return connection, nil
}

// forgetIdle keeps keys that were replaced, and namespaces that went, from piling up. A
// budget goes with the last of its connections.
func (p *Pool) forgetIdle(now time.Time) {
	used := make(map[endpoint]bool, len(p.gates))
	maps.DeleteFunc(p.connections, func(at tenancy, known *Connection) bool {
		idle := now.Sub(known.got) > maxIdleTime && !known.jobs.watching()
		used[at.endpoint] = used[at.endpoint] || !idle
		return idle
	})
	maps.DeleteFunc(p.gates, func(at endpoint, _ *gate) bool { return !used[at] })
}

func (p *Pool) connect(at tenancy) (*Connection, error) {
	client, err := mistral.NewClient(mistral.Config{
		BaseURL:    at.url,
		Key:        at.key,
		Namespace:  at.namespace,
		HTTPClient: p.http,
		UserAgent:  p.options.UserAgent,
		Now:        p.options.Clock.Now,
	})
	if err != nil {
		return nil, err
	}
	p.connected++
	connection := &Connection{
		id:        strconv.Itoa(p.connected),
		url:       at.url,
		namespace: at.namespace,
		client:    client,
		metrics:   p.metrics,
		models:    inventory[modelList]{clock: p.options.Clock},
		files:     inventory[Files]{clock: p.options.Clock},
		keys:      inventory[Keys]{clock: p.options.Clock},
		gate:      p.gate(at.endpoint),
	}
	connection.jobs = newPoller(p.ctx, connection, p.options)
	return connection, nil
}

// gate is that of all connections to a factory with a key.
func (p *Pool) gate(at endpoint) *gate {
	if known, ok := p.gates[at]; ok {
		return known
	}
	made := &gate{
		clock:    p.options.Clock,
		suspects: p.suspects,
		line: turns.New(turns.Limits{
			Total:     1, // until it has answered
			Each:      maxNamespacePasses,
			PerSecond: p.options.CallsPerSecond,
			Burst:     p.options.CallBurst,
		}, p.options.Clock),
	}
	p.gates[at] = made
	return made
}
