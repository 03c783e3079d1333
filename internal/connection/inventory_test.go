package connection

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// stock is a factory that has models and files, and counts how often each is listed.
type stock struct {
	models     []mistral.Model
	files      int  // their number
	maxPage    int  // of files, whatever is asked for; 0: no such limit
	refusesBig bool // pages, instead of giving smaller ones
	noTotal    bool
	lists      atomic.Int64
}

func (s *stock) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.lists.Add(1)
	if r.URL.Path == "/v1/models" {
		_ = json.NewEncoder(w).Encode(mistral.ModelList{Object: mistral.ObjectList, Data: s.models})
		return
	}
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	size, _ := strconv.Atoi(r.URL.Query().Get("page_size"))
	if s.maxPage > 0 && size > s.maxPage {
		if s.refusesBig {
			http.Error(w, `{"detail":"page_size"}`, http.StatusUnprocessableEntity)
			return
		}
		size = s.maxPage
	}
	list := mistral.FileList{Object: mistral.ObjectList, Data: mistral.List[mistral.File]{}}
	for i := page * size; i < min((page+1)*size, s.files); i++ {
		list.Data = append(list.Data, mistral.File{ID: fmt.Sprint(i), Filename: fmt.Sprintf("%s-%d", r.URL.Query().Get("search"), i), Bytes: 1})
	}
	if !s.noTotal {
		list.Total = new(int64(s.files))
	}
	_ = json.NewEncoder(w).Encode(list)
}

// has puts a stock into the fixture's factory.
func (f *fixture) has(s *stock) *stock {
	f.Helper()
	f.factory.Config.Handler = s
	return s
}

// TestEverybodySharesOneList holds that a list is asked for again only for those who
// need a newer one, and not more often than every few seconds.
func TestEverybodySharesOneList(t *testing.T) {
	f := newFixture(t)
	s := f.has(&stock{models: []mistral.Model{{ID: "a"}, {ID: "b", Archived: new(true)}}})
	ask := func(age time.Duration) error {
		models, err := f.caller("asks").Models(t.Context(), f.clock.Now().Add(-age))
		if err == nil && (len(models) != 2 || models["a"] || !models["b"]) {
			t.Errorf("the models are %v", models)
		}
		return err
	}
	for range 100 {
		if err := ask(time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	f.clock.Step(time.Second)
	var early *NotYetError
	if err := ask(0); !errors.As(err, &early) || early.RetryAfter != minListInterval-time.Second {
		t.Errorf("a newer list is to be had: %v", err)
	}
	if err := ask(time.Minute); err != nil || s.lists.Load() != 1 {
		t.Errorf("after %d lists: %v", s.lists.Load(), err)
	}
	f.clock.Step(early.RetryAfter)
	if err := ask(0); err != nil || s.lists.Load() != 2 {
		t.Errorf("after %d lists: %v", s.lists.Load(), err)
	}
	f.clock.Step(time.Minute)
	if err := ask(time.Minute - time.Second); err != nil || s.lists.Load() != 3 {
		t.Errorf("after %d lists: %v", s.lists.Load(), err)
	}
}

// TestLimitsAreOfTheSameList holds that limits are known as soon as the models are.
func TestLimitsAreOfTheSameList(t *testing.T) {
	for _, test := range []struct {
		reason string
		models []mistral.Model
		want   mistral.ClassifierLimits
	}{
		{"a model has them", []mistral.Model{{ID: "base", ClassifierLimits: &mistral.ClassifierLimits{Labels: 7}}, {ID: "tuned"}}, mistral.ClassifierLimits{Labels: 7}},
		{"no model has them", []mistral.Model{{ID: "base"}}, mistral.ClassifierLimits{}},
		{"there is no model", nil, mistral.ClassifierLimits{}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			f := newFixture(t)
			s := f.has(&stock{models: test.models})
			if _, err := f.caller("asks").Models(t.Context(), f.clock.Now()); err != nil {
				t.Fatal(err)
			}
			f.clock.Step(time.Second) // a newer list is not to be had yet
			if got, err := f.caller("asks").Limits(t.Context(), f.clock.Now()); err != nil || got != test.want || s.lists.Load() != 1 {
				t.Errorf("got %+v, %v after %d lists", got, err, s.lists.Load())
			}
			f.clock.Step(time.Minute)
			if got, err := f.caller("asks").Limits(t.Context(), f.clock.Now()); err != nil || got != test.want || s.lists.Load() != 2 {
				t.Errorf("got %+v, %v after %d lists", got, err, s.lists.Load())
			}
		})
	}
}

// TestNobodyWaitsForAList holds up a list. Whoever wants it too is told to come back,
// and holds no worker.
func TestNobodyWaitsForAList(t *testing.T) {
	f := newFixture(t)
	arrived, release := make(chan struct{}), make(chan struct{})
	f.factory.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-release
		(&stock{}).ServeHTTP(w, r)
	})
	listed := make(chan error)
	go func() {
		_, err := f.caller("asks").Models(t.Context(), f.clock.Now())
		listed <- err
	}()
	<-arrived
	var early *NotYetError
	if _, err := f.caller("asks").Models(t.Context(), f.clock.Now()); !errors.As(err, &early) || early.RetryAfter != askedForRecheck {
		t.Errorf("the second one got %v", err)
	}
	close(release)
	if err := <-listed; err != nil {
		t.Error(err)
	}
}

// TestFailedListIsSharedToo holds that a factory which forbids the list is not asked by
// each object in turn.
func TestFailedListIsSharedToo(t *testing.T) {
	f := newFixture(t)
	var calls atomic.Int64
	f.factory.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		http.Error(w, `{"detail":"scripted"}`, http.StatusForbidden)
	})
	for range 10 {
		if _, err := f.caller("asks").Models(t.Context(), f.clock.Now().Add(-time.Minute)); !mistral.IsForbidden(err) {
			t.Errorf("got %v", err)
		}
	}
	if calls.Load() != 1 {
		t.Errorf("%d calls", calls.Load())
	}
}

// TestAllFilesAreListed holds that every file is found, however the factory makes its pages.
func TestAllFilesAreListed(t *testing.T) {
	for _, test := range []struct {
		reason string
		stock  *stock
		lists  int64
	}{
		{"none", &stock{}, 1},
		{"a few", &stock{files: 7}, 1},
		{"a few, and it does not say how many", &stock{files: 7, noTotal: true}, 1},
		{"large pages", &stock{files: 2500}, 3},
		{"exactly a page, and it does not say how many", &stock{files: 1000, noTotal: true}, 2},
		{"smaller pages than asked for", &stock{files: 450, maxPage: 100}, 5},
		{"it refuses large pages", &stock{files: 250, maxPage: 100, refusesBig: true}, 4},
	} {
		t.Run(test.reason, func(t *testing.T) {
			f := newFixture(t)
			s := f.has(test.stock)
			files, err := f.caller("asks").Files(t.Context(), "name", f.clock.Now())
			if err != nil || len(files) != s.files || s.lists.Load() != test.lists {
				t.Errorf("%d of %d files in %d lists: %v", len(files), s.files, s.lists.Load(), err)
			}
			for name, of := range files {
				if len(of) != 1 || of[0].Filename != name || !strings.HasPrefix(name, "name-") {
					t.Errorf("%s is %+v", name, of)
				}
			}
		})
	}
}

// TestManyModelsAreListed holds that the list, which has no pages, may be long.
func TestManyModelsAreListed(t *testing.T) {
	f := newFixture(t)
	s := &stock{}
	for i := range 20_000 {
		s.models = append(s.models, mistral.Model{ID: fmt.Sprintf("ft:classifier:ministral-3b-latest:00000000:20260101:%d", i), Description: new(strings.Repeat("d", 200))})
	}
	f.has(s)
	if models, err := f.caller("asks").Models(t.Context(), f.clock.Now()); err != nil || len(models) != len(s.models) {
		t.Errorf("%d of %d models: %v", len(models), len(s.models), err)
	}
}
