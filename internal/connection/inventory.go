package connection

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	// minListInterval is how often everything is listed at most, however many ask.
	minListInterval = 5 * time.Second
	// askedForRecheck is how soon somebody comes back for a list that is on its way.
	askedForRecheck = time.Second

	// The protocol does not say how large a page may be. A server that refuses a large
	// one is asked for those that it gives by default.
	filePageSize     = 1000
	safeFilePageSize = 100
	maxFilePages     = 100
	keyPageSize      = 1000
	maxKeyPages      = 100
)

// NotYetError is a list that was asked for a moment ago, or is being asked for: a
// newer one is to be had a little later.
type NotYetError struct{ RetryAfter time.Duration }

func (e *NotYetError) Error() string {
	return fmt.Sprintf("the list is to be had in %s", e.RetryAfter.Round(time.Millisecond))
}

// inventory is a list of everything of a kind that a factory has. Whoever wants to
// know of one thing shares the list with all others.
type inventory[T any] struct {
	clock clock.PassiveClock

	mu     sync.Mutex
	asking bool
	asked  time.Time // for what follows; zero before the first time
	list   T
	err    error
}

// get gives the list if it is of the time or later, and else asks for it.
func (i *inventory[T]) get(since time.Time, ask func() (T, error)) (list T, err error) {
	if list, known, err := i.known(since); known {
		return list, err
	}
	asked := i.clock.Now()
	list, err = ask()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asking = false
	if closed := (*ClosedError)(nil); !errors.As(err, &closed) && !errors.Is(err, context.Canceled) {
		i.asked, i.list, i.err = asked, list, err
	}
	return list, err
}

// known reports whether the caller need not ask, and with which result.
func (i *inventory[T]) known(since time.Time) (list T, known bool, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.asked.IsZero() && !i.asked.Before(since) {
		return i.list, true, i.err
	}
	if i.asking {
		return list, true, &NotYetError{RetryAfter: askedForRecheck}
	}
	if left := i.asked.Add(minListInterval).Sub(i.clock.Now()); left > 0 {
		return list, true, &NotYetError{RetryAfter: left}
	}
	i.asking = true
	return list, false, nil
}

// last gives the newest list, of whatever time.
func (i *inventory[T]) last() (list T, ok bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.list, !i.asked.IsZero() && i.err == nil
}

// Models are the models that a factory has, by their IDs: whether each is archived.
type Models map[string]bool

// modelList is what a list of models tells.
type modelList struct {
	models Models
	limits mistral.ClassifierLimits
}

// Models gives the factory's models as they were at a time or later.
func (p *Pass) Models(ctx context.Context, since time.Time) (Models, error) {
	list, err := p.listModels(ctx, since)
	return list.models, err
}

// Limits gives what the factory said at a time or later of how much it trains a
// classifier on: nothing if it is none that says so. What it said before will do where
// somebody would have to wait.
func (p *Pass) Limits(ctx context.Context, since time.Time) (mistral.ClassifierLimits, error) {
	list, err := p.listModels(ctx, since)
	if _, early := errors.AsType[*NotYetError](err); early {
		if last, ok := p.models.last(); ok {
			return last.limits, nil
		}
	}
	return list.limits, err
}

func (p *Pass) listModels(ctx context.Context, since time.Time) (modelList, error) {
	return p.models.get(since, func() (modelList, error) {
		list, err := ask(ctx, p, "ListModels", p.client.ListModels)
		if err != nil {
			return modelList{}, err
		}
		told := modelList{models: make(Models, len(list.Data))}
		for _, model := range list.Data {
			told.models[model.ID] = model.Archived != nil && *model.Archived
			if model.ClassifierLimits != nil {
				told.limits = *model.ClassifierLimits
			}
		}
		return told, nil
	})
}

// GetModel gives a model as it is now.
func (p *Pass) GetModel(ctx context.Context, id string) (*mistral.Model, error) {
	return ask(ctx, p, "GetModel", func(ctx context.Context) (*mistral.Model, error) {
		return p.client.GetModel(ctx, id)
	})
}

// Keys are the names of the keys that a factory has.
type Keys map[string]bool

// Keys gives the names of the namespace's keys as they were at a time or later. One may be
// missing that came while the list was read.
func (p *Pass) Keys(ctx context.Context, since time.Time) (Keys, error) {
	return p.keys.get(since, func() (Keys, error) {
		keys := Keys{}
		for page := range maxKeyPages {
			list, err := p.ListKeys(ctx, mistral.KeyFilter{Page: page, PageSize: keyPageSize})
			if err != nil {
				return nil, err
			}
			for _, key := range list.Data {
				keys[key.Name] = true
			}
			if len(list.Data) < keyPageSize {
				break
			}
		}
		return keys, nil
	})
}

// Files are files by their names.
type Files map[string][]mistral.File

// Files gives the files with a part of their names, which is always the same one, as
// they were at a time or later. One may be missing that came while the list was read.
func (p *Pass) Files(ctx context.Context, search string, since time.Time) (Files, error) {
	return p.files.get(since, func() (Files, error) {
		files, err := p.listAll(ctx, search, filePageSize)
		if mistral.IsInvalid(err) {
			return p.listAll(ctx, search, safeFilePageSize)
		}
		return files, err
	})
}

// listAll reads pages until they have told of every file. A server may give smaller
// ones than it is asked for, and show a file twice while files come and go.
func (p *Pass) listAll(ctx context.Context, search string, size int) (Files, error) {
	files, seen := Files{}, map[string]bool{}
	for page := range maxFilePages {
		list, err := p.ListFiles(ctx, mistral.FileFilter{Page: page, PageSize: size, Search: search})
		if err != nil {
			return nil, err
		}
		before := len(seen)
		for _, file := range list.Data {
			if !seen[file.ID] {
				seen[file.ID] = true
				files[file.Filename] = append(files[file.Filename], brief(file))
			}
		}
		complete := list.Total != nil && int64(len(seen)) >= *list.Total
		if complete || len(seen) == before || len(list.Data) < safeFilePageSize {
			break
		}
	}
	return files, nil
}

// brief is a file without what nobody asks a list for, because it is kept.
func brief(file mistral.File) mistral.File {
	return mistral.File{
		ID: file.ID, Filename: file.Filename, Bytes: file.Bytes,
		CreatedAt: file.CreatedAt, ExpiresAt: file.ExpiresAt, SHA256: file.SHA256,
	}
}
