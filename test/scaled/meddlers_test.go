package scaled

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// hands are how many clients of a meddler do things with the same file, job or model at a time.
const hands = 3

// deeds are how many things each of them does with a file, and with a model.
const deeds = 8

// meddle leads files, jobs and models through their lives, by several clients at a time, until it is over.
func (b *burst) meddle(tenant string, number int, over <-chan struct{}) {
	callers := make([]*caller, hands)
	for i := range callers {
		callers[i] = b.caller(b.history, tenant, number+i)
	}
	for round := 0; ; round++ {
		select {
		case <-over:
			return
		default:
		}
		b.meddleWithFile(callers, fmt.Sprintf("file%d.jsonl", round))
		model := b.meddleWithJob(callers, round)
		if model != "" {
			together(callers, func(c *caller) { c.meddleWithModel(model) })
		}
	}
}

// together has every client do the same at a time.
func together(callers []*caller, do func(*caller)) {
	var all sync.WaitGroup
	for _, c := range callers {
		all.Go(func() { do(c) })
	}
	all.Wait()
}

// shared is what one client has learned, and others use.
type shared[T any] struct {
	mutex sync.Mutex
	value T
}

func (s *shared[T]) set(value T) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.value = value
}

func (s *shared[T]) get() T {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.value
}

// meddleWithFile uploads, deletes and reads the same.
func (b *burst) meddleWithFile(callers []*caller, name string) {
	content := rows(20, name)
	var known shared[string]
	together(callers, func(c *caller) {
		for range deeds {
			id, what := known.get(), c.random.IntN(6)
			if id == "" {
				what = 0
			}
			switch what {
			case 0, 1:
				if file, err := c.upload(name, content); err == nil {
					known.set(file.ID)
				}
			case 2, 3:
				_ = c.deleteFile(name, id) // what it was told is in the history
			case 4:
				_ = c.getFile(name, id)
			case 5:
				_ = c.download(name, id, content)
			}
		}
	})
}

// meddleWithJob starts and cancels the same job, and returns the model if there is one in the end.
func (b *burst) meddleWithJob(callers []*caller, round int) (model string) {
	c := callers[0]
	file, err := persist(b.deadline, func() (*mistral.File, error) { return c.upload(rowsFile, rows(200, c.tenant)) })
	if err != nil {
		b.t.Error(err)
		return ""
	}
	job := jobOf(file.ID, fmt.Sprint("job", round))
	job.AutoStart = round%4 == 3
	id, err := b.create(c, rowsFile, file.ID, job)
	if err != nil {
		b.t.Error(err)
		return ""
	}
	var made shared[string]
	cancels := round%3 == 2
	together(callers, func(c *caller) {
		for time.Now().Before(b.deadline) {
			verb := use
			switch what := c.random.IntN(20); {
			case what == 0 && cancels:
				verb = cancel
			case what < 8:
				verb = start
			}
			told, err := c.tellJob(verb, id)
			if err == nil && told.Status.Finished() {
				if told.FineTunedModel != nil {
					made.set(*told.FineTunedModel)
				}
				return
			}
			if err != nil && !errors.Is(err, errLost) && !mistral.IsConflict(err) {
				b.t.Errorf("the job %s: %v", id, err)
				return
			}
			time.Sleep(time.Duration(20+c.random.IntN(100)) * time.Millisecond)
		}
		b.t.Errorf("the job %s does not end", id)
	})
	return made.get()
}

// meddleWithModel archives it and not, and deletes it in the end.
func (c *caller) meddleWithModel(model string) {
	for range deeds {
		switch what := c.random.IntN(20); {
		case what == 0:
			_ = c.tellModel(remove, model) // what it was told is in the history
		case what < 5:
			_ = c.tellModel(archive, model)
		case what < 10:
			_ = c.tellModel(unarchive, model)
		case what < 15:
			_ = c.tellModel(use, model)
		default:
			_ = c.classify(model, "row 1")
		}
	}
	_ = c.tellModel(remove, model)
}
