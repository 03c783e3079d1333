package api

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

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
func (s *Server) limited(next func(http.ResponseWriter, *http.Request, string)) func(http.ResponseWriter, *http.Request, string) {
	return func(w http.ResponseWriter, r *http.Request, tenant string) {
		if wait := s.rates.allow(tenant, s.now()); wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
			s.answer(w, r, http.StatusTooManyRequests, rateLimited)
			return
		}
		next(w, r, tenant)
	}
}
