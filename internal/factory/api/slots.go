package api

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

// slots are how many of a kind each tenant may have at a time.
type slots struct {
	each int64 // 0: as many as it likes

	mutex   sync.Mutex
	tenants map[string]*tenantSlots // of those who have or want one
}

type tenantSlots struct {
	*semaphore.Weighted
	users int
}

func newSlots(each int) *slots {
	return &slots{each: int64(each), tenants: map[string]*tenantSlots{}}
}

// take waits for a slot of the tenant. Who got one gives it back.
func (s *slots) take(ctx context.Context, tenant string) (giveBack func(), err error) {
	if s.each == 0 {
		return func() {}, nil
	}
	own := s.join(tenant)
	if err := own.Acquire(ctx, 1); err != nil {
		s.leave(tenant, own)
		return nil, err
	}
	return func() { own.Release(1); s.leave(tenant, own) }, nil
}

// tryTake is take for who would rather be told than wait.
func (s *slots) tryTake(tenant string) (giveBack func(), ok bool) {
	if s.each == 0 {
		return func() {}, true
	}
	own := s.join(tenant)
	if !own.TryAcquire(1) {
		s.leave(tenant, own)
		return nil, false
	}
	return func() { own.Release(1); s.leave(tenant, own) }, true
}

func (s *slots) join(tenant string) *tenantSlots {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	own := s.tenants[tenant]
	if own == nil {
		own = &tenantSlots{Weighted: semaphore.NewWeighted(s.each)}
		s.tenants[tenant] = own
	}
	own.users++
	return own
}

func (s *slots) leave(tenant string, own *tenantSlots) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if own.users--; own.users == 0 {
		delete(s.tenants, tenant)
	}
}
