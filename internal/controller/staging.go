package controller

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/types"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/samples"
	"github.com/classifier-factory/classifier-factory/internal/turns"
)

const (
	// DefaultStagingBytes is three quarters of the volume in the manifests. The largest
	// file that a factory takes can be sorted in it.
	DefaultStagingBytes = 1536 << 20
	// minRoom is what the smallest dataset asks for: a buffer for each of its files.
	minRoom = 256 << 10
	// roomStep is how much more is asked for at a time.
	roomStep = 16 << 20
)

// staging is the directory for samples on their way to the factory, and the bytes that
// may be in it. Files there have no names, and no limit of a volume sees them: so
// bytes are asked for before they are written. Who finds none left while it writes
// gives back all that it has, which lets the others go on, and comes again for twice
// as much, until that is all there is.
type staging struct {
	directory string
	bytes     int64
	line      *turns.Line

	mu    sync.Mutex
	needs map[types.NamespacedName]need
}

// need is how many bytes a dataset asks for, as an earlier pass found out. More than
// there are is too many for good.
type need struct {
	revision string
	bytes    int64
}

func newStaging(directory string, bytes int64) *staging {
	return &staging{
		directory: directory,
		bytes:     bytes,
		line:      turns.NewSlots(bytes, bytes), // one dataset may need all of them
		needs:     map[types.NamespacedName]need{},
	}
}

// enter gives the pass room for its samples, or lets it wait for its turn.
func (s *staging) enter(scope *datasetScope, wake func()) outcome {
	needed := s.need(scope)
	if needed > s.bytes {
		return s.tooLarge()
	}
	who := whoOf(scope.name())
	if !s.line.Enter(who, needed, wake) {
		return s.full(needed)
	}
	scope.room = &room{staging: s, who: who, reserved: needed}
	return proceed()
}

// need is what an earlier pass found out, or else what the source's size lets expect.
func (s *staging) need(scope *datasetScope) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.needs[scope.name()]; ok && known.revision == scope.revision() {
		return known.bytes
	}
	preparation := samples.Preparation(scope.object.Spec.Preparation)
	size, _ := scope.source.SizeBytes()
	return min(preparation.ScratchBytes(size)+minRoom, s.bytes)
}

// learn notes what the pass turned out to need.
func (s *staging) learn(scope *datasetScope, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.needs[scope.name()] = need{revision: scope.revision(), bytes: bytes}
}

// leave gives back what the pass had. One that waits keeps its place, unless it did
// not come as far as to ask again, and nothing kept it from that.
func (s *staging) leave(scope *datasetScope) {
	if !scope.awaitsSlot || scope.room != nil {
		s.line.Leave(whoOf(scope.name()))
	}
}

// forget gives up what an object that is gone had, or waited for.
func (s *staging) forget(object types.NamespacedName) {
	s.line.Forget(whoOf(object))
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.needs, object)
}

// unstaged is the outcome of a pass for whose samples the disk had not enough room. It
// is not one if something else was the matter.
func (s *staging) unstaged(scope *datasetScope, err error) (outcome, bool) {
	short, isShort := errors.AsType[*roomError](err)
	switch {
	case isShort && short.needed > s.bytes:
		s.learn(scope, short.needed)
		return s.tooLarge(), true
	case isShort:
		next := min(2*scope.room.reserved, s.bytes)
		s.learn(scope, next)
		return s.full(next).looksAgain(time.Second), true
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return wait(slowRetry, classifierv1alpha1.ReasonStagingFull,
			"the disk with the operator's staging directory is full, before as much is on it as its flag --staging-bytes allows; make room there, or lower the flag"), true
	}
	return outcome{}, false
}

func (s *staging) full(needed int64) outcome {
	return wait(0, classifierv1alpha1.ReasonStagingFull,
		fmt.Sprintf("waits for %d of the %d bytes that the operator has on its disk for samples; other datasets have them", needed, s.bytes))
}

func (s *staging) tooLarge() outcome {
	return stop(classifierv1alpha1.ReasonStagingTooSmall,
		fmt.Sprintf("the samples take more than the %d bytes that the operator has on its disk for them; make several datasets of them, "+
			"or have its flag --staging-bytes raised, and the volume with it", s.bytes))
}
