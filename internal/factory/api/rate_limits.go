package api

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// fewTenants are so many that their limiters may stay. More are looked through for those
// that have rested.
const fewTenants = 1024

// rateLimiters are one for each tenant.
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
	limiter := l.of(tenant, now)
	reservation := limiter.ReserveN(now, 1)
	if wait = reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now) // who is refused has used nothing
	}
	return wait
}

func (l *rateLimiters) of(tenant string, now time.Time) *rate.Limiter {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	limiter, ok := l.byTenant[tenant]
	if !ok {
		if len(l.byTenant) >= fewTenants {
			maps.DeleteFunc(l.byTenant, func(_ string, idle *rate.Limiter) bool { return idle.TokensAt(now) >= float64(idle.Burst()) })
		}
		limiter = rate.NewLimiter(rate.Limit(l.perSecond), 2*l.perSecond)
		l.byTenant[tenant] = limiter
	}
	return limiter
}

// rateLimited is the answer to a request too many, as the hosted service gives it, and
// what to do about it.
type rateLimited struct {
	Object  string  `json:"object"`
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    string  `json:"code"`
	Detail  string  `json:"detail"`
}

// limited refuses a tenant's request if there were too many before it, or are beside it.
func (s *Server) limited(next handler) handler {
	return func(w http.ResponseWriter, r *http.Request, tenant string) {
		if wait := s.rates.allow(tenant, s.now()); wait > 0 {
			s.tooMany(w, r, wait, fmt.Sprintf("More than %d requests a second. Send several texts in a request, or fewer requests, and this one again after the seconds of Retry-After.", s.config.RequestsPerSecond))
			return
		}
		giveBack, ok := s.underWay.tryTake(tenant)
		if !ok {
			s.tooMany(w, r, time.Second, fmt.Sprintf("%d requests are under way already. Wait for one to be answered, or send this one again after the seconds of Retry-After.", s.config.RequestsUnderWay))
			return
		}
		defer giveBack()
		next(w, r, tenant)
	}
}

func (s *Server) tooMany(w http.ResponseWriter, r *http.Request, wait time.Duration, detail string) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	s.answer(w, r, http.StatusTooManyRequests, rateLimited{
		Object: "error", Message: "Rate limit exceeded", Type: "rate_limited", Code: "1300", Detail: detail,
	})
}
