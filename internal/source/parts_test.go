package source

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

func TestPartsHaveNamesThatAPersonKnows(t *testing.T) {
	c := newCluster(t, configMap("one", map[string]string{"a": "a1\n", "b.csv": ""}), configMap("two", map[string]string{"a": "other"}))
	for _, test := range []struct {
		reason string
		spec   classifierv1alpha1.DatasetSource
		want   []string
	}{
		{"text in the object has none", inlined("a1"), []string{""}},
		{"keys have their ConfigMaps'", keys("two", "a", "one", "b.csv", "one", "a"), []string{"two/a", "one/b.csv", "one/a"}},
	} {
		resolved, err := Resolve(t.Context(), c.readers(), namespace, test.spec)
		if err != nil {
			t.Fatal(err)
		}
		content := resolved.Open(t.Context())
		var got []string
		for {
			name, _, err := content.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, name)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("got %q, want %q: %s", got, test.want, test.reason)
		}
		if err := content.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestPartThatFailsIsNotSkipped asks again after a failure, as a reader may.
func TestPartThatFailsIsNotSkipped(t *testing.T) {
	broken := errors.New("broken")
	content := openParts([]part{
		{"bad", func() (io.ReadCloser, error) { return nil, broken }},
		{"good", func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("good")), nil }},
	})
	for range 2 {
		if name, _, err := content.Next(); !errors.Is(err, broken) || name != "bad" {
			t.Errorf("got %q, %v", name, err)
		}
	}
}

// TestEachPartIsClosed holds what keeps a source of many objects from holding as many connections.
func TestEachPartIsClosed(t *testing.T) {
	closed := 0
	counted := part{"counted", func() (io.ReadCloser, error) { return closeCounter{&closed}, nil }}
	content := openParts([]part{counted, counted, counted})
	for want := range 2 {
		if _, _, err := content.Next(); err != nil || closed != want {
			t.Errorf("%d are closed, want %d; %v", closed, want, err)
		}
	}
	for range 2 {
		if err := content.Close(); err != nil || closed != 2 {
			t.Errorf("%d are closed, want 2; %v", closed, err)
		}
	}
}

type closeCounter struct{ closed *int }

func (closeCounter) Read([]byte) (int, error) { return 0, io.EOF }

func (c closeCounter) Close() error {
	*c.closed++
	return nil
}
