package connection

import (
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/internal/turns"
)

// Connection is how one factory is spoken to with one key, for one namespace. Calls are
// made in passes.
type Connection struct {
	id        string
	url       string
	namespace string
	client    *mistral.Client
	gate      *gate // of all namespaces
	metrics   *metrics
	jobs      *poller
	models    inventory[modelList]
	files     inventory[Files]
	keys      inventory[Keys]
	got       time.Time // last from the pool, whose lock guards it
}

// ID tells connections of this process apart. It is made of nothing secret.
func (c *Connection) ID() string { return c.id }

// URL is the factory's address.
func (c *Connection) URL() string { return c.url }

// Pass begins a pass over the connection for somebody, who has one at a time. It has
// to be ended. Where its first call must wait for its turn, wake is called when that
// has come; wake must return at once and not use the connection.
func (c *Connection) Pass(who turns.Who, wake func()) *Pass {
	return &Pass{Connection: c, who: who, wake: wake}
}

// WatchJob gives the last that is known of a job, which must not be altered:
// nothing at first. From then on, until UnwatchJob returns, changed is called
// whenever there is news, whoever's call brought it. It must return at once, and
// not use the connection. The error is the last one in asking the factory; a job
// that it does not have is a mistral.IsNotFound error.
func (c *Connection) WatchJob(id string, watcher turns.Who, changed func()) (*mistral.DetailedJob, error) {
	return c.jobs.watch(id, watcher, changed)
}

// UnwatchJob ends the watching of a job by a watcher.
func (c *Connection) UnwatchJob(id string, watcher turns.Who) { c.jobs.unwatch(id, watcher) }
