package faults

import (
	"errors"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

var (
	seeds     = flag.Int("faults.seeds", 200, "how many random scripts of faults are played")
	firstSeed = flag.Int("faults.first", 1, "the seed of the first")
)

// scripted is a fault that befalls some calls in a row, by their number among
// those to a target, or among those that are the same.
type scripted struct {
	fault
	to          target
	path        string // empty: any
	first, last int
}

func (s scripted) String() string {
	return fmt.Sprintf("{%s %s calls %d-%d: %s, pick %d}", s.to, s.path, s.first, s.last, s.kind, s.pick)
}

func (s scripted) befalls(made call) bool {
	number := made.number
	if s.path != "" {
		number = made.repeat
	}
	return s.to == made.to && (s.path == "" || s.path == made.method+" "+made.path) && s.first <= number && number <= s.last
}

type script []scripted

func (s script) judge(made call) fault {
	for _, scripted := range s {
		if scripted.befalls(made) {
			return scripted.fault
		}
	}
	return fault{}
}

// scripts are those that end.
var scripts = rapid.Custom(func(t *rapid.T) script {
	return rapid.SliceOfN(rapid.Custom(drawFault), 1, 8).Draw(t, "script")
})

// aims are the calls that scripts aim at, besides any.
var aims = map[target][]string{
	apiServer: {
		"PATCH classifierdatasets/data/status", "PATCH classifiertrainingjobs/job/status",
		"PATCH classifierdatasets/data", "PATCH classifiertrainingjobs/job",
		"GET secrets/connection", "PATCH secrets/job",
	},
	remote: {
		"GET /v1/files", "POST /v1/files", "DELETE /v1/files/ID",
		"GET /v1/fine_tuning/jobs", "POST /v1/fine_tuning/jobs", "GET /v1/fine_tuning/jobs/ID", "POST /v1/fine_tuning/jobs/ID/start",
		"GET /v1/keys", "POST /v1/keys", "DELETE /v1/keys/ID",
	},
}

func drawFault(t *rapid.T) scripted {
	const calls, repeats = 30, 5 // an undisturbed life has some 20 calls to each target
	s := scripted{to: rapid.SampledFrom([]target{apiServer, remote}).Draw(t, "target")}
	kinds := kindsOfAPIServer
	if s.to == remote {
		kinds = kindsOfRemote
	}
	s.kind = rapid.SampledFrom(kinds).Draw(t, "kind")
	s.pick = rapid.IntRange(0, 50).Draw(t, "pick")
	if rapid.Bool().Draw(t, "aimed") {
		s.path = rapid.SampledFrom(aims[s.to]).Draw(t, "path")
		s.first = rapid.IntRange(1, repeats).Draw(t, "first")
	} else {
		s.first = rapid.IntRange(1, calls).Draw(t, "first")
	}
	s.last = s.first + rapid.IntRange(0, 3).Draw(t, "repeats")
	return s
}

// knownScripts are those that once ended elsewhere.
var knownScripts = []struct {
	reason string
	script script
}{
	{"a list that shows a job twice made the operator cancel it as a surplus one", script{
		{to: remote, path: "POST /v1/fine_tuning/jobs", first: 1, last: 1, fault: fault{kind: loseAnswer}},
		{to: remote, path: "GET /v1/fine_tuning/jobs", first: 1, last: 9, fault: fault{kind: duplicate}},
	}},
	{"a file that lists did not show yet outlived its dataset", script{
		{to: remote, path: "GET /v1/files", first: 1, last: 9, fault: fault{kind: lag}},
	}},
}

func TestKnownFaults(t *testing.T) {
	t.Parallel()
	for _, known := range knownScripts {
		t.Run(known.reason, func(t *testing.T) {
			t.Parallel()
			if err := play(t, known.script); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRandomFaults holds that whatever befalls the operator for a while, it ends
// where it would have ended, and that no job is started twice on the way.
// A failing script is made as short as it fails.
func TestRandomFaults(t *testing.T) {
	t.Parallel()
	for seed := *firstSeed; seed < *firstSeed+*seeds; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			script := scripts.Example(seed)
			err := play(t, script)
			if err == nil {
				return
			}
			t.Logf("with %v: %v", script, err)
			for i := 0; i < len(script); {
				shorter := slices.Delete(slices.Clone(script), i, i+1)
				if shorterErr := play(t, shorter); shorterErr == nil {
					i++
				} else {
					script, err = shorter, shorterErr
				}
			}
			t.Errorf("with %v: %v", script, err)
		})
	}
}

// play lives a life with a script of faults.
func play(t *testing.T, script script) error {
	t.Helper()
	stage := &stage{TB: t}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w := newWorld(stage)
		defer w.stopOperators() // within the play, where it may still fail
		w.judge = script.judge
		w.startOperator()
		trained.live(w)
		w.checkStarts(trained.starts)
		if err := w.orphans(); err != nil {
			w.Error(err)
		}
	}()
	<-ended
	return stage.verdict()
}

// stage is a test within a test: it may fail without failing the outer one.
type stage struct {
	testing.TB

	mu       sync.Mutex
	problems []error
}

func (s *stage) Errorf(format string, values ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, fmt.Errorf(format, values...))
}

func (s *stage) Error(values ...any) { s.Errorf("%s", fmt.Sprint(values...)) }

func (s *stage) Fatalf(format string, values ...any) {
	s.Errorf(format, values...)
	runtime.Goexit()
}

func (s *stage) Fatal(values ...any) { s.Fatalf("%s", fmt.Sprint(values...)) }

func (s *stage) verdict() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.problems...)
}
