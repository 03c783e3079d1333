// Package embeddings asks encoders for vectors of texts: servers of POST /v1/embeddings as
// OpenAI has it. It remembers what it was answered, and notices when an encoder is not the
// one that it was before. It trains nothing, and knows no requests of others.
package embeddings

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	// requestsAtOnce is how many requests a process makes of an encoder at a time. A server
	// puts together what waits; one without a GPU is busy with two.
	requestsAtOnce = 4
	// requestTimeout is what one request may take: a batch of long texts without a GPU.
	requestTimeout = time.Minute
)

// MemoryBytes is what answers, requests and the cache take at most beside the vectors.
const MemoryBytes = 64 << 20

// Options say where an encoder is.
type Options struct {
	BaseModel string // that it is called here
	URL       string
	Model     string // that its server calls it; default: BaseModel
	KeyFile   string // with the API key, which is read again for each request; default: none
}

// Encoder is on a server. It is safe for concurrent use.
type Encoder struct {
	options Options
	address string
	host    string
	http    http.Client
	cache   *Cache
	places  *semaphore.Weighted // for requests
	asking  singleflight.Group
	known   atomic.Pointer[identity]
	metrics *metrics
	open    context.Context // ends when the encoder is closed
	close   context.CancelFunc
}

// New does not connect: what an encoder is, is asked when it is needed.
func New(options Options, cache *Cache) (*Encoder, error) {
	base, err := mistral.ParseServerURL(options.URL)
	if err != nil {
		return nil, fmt.Errorf("the URL of its encoder %w", err)
	}
	if options.Model == "" {
		options.Model = options.BaseModel
	}
	e := &Encoder{
		options: options,
		address: endpoint(base),
		host:    base.Host,
		cache:   cache,
		places:  semaphore.NewWeighted(requestsAtOnce),
		metrics: newMetrics(options.BaseModel),
	}
	e.http = newHTTPClient()
	e.open, e.close = context.WithCancel(context.Background())
	if _, err := e.key(); err != nil {
		return nil, err
	}
	return e, nil
}

// endpoint adds what is missing: some give a server's address with the version.
func endpoint(base *url.URL) string {
	if strings.HasSuffix(strings.TrimSuffix(base.Path, "/"), "/v1") {
		return base.JoinPath("embeddings").String()
	}
	return base.JoinPath("v1", "embeddings").String()
}

func newHTTPClient() http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = requestsAtOnce
	return http.Client{
		Transport: transport,
		// None is followed: key and texts go nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// maxKeyBytes is more than any key has.
const maxKeyBytes = 16 << 10

// key is that of now: it may be replaced while the server runs.
func (e *Encoder) key() (mistral.Key, error) {
	if e.options.KeyFile == "" {
		return mistral.Key{}, nil
	}
	file, err := os.Open(e.options.KeyFile)
	if err != nil {
		return mistral.Key{}, fmt.Errorf("the key of its encoder: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxKeyBytes+1))
	key := mistral.NewKey(string(text))
	switch {
	case err != nil:
	case len(text) > maxKeyBytes:
		err = fmt.Errorf("%s has more than %d bytes", e.options.KeyFile, maxKeyBytes)
	case key == (mistral.Key{}):
		err = fmt.Errorf("%s is empty", e.options.KeyFile)
	default:
		err = key.Validate()
	}
	if err != nil {
		return mistral.Key{}, fmt.Errorf("the key of its encoder: %w", err)
	}
	return key, nil
}

// Host is where texts are sent to.
func (e *Encoder) Host() string { return e.host }

// Dimension is that of the vectors as they were last; zero before the encoder was asked.
func (e *Encoder) Dimension() int {
	if known := e.known.Load(); known != nil {
		return known.dimension
	}
	return 0
}

// Close ends the connections that are idle, and closes the cache. Close it when nothing is
// represented any more.
func (e *Encoder) Close() error {
	e.close()
	e.http.CloseIdleConnections()
	return e.cache.Close()
}

// Patience is how long, and how often, an encoder is asked before it is given up.
type Patience struct {
	Tries uint
	Time  time.Duration // for each batch of texts, its wait for other requests included
}

// Patience of those who ask: somebody waits for a classification, and a training would have
// to begin anew when the encoder's server is only started again.
var (
	Impatient = Patience{Tries: 4, Time: time.Minute}
	Patient   = Patience{Tries: 40, Time: 10 * time.Minute}
)

// Representation is what the encoder is at present: once it answers otherwise, nothing more
// is represented. Whoever is Impatient and whoever is Patient wait apart.
func (e *Encoder) Representation(ctx context.Context, patience Patience) (*Representation, error) {
	known := e.known.Load()
	if known == nil {
		var err error
		if known, err = e.identifyOnce(ctx, patience); err != nil {
			return nil, err
		}
	}
	return &Representation{encoder: e, identity: known, patience: patience}, nil
}

// Recognise returns the representation if the encoder has the fingerprint, or else nil. That
// it has another one is asked anew each time: whoever has put the right encoder back need
// not do more.
func (e *Encoder) Recognise(ctx context.Context, fingerprint string, patience Patience) (*Representation, error) {
	r, err := e.Representation(ctx, patience)
	if err != nil || r.recognises(fingerprint) {
		return r, err
	}
	e.forget(r.identity)
	r, err = e.Representation(ctx, patience)
	if err != nil || !r.recognises(fingerprint) {
		return nil, err
	}
	return r, nil
}

// identifyOnce asks for all that wait at the same time.
func (e *Encoder) identifyOnce(ctx context.Context, patience Patience) (*identity, error) {
	asked := e.asking.DoChan(fmt.Sprint(patience), func() (any, error) {
		return e.identify(e.open, patience)
	})
	select {
	case answered := <-asked:
		if answered.Err != nil {
			return nil, answered.Err
		}
		return answered.Val.(*identity), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
