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
		{"a kind that there is none of", "not words:FILE", []string{"a=magic:" + path}},
		{"no file is named", "not words:FILE", []string{"a=words:"}},
		{"there is no file", "no such file", []string{"a=words:" + path + ".other"}},
		{"the file was not imported", "factory base import", []string{"a=words:" + text}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if _, err := Open(test.flags, Encoders{}); err == nil || !strings.Contains(err.Error(), test.want) {
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
