package main

import (
	"io"
	"maps"
	"testing"
)

func TestWhatIsSaidOfEncoders(t *testing.T) {
	for _, test := range []struct {
		reason, text string
		want         map[string]string // nil: it is refused
	}{
		{"one", "a=minilm", map[string]string{"a": "minilm"}},
		{"two", "a=minilm,b=e5", map[string]string{"a": "minilm", "b": "e5"}},
		{"a name with a tag", "a=nomic-embed-text:v1.5", map[string]string{"a": "nomic-embed-text:v1.5"}},
		{"an equals sign in a path", "a=/keys/of=a", map[string]string{"a": "/keys/of=a"}},
		{"no name", "=minilm", nil},
		{"nothing of a name", "a=", nil},
		{"a name alone", "minilm", nil},
		{"a comma too many", "a=minilm,", nil},
		{"a name twice", "a=minilm,a=e5", nil},
	} {
		t.Run(test.reason, func(t *testing.T) {
			var o options
			flags := o.flags()
			flags.SetOutput(io.Discard)
			err := flags.Parse([]string{"--embeddings-model", test.text, "--embeddings-key-file", test.text})
			if (err == nil) != (test.want != nil) || !maps.Equal(o.encoders.Models, test.want) || err == nil && !maps.Equal(o.encoders.KeyFiles, test.want) {
				t.Errorf("%v, %v, %v", o.encoders.Models, o.encoders.KeyFiles, err)
			}
		})
	}
}
