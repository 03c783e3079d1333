package blob

import (
	"context"
	"errors"
	"time"
)

// A bucket is waited for as long as it keeps moving: bytes earn it time, at a pace that any
// network has.
const (
	bucketPatience = 30 * time.Second
	bucketPace     = 256 << 10 // bytes a second
	firstPause     = 100 * time.Millisecond
)

// errSlow is a bucket that was waited for long enough.
var errSlow = errors.New("it fell silent, or moves less than 256 KiB a second")

// patience is how long a bucket may still be waited for.
type patience struct{ left, most time.Duration }

func newPatience(most time.Duration) *patience { return &patience{left: most, most: most} }

// watch begins to wait, and gives up when it has been too long. moved ends the waiting, and
// counts what came of it.
func (p *patience) watch(giveUp func()) (moved func(bytes int)) {
	begun := time.Now() //nolint:forbidigo // another server is waited for in real time
	timer := time.AfterFunc(p.left, giveUp)
	return func(bytes int) {
		timer.Stop()
		earned := time.Duration(int64(bytes) * int64(time.Second) / bucketPace)
		p.left = min(p.left-time.Since(begun)+earned, p.most) //nolint:forbidigo // as above
	}
}

// rest waits before something is tried again, and reports whether it may be.
func (p *patience) rest(pause time.Duration) bool {
	if p.left -= pause; p.left <= 0 {
		return false
	}
	<-time.After(pause)
	return true
}

// within does something as long as there is patience for it.
func (p *patience) within(do func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	moved := p.watch(func() { cancel(errSlow) })
	err := do(ctx)
	moved(0)
	return causeOf(ctx, err)
}

// causeOf is why a request was given up, or else what became of it.
func causeOf(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), errSlow) {
		return errSlow
	}
	return err
}

// persist repeats what fails for reasons that may pass, in growing intervals.
func (p *patience) persist(try func() error) error {
	for pause := firstPause; ; pause *= 2 {
		err := try()
		if err == nil || !mayPass(err) || !p.rest(pause) {
			return err
		}
	}
}
