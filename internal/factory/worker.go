package factory

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Worker validates and trains jobs of servers on the same PostgreSQL, and serves nobody.
type Worker struct {
	*foundation
	close func() error
}

// OpenWorker begins to work, on the jobs whose base models it has. Of the config it needs what is
// said of where things are, of base models and of training.
func OpenWorker(ctx context.Context, config Config) (*Worker, error) {
	if config.DatabaseURL == "" {
		return nil, errors.New("factory work shares its jobs with servers, which needs PostgreSQL: name one with --database-url; with SQLite, factory serve does the work")
	}
	if len(config.BaseModels) == 0 {
		config.BaseModels = []string{DefaultBaseModel}
	}
	config.isWorker = true
	opened, err := openFoundation(ctx, config)
	if err != nil {
		return nil, err
	}
	w := &Worker{foundation: opened}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var tasks sync.WaitGroup
	tasks.Go(func() { w.attend(background, w.queue.Hear, nil) })
	tasks.Go(func() { w.keepUp(background) })
	tasks.Go(func() { w.greetEncoders(background) })
	w.close = sync.OnceValue(func() error {
		stop()
		tasks.Wait()
		return w.closeFoundation()
	})
	w.queue.Start(opened.config.Workers)
	return w, nil
}

// Close gives up what is being worked on, so that others go on with it at once.
func (w *Worker) Close() error { return w.close() }

// pingPatience is how long a worker's database is waited for before the worker is said not to be
// ready.
const pingPatience = 5 * time.Second

// Handler serves what is asked of the worker itself: /healthz, /readyz and /metrics.
func (w *Worker) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", w.MetricsHandler())
	mux.HandleFunc("GET /healthz", func(answer http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(answer, "ok") })
	mux.HandleFunc("GET /readyz", func(answer http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), pingPatience)
		defer cancel()
		if err := w.store.Ping(ctx); err != nil {
			http.Error(answer, "the database does not answer", http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(answer, "ok")
	})
	return mux
}
