package storage

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/source"
)

func TestOneObject(t *testing.T) {
	everywhere(t, func(t *testing.T, s *store) {
		s.fill(t, "intents.jsonl", "first\nsecond")
		s.fill(t, "intents.jsonl.old", "not asked for\n")
		for _, name := range []string{"intents.jsonl", "folder/with a blank/äöü+&=.jsonl"} {
			s.fill(t, name, "first\nsecond")
			resolved := s.resolve(t, name)
			for range 2 { // every opening starts at the start
				if got, err := read(t.Context(), resolved); err != nil || got != "first\nsecond\n" {
					t.Errorf("%s: got %q, %v", name, got, err)
				}
			}
		}
	})
}

func TestPrefix(t *testing.T) {
	everywhere(t, func(t *testing.T, s *store) {
		s.fill(t, "intents/b.jsonl", "b1\nb2")
		s.fill(t, "intents/c/nested.jsonl", "c1\n")
		s.fill(t, "intents/a.jsonl", "a1\n")
		s.fill(t, "intents/_SUCCESS", "")
		s.fill(t, "intents-of-another-team/a.jsonl", "not under the prefix\n")
		if got, want := s.content(t, "intents/"), "a1\nb1\nb2\nc1\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// TestWhatSparkLeaves takes the folder that a job of Spark wrote, and a person chose from.
func TestWhatSparkLeaves(t *testing.T) {
	everywhere(t, func(t *testing.T, s *store) {
		for name, content := range map[string]string{
			"intents/_SUCCESS":                        "",
			"intents/_metadata":                       "no sample\n",
			"intents/.part-0.crc":                     "no sample\n",
			"intents/intent=refund/part-0.jsonl":      "a\n",
			"intents/intent=refund/part-1.jsonl":      "",
			"intents/intent=refund/part-2.txt":        "not chosen\n",
			"intents/intent=refund/.part-0.jsonl.crc": "no sample\n",
			"intents/_c0=1/part-0.jsonl":              "b\n",
			"intents/_temporary/0/part-0.jsonl":       "no sample\n",
			"intents/test/part-0.jsonl":               "not chosen\n",
		} {
			s.fill(t, name, content)
		}
		spec := s.spec("intents/")
		spec.Include, spec.Exclude = []string{"**/*.jsonl"}, []string{"test/**"}
		look := func() source.Source {
			resolved, err := s.try(t.Context(), spec, s.options())
			if err != nil {
				t.Fatal(err)
			}
			return resolved
		}
		before := look()
		if got, err := read(t.Context(), before); err != nil || got != "b\na\n" {
			t.Errorf("got %q, %v", got, err)
		}
		if got, want := source.LeftOut(before), "8 objects are left out: .part-0.crc, _SUCCESS, _metadata and 5 more"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}

		s.fill(t, "intents/_SUCCESS", "finished again")
		s.fill(t, "intents/test/part-1.jsonl", "not chosen\n")
		after := look()
		if after.Identity() != before.Identity() {
			t.Error("the identity changes with what is not read")
		}
		if got, want := source.LeftOut(after), "9 objects are left out: "; !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		s.fill(t, "intents/intent=refund/part-1.jsonl", "c\n")
		if look().Identity() == before.Identity() {
			t.Error("the identity stays though there is more to read")
		}
	})
}

// A page of a list has 1000 objects.
func TestMoreObjectsThanAPage(t *testing.T) {
	everywhere(t, func(t *testing.T, s *store) {
		const count, workers = 1001, 16
		var filling sync.WaitGroup
		for worker := range workers {
			filling.Go(func() {
				for i := worker; i < count; i += workers {
					if err := s.put(t.Context(), fmt.Sprintf("parts/%04d", i), strings.NewReader(fmt.Sprint(i)), ""); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		filling.Wait()
		var want bytes.Buffer
		for i := range count {
			fmt.Fprintln(&want, i)
		}
		if got := s.content(t, "parts/"); got != want.String() {
			t.Errorf("got %d bytes, want %d", len(got), want.Len())
		}
	})
}

func TestCompressedObjectsAreReadAsTheyAreStored(t *testing.T) {
	compressed := func(text string) string {
		var stored bytes.Buffer
		writer := gzip.NewWriter(&stored)
		_, _ = io.WriteString(writer, text)
		_ = writer.Close()
		return stored.String()
	}
	everywhere(t, func(t *testing.T, s *store) {
		s.fill(t, "intents/a.gz", compressed("a1"))
		// Clients such as browsers would decompress this one.
		s.fillEncoded(t, "intents/b.gz", compressed("b1"), "gzip")
		for name, want := range map[string]string{
			"intents/a.gz": compressed("a1") + "\n",
			"intents/b.gz": compressed("b1") + "\n",
			"intents/":     compressed("a1") + "\n" + compressed("b1") + "\n",
		} {
			if got, err := read(t.Context(), s.resolve(t, name)); err != nil || got != want {
				t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
			}
		}
	})
}

func TestIdentity(t *testing.T) {
	everywhere(t, func(t *testing.T, s *store) {
		s.fill(t, "intents/a.jsonl", "a1\n")
		s.fill(t, "intents/b.jsonl", "b1\n")
		for name, changed := range map[string]string{"intents/": "a2\n", "intents/a.jsonl": "a3\n"} {
			before := s.resolve(t, name).Identity()
			if again := s.resolve(t, name).Identity(); again != before {
				t.Errorf("%s: the identity changes though nothing did", name)
			}
			s.fill(t, "intents/a.jsonl", changed)
			if after := s.resolve(t, name).Identity(); after == before {
				t.Errorf("%s: the identity stays though the content changed", name)
			}
		}
		before := s.resolve(t, "intents/").Identity()
		if err := s.remove(t.Context(), "intents/b.jsonl"); err != nil {
			t.Fatal(err)
		}
		if after := s.resolve(t, "intents/").Identity(); after == before {
			t.Error("the identity stays though an object went")
		}
	})
}

func TestChangeAfterResolving(t *testing.T) {
	for _, test := range []struct {
		reason string
		change func(t *testing.T, s *store)
		want   error
	}{
		{"same size, other content", func(t *testing.T, s *store) { s.fill(t, "intents/a.jsonl", "A1\n") }, source.ErrChanged},
		{"other size", func(t *testing.T, s *store) { s.fill(t, "intents/b.jsonl", "b1\nb2\n") }, source.ErrChanged},
		{"gone", func(t *testing.T, s *store) {
			if err := s.remove(t.Context(), "intents/b.jsonl"); err != nil {
				t.Fatal(err)
			}
		}, source.ErrChanged},
		{"a new object is not part of what was resolved", func(t *testing.T, s *store) { s.fill(t, "intents/c.jsonl", "c1\n") }, nil},
	} {
		t.Run(test.reason, func(t *testing.T) {
			everywhere(t, func(t *testing.T, s *store) {
				s.fill(t, "intents/a.jsonl", "a1\n")
				s.fill(t, "intents/b.jsonl", "b1\n")
				resolved := s.resolve(t, "intents/")
				test.change(t, s)
				got, err := read(t.Context(), resolved)
				if !errors.Is(err, test.want) {
					t.Errorf("got %q, %v, want %v", got, err, test.want)
				}
			})
		})
	}
}
