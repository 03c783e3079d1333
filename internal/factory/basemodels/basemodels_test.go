package basemodels

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/factory/words"
)

// table is a file with two words, the vector of one of which is given.
func table(t *testing.T, vector string) string {
	t.Helper()
	folder := t.TempDir()
	published, path := filepath.Join(folder, "published"), filepath.Join(folder, "table")
	if err := os.WriteFile(published, []byte("cat 1 2\ndog "+vector+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	imported, err := words.Import(published, words.Options{Words: 10, Languages: []string{"en"}})
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := imported.WriteTo(file); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpen(t *testing.T) {
	models, err := Open([]string{"plain", "english=words:" + table(t, "2 1")}, Encoders{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(models.Names(), []string{"plain", "english"}) {
		t.Errorf("%q", models.Names())
	}
	plain, english := models.Find("plain"), models.Find("english")
	if plain.Kind != Engine || plain.Representation != nil || plain.Dimension() != 0 {
		t.Errorf("%+v", plain)
	}
	if english.Kind != Words || english.Dimension() != 2 || !slices.Equal(english.Languages, []string{"en"}) || len(english.Digest) != 64 || english.MemoryBytes == 0 {
		t.Errorf("%+v", english)
	}
	if models.Find("other") != nil {
		t.Error("there is one that was not opened")
	}
}

func TestOpenRefuses(t *testing.T) {
	path := table(t, "2 1")
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("cat 1 2\ndog 2 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		reason, want string
		flags        []string
	}{
		{"a name is missing", "no name", []string{"a", ""}},
		{"the name of a table is missing", "no name", []string{"=words:" + path}},
		{"a name is there twice", `"a"`, []string{"a", "a=words:" + path}},
		{"a kind that there is none of", "not words:FILE or embeddings:URL", []string{"a=magic:" + path}},
		{"no file is named", "not words:FILE", []string{"a=words:"}},
		{"no URL is named", "or embeddings:URL", []string{"a=embeddings:"}},
		{"an encoder by its host alone", "http://", []string{"a=embeddings:encoder:8080"}},
		{"a key in an encoder's URL", "given apart from it", []string{"a=embeddings:https://user:" + secret + "@encoder"}},
		{"a key behind an encoder's URL", "query", []string{"a=embeddings:https://encoder/?key=" + secret}},
		{"there is no file", "no such file", []string{"a=words:" + path + ".other"}},
		{"the file was not imported", "factory base import", []string{"a=words:" + text}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if _, err := Open(test.flags, Encoders{}); err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), secret) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

const secret = "sesame"

func TestOpenRefusesWhatIsSaidOfEncoders(t *testing.T) {
	folder := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, test := range []struct {
		reason, want string
		encoders     Encoders
	}{
		{"nothing", "", Encoders{}},
		{"all", "", Encoders{Models: map[string]string{"a": "minilm"}, KeyFiles: map[string]string{"a": file("key", secret+"\n")}}},
		{"a model of none that is there", `"b"`, Encoders{Models: map[string]string{"b": "minilm"}}},
		{"a key of one without an encoder", `"plain"`, Encoders{KeyFiles: map[string]string{"plain": "key"}}},
		{"no such file", "no such file", Encoders{KeyFiles: map[string]string{"a": filepath.Join(folder, "other")}}},
		{"an empty file", "is empty", Encoders{KeyFiles: map[string]string{"a": file("empty", "\n")}}},
		{"a file that is no key", "more than 16384 bytes", Encoders{KeyFiles: map[string]string{"a": file("large", strings.Repeat(secret, 10000))}}},
		{"a key of two lines", "a control character", Encoders{KeyFiles: map[string]string{"a": file("two", secret+"\n"+secret)}}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			models, err := Open([]string{"plain", "a=embeddings:http://encoder:8080"}, test.encoders)
			if test.want == "" {
				if err != nil || models[1].Host() != "encoder:8080" || models[1].Dimension() != 0 || models.Close() != nil {
					t.Errorf("%+v, %v", models, err)
				}
			} else if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), secret) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func TestTrainedModelsAreServedWithWhatTheyWereTrainedWith(t *testing.T) {
	before, err := Open([]string{"english=words:" + table(t, "2 1")}, Encoders{})
	if err != nil {
		t.Fatal(err)
	}
	pinned := classifier.BaseModel{Name: "english", Digest: before[0].Digest, Dimension: 2}
	changed := "english=words:" + table(t, "2 3")
	for _, test := range []struct {
		reason, want string
		flags        []string
	}{
		{"the same", "", []string{before[0].Flag}},
		{"under another name", "", []string{changed, strings.Replace(before[0].Flag, "english", "old", 1)}},
		{"another table under its name", "has changed", []string{changed}},
		{"the engine under its name", "has changed", []string{"english"}},
		{"none", "does not offer", []string{"plain"}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			models, err := Open(test.flags, Encoders{})
			if err != nil {
				t.Fatal(err)
			}
			r, err := models.Trained(t.Context(), pinned)
			if test.want == "" && (err != nil || r == nil) || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}
