package factory

import (
	"context"
	"database/sql"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits keep one tenant from using up what all share. Zero is no limit.
type Limits struct {
	RequestsPerSecond int   // on average; twice as many may come at once
	FileBytes         int64 // of all files together
	UnfinishedJobs    int
	Models            int // those that unfinished jobs are going to make included
}

// rateLimiters are one for each tenant. Tenants come from the file of keys, so
// that they are few.
type rateLimiters struct {
	perSecond int

	mutex    sync.Mutex
	byTenant map[string]*rate.Limiter
}

func newRateLimiters(perSecond int) *rateLimiters {
	return &rateLimiters{perSecond: perSecond, byTenant: map[string]*rate.Limiter{}}
}

// allow takes a request from the tenant's budget, or says how long to wait for it.
func (l *rateLimiters) allow(tenant string, now time.Time) (wait time.Duration) {
	if l.perSecond == 0 {
		return 0
	}
	l.mutex.Lock()
	limiter, ok := l.byTenant[tenant]
	if !ok {
		limiter = rate.NewLimiter(rate.Limit(l.perSecond), 2*l.perSecond)
		l.byTenant[tenant] = limiter
	}
	l.mutex.Unlock()
	reservation := limiter.ReserveN(now, 1)
	if wait = reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now) // who is refused has used nothing
	}
	return wait
}

// rateLimited is the answer to a request too many, as the hosted service gives it.
var rateLimited = struct {
	Object  string  `json:"object"`
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    string  `json:"code"`
}{Object: "error", Message: "Rate limit exceeded", Type: "rate_limited", Code: "1300"}

// limited refuses a tenant's request if there were too many before it.
func (f *Factory) limited(next func(http.ResponseWriter, *http.Request, string)) func(http.ResponseWriter, *http.Request, string) {
	return func(w http.ResponseWriter, r *http.Request, tenant string) {
		if wait := f.rates.allow(tenant, f.now()); wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
			f.answer(w, r, http.StatusTooManyRequests, rateLimited)
			return
		}
		next(w, r, tenant)
	}
}

func quotaProblem(format string, arguments ...any) *problem {
	refused := unprocessable(format, arguments...)
	refused.Status = http.StatusForbidden
	return refused
}

// checkFileBytes is called after a file was added, in the same transaction.
func (l Limits) checkFileBytes(ctx context.Context, tx *sql.Tx, tenant string) error {
	if l.FileBytes == 0 {
		return nil
	}
	var used int64
	if err := tx.QueryRowContext(ctx, `SELECT sum(bytes) FROM files WHERE tenant = ?`, tenant).Scan(&used); err != nil {
		return err
	}
	if used > l.FileBytes {
		return quotaProblem("With this file, all files together would have more than %d bytes. Delete some first.", l.FileBytes)
	}
	return nil
}

// checkJobs is called before a job is added, in the same transaction.
func (l Limits) checkJobs(ctx context.Context, tx *sql.Tx, tenant string) error {
	var unfinished, models int
	err := tx.QueryRowContext(ctx, `
		SELECT (SELECT count(*) FROM jobs WHERE tenant = ?1 AND status IN (`+unfinishedStatuses+`)),
		       (SELECT count(*) FROM models WHERE tenant = ?1)`, tenant).Scan(&unfinished, &models)
	switch {
	case err != nil:
		return err
	case l.UnfinishedJobs > 0 && unfinished >= l.UnfinishedJobs:
		return quotaProblem("%d jobs are not finished, which is the limit. Wait for one or cancel one first.", unfinished)
	case l.Models > 0 && unfinished+models >= l.Models:
		return quotaProblem("There are %d models and %d unfinished jobs; at most %d models are allowed. Delete some first.", models, unfinished, l.Models)
	}
	return nil
}
