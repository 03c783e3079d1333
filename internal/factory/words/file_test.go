package words

import (
	"bytes"
	"crypto/sha256"
	"reflect"
	"strings"
	"testing"
)

func TestFile(t *testing.T) {
	table, err := Import(write(t, "vectors", glove), Options{Words: 10, Languages: []string{"en"}})
	if err != nil {
		t.Fatal(err)
	}
	file := fileOf(t, table)
	read, err := Read(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(read, table) {
		t.Errorf("%+v, want %+v", read, table)
	}
	if !bytes.Equal(fileOf(t, read), file) {
		t.Error("the same table has other bytes")
	}
	for i := range file {
		damaged := bytes.Clone(file)
		damaged[i] ^= 0x10
		if _, err := Read(bytes.NewReader(damaged)); err == nil {
			t.Fatalf("byte %d of %d is another, and nobody notices", i, len(file))
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for _, test := range []struct{ reason, content, want string }{
		{"another file", "the 1 2 3\n" + strings.Repeat("cat 1 2 3\n", 10), "factory base import"},
		{"a newer file", "CFWORDS\x09" + strings.Repeat("x", 100), "version 9"},
		{"cut off", "CFWORDS\x01" + strings.Repeat("x", 100), "damaged or incomplete"},
		{"no words", signed("\x16" + `{"words":0,"dimension":2}`), "do not fit"},
		{"more words than bytes", signed("\x1c" + `{"words":1000000,"dimension":2}`), "do not fit"},
		{"a word twice", signed("\x19" + `{"words":2,"dimension":1}` + "\x01a\x01a\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01"), "do not fit"},
		{"a scale that is no number", signed("\x19" + `{"words":1,"dimension":1}` + "\x01a\x00\x00\xc0\x7f\x01"), "do not fit"},
		{"more than its parts", signed("\x19" + `{"words":1,"dimension":1}` + "\x01a\x00\x00\x00\x00\x01\x01"), "do not fit"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if _, err := Read(strings.NewReader(test.content)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

// signed has a checksum that is right.
func signed(content string) string {
	content = magic + content
	sum := sha256.Sum256([]byte(content))
	return content + string(sum[:])
}

func fileOf(t *testing.T, table *Table) []byte {
	var file bytes.Buffer
	if _, err := table.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func FuzzRead(f *testing.F) {
	f.Add("\x19" + `{"words":1,"dimension":1}` + "\x01a\x00\x00\x00\x00\x01")
	f.Fuzz(func(t *testing.T, content string) {
		table, err := Read(strings.NewReader(signed(content)))
		if err != nil {
			return
		}
		vectors, err := table.Represent(t.Context(), []string{content, "a"})
		if err != nil || len(vectors) != 2*table.Dimension() {
			t.Errorf("%d numbers, %v", len(vectors), err)
		}
		if again, err := Read(bytes.NewReader(fileOf(t, table))); err != nil || again.Words() != table.Words() {
			t.Errorf("what is written cannot be read: %v", err)
		}
	})
}

func FuzzImport(f *testing.F) {
	f.Add([]byte(glove))
	f.Add([]byte(word2vec("the", "cat")))
	f.Add([]byte("2 3\nthe 1 2 3\ncat 1 2 3"))
	f.Fuzz(func(t *testing.T, content []byte) {
		table, err := Import(write(t, "vectors", string(content)), Options{Words: 10})
		if err != nil {
			return
		}
		if _, err := Read(bytes.NewReader(fileOf(t, table))); err != nil {
			t.Errorf("what is imported cannot be read: %v", err)
		}
	})
}

func FuzzModel2vec(f *testing.F) {
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"), []byte(`{"model":{"type":"WordPiece","continuing_subword_prefix":"##","vocab":{"a":0}}}`))
	f.Fuzz(func(_ *testing.T, tensors, tokenizer []byte) {
		_, _ = parseVocabulary(tokenizer)
		t, err := newTensor(bytes.NewReader(tensors))
		for err == nil {
			_, err = t.next()
		}
	})
}
