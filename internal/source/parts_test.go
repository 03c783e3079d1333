package source

import (
	"io"
	"slices"
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
