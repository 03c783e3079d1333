package scaled

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// What clients do with a file, a job or a model.
const (
	upload    = "upload"
	use       = "use" // see that it is there, or not
	remove    = "delete"
	start     = "start"
	cancel    = "cancel"
	archive   = "archive"
	unarchive = "unarchive"
	classify  = "classify"
)

// answer is what a client was told.
type answer struct {
	outcome  outcome
	file     string // ID
	life     string // of a job
	archived bool   // of a model
}

type outcome int

const (
	lost    outcome = iota // whether it was done, is not known
	done                   // or seen
	missing                // there is no such thing
	refused                // it is not in the state for that
)

func (a answer) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s%s", [...]string{"lost", "done", "missing", "refused"}[a.outcome], a.file, a.life)) +
		map[bool]string{true: " archived"}[a.archived]
}

// asked is what a client asks of a thing. Of a file it names which of those that it was.
type asked struct{ verb, file string }

// history is what clients were told of everything. Things are named by their kind and what they
// are called: all files of a name and a content, which are one at a time, have one life.
type history struct {
	began   time.Time
	mutex   sync.Mutex // of all that follows
	lives   map[string][]porcupine.Operation
	outages []outage // of PostgreSQL
}

type outage struct{ from, until int64 }

func newHistory() *history {
	return &history{began: time.Now(), lives: map[string][]porcupine.Operation{}}
}

func (h *history) now() int64 { return time.Since(h.began).Nanoseconds() }

// outage notes that PostgreSQL is away while something is done.
func (h *history) outage(during func()) {
	h.mutex.Lock()
	h.outages = append(h.outages, outage{h.now(), math.MaxInt64})
	h.mutex.Unlock()
	during()
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.outages[len(h.outages)-1].until = h.now()
}

// memory is how long a server knows what another may have changed.
const memory = int64(time.Second)

// knownSince is when what a classification tells of its model may have been so.
func (h *history) knownSince(called int64) int64 {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	since := called - memory
	for _, away := range h.outages {
		if away.until+memory/10 > called { // a server notices its end a moment later
			since = min(since, away.from-memory)
		}
	}
	return since
}

// add notes what was asked between two times. What was done, if at all, after its answer was lost,
// may be done whenever; what was only looked at and not seen, says nothing.
func (h *history) add(thing string, client int, in asked, called int64, out answer) {
	returned := h.now()
	if out.outcome == lost {
		if in.verb == use || in.verb == classify {
			return
		}
		returned = math.MaxInt64
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.lives[thing] = append(h.lives[thing],
		porcupine.Operation{ClientId: client, Input: in, Call: called, Output: out, Return: returned})
}

// of are the names of all things of a kind.
func (h *history) of(kind string) (things []string) {
	for thing := range h.lives {
		if strings.HasPrefix(thing, kind+" ") {
			things = append(things, thing)
		}
	}
	slices.Sort(things)
	return things
}

// patience is how long it is looked for an order of what was asked of one thing.
const patience = time.Minute

// explains says whether there is an order of all that was asked, each between its call and its answer, in
// which a single server that knows no faults would have answered the same.
func explains(model porcupine.Model, operations []porcupine.Operation) bool {
	return porcupine.CheckOperationsTimeout(model, operations, patience) == porcupine.Ok
}

// check holds every life to its model.
func (h *history) check(t *testing.T, ended map[string]*mistral.DetailedJob) {
	t.Helper()
	models := map[string]func(thing string) []porcupine.Model{
		"file":  func(string) []porcupine.Model { return []porcupine.Model{fileModel} },
		"model": func(string) []porcupine.Model { return []porcupine.Model{modelModel} },
		"job":   func(thing string) []porcupine.Model { return jobModels(ended[thing]) },
	}
	for _, kind := range []string{"file", "job", "model"} {
		things, operations, unknown := h.of(kind), 0, 0
		for _, thing := range things {
			asked := h.lives[thing]
			operations += len(asked)
			for _, one := range asked {
				if one.Output.(answer).outcome == lost {
					unknown++
				}
			}
			if !slices.ContainsFunc(models[kind](thing), func(m porcupine.Model) bool { return explains(m, asked) }) {
				t.Errorf("no order explains what was answered of the %s:\n%s", thing, told(asked))
			}
		}
		t.Logf("%d lives of a %s: %d answers, %d of them lost", len(things), kind, operations, unknown)
	}
}

// told is a history in words.
func told(operations []porcupine.Operation) string {
	var text strings.Builder
	for _, one := range operations {
		in := one.Input.(asked)
		fmt.Fprintf(&text, "%12.6f %12.6f client %d: %s %s: %s\n", time.Duration(one.Call).Seconds(), time.Duration(one.Return).Seconds(),
			one.ClientId, in.verb, in.file, one.Output)
	}
	return text.String()
}
