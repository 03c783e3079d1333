package words

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

const glove = "the 0.1 0.2 0.3\ncat 1 0 -1\nNew_York 1 1 1\nCat 5 5 5\ncafé 0.5 -0.5 2\n. 1 2 3\n"

func TestImport(t *testing.T) {
	for _, test := range []struct {
		reason, content string
		words           []string
	}{
		{"GloVe has no first line", glove, []string{"the", "cat", "café"}},
		{"word2vec as text, and fastText, say how many there are", "6 3\n" + glove, []string{"the", "cat", "café"}},
		{"fastText ends its lines with a space", "2 2\ncat 1 2 \ndog 3 4 \n", []string{"cat", "dog"}},
		{"word2vec in binary", word2vec("the", "cat", "New_York", "Cat", "café"), []string{"the", "cat", "café"}},
		{"some of GloVe's words have spaces", "the 1 2 3\n. . . 1 2 3\ncat 1 2 3\n", []string{"the", "cat"}},
		{"a vector of zeros says nothing", "the 0 0 0\ncat 1 2 3\n", []string{"cat"}},
		{"nor does what is no number", "the nan 1 2\nof inf 1 2\ncat 1 2 3\n", []string{"cat"}},
		{"the last line need not end", "the 1 2\ncat 1 2", []string{"the", "cat"}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			table, err := Import(write(t, "vectors", test.content), Options{Words: 10})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(table.words, test.words) {
				t.Errorf("%q, want %q", table.words, test.words)
			}
		})
	}
}

func TestImportTakesTheFirstWords(t *testing.T) {
	table, err := Import(write(t, "vectors", glove), Options{Words: 2})
	if err != nil || table.Words() != 2 {
		t.Errorf("%v words, %v", table, err)
	}
}

func TestImportRefuses(t *testing.T) {
	for _, test := range []struct{ reason, content, want string }{
		{"nothing is there", "", "no words"},
		{"no vectors", "Dear all,\nplease find\n", "none of GloVe, word2vec or fastText"},
		{"a line is cut off", "the 1 2 3\ncat 1 2\n", "line 2"},
		{"no number", "the 1 2\ncat 1 x\n", "number 2 of 2"},
		{"the file of word2vec is cut off", word2vec("the", "cat")[:28], "in the middle of a vector"},
		{"more numbers than anybody has", "2 1000000\nthe 1\n", "at most 4096"},
		{"compressed", "\x1f\x8b\x08\x00abc", "unpack it first"},
		{"a line without an end", "the " + strings.Repeat("1", maxLineBytes), "more than"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			_, err := Import(write(t, "vectors", test.content), Options{Words: 10})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

// word2vec is the binary form, with vectors of three numbers.
func word2vec(words ...string) string {
	var file bytes.Buffer
	fmt.Fprintf(&file, "%d 3\n", len(words))
	for i, word := range words {
		file.WriteString(word + " ")
		_ = binary.Write(&file, binary.LittleEndian, []float32{float32(i) + 1.5, -2.25, 1e-3})
		file.WriteByte('\n')
	}
	return file.String()
}

func TestRepresent(t *testing.T) {
	table, err := Import(write(t, "vectors", glove), Options{Words: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		reason, text, same string
	}{
		{"case does not count", "CAT", "cat"},
		{"nor how accents are written", norm.NFD.String("café"), "café"},
		{"nor wide letters", "ｃａｔ", "cat"},
		{"unknown words are left out", "cat zebra", "cat"},
		{"symbols are left out", "the cat.", "the cat"},
		{"order does not count", "cat the", "the cat"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			vectors, err := table.Represent(t.Context(), []string{test.text, test.same})
			if err != nil || !slices.Equal(vectors[:3], vectors[3:]) || vectors[0] == 0 {
				t.Errorf("%v, %v", vectors, err)
			}
		})
	}
	vectors, err := table.Represent(t.Context(), []string{"zebra", "cat", ""})
	if want := []float32{0, 0, 0, 1, 0, -1, 0, 0, 0}; err != nil || !proportional(vectors, want) {
		t.Errorf("%v, %v, want a multiple of %v", vectors, err, want)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := table.Represent(cancelled, []string{"cat"}); err == nil {
		t.Error("it goes on for somebody who is gone")
	}
}

func TestFrequentWordsWeighLess(t *testing.T) {
	content := "the 1 0\n" + strings.Repeat(", 1 1\n", 5000) + "zebra 0 1\n"
	table, err := Import(write(t, "vectors", content), Options{Words: 10})
	if err != nil {
		t.Fatal(err)
	}
	vector, err := table.Represent(t.Context(), []string{"the zebra"})
	if err != nil || vector[1] < 10*vector[0] || vector[0] <= 0 {
		t.Errorf("%v, %v", vector, err)
	}
}

func TestImportModel2vec(t *testing.T) {
	for _, kind := range []string{"F32", "F16"} {
		t.Run(kind, func(t *testing.T) {
			table, err := Import(model2vec(t, nil, kind), Options{Words: 100, Languages: []string{"en"}})
			if err != nil {
				t.Fatal(err)
			}
			for _, test := range []struct {
				reason, text string
				want         []float32
			}{
				{"a word", "play", []float32{1, 0}},
				{"a word of parts", "replaying", []float32{-1, 1}},
				{"accents are left out", "Pläy", []float32{1, 0}},
				{"a word with an unknown part", "playwright", []float32{0, 0}},
				{"the mean of words", "play re", []float32{1, -1}},
			} {
				vector, err := table.Represent(t.Context(), []string{test.text})
				if err != nil || !proportional(vector, test.want) {
					t.Errorf("%s: %v, %v, want %v", test.reason, vector, err, test.want)
				}
			}
		})
	}
}

func TestImportRefusesOtherModels(t *testing.T) {
	for _, test := range []struct {
		reason string
		change func(tokenizer, header map[string]any)
		want   string
	}{
		{"another tokenizer", func(tokenizer, _ map[string]any) { tokenizer["model"].(map[string]any)["type"] = "Unigram" }, "only WordPiece"},
		{"case counts", func(tokenizer, _ map[string]any) { tokenizer["normalizer"].(map[string]any)["lowercase"] = false }, "lower-cases"},
		{"gaps between the numbers", func(tokenizer, _ map[string]any) {
			tokenizer["model"].(map[string]any)["vocab"].(map[string]int)["re"] = 7
		}, "numbered from 0"},
		{"more vectors than words", func(_, header map[string]any) {
			header["embeddings"] = map[string]any{"dtype": "F32", "shape": []int{9, 2}, "data_offsets": []int{0, 72}}
		}, "9 vectors"},
		{"vectors shared by words", func(_, header map[string]any) { header["mapping"] = header["embeddings"] }, `"mapping" is not supported`},
		{"whole numbers", func(_, header map[string]any) {
			header["embeddings"] = map[string]any{"dtype": "I8", "shape": []int{4, 2}, "data_offsets": []int{0, 8}}
		}, "only F16 and F32"},
		{"a shape that is too large", func(_, header map[string]any) {
			header["embeddings"] = map[string]any{"dtype": "F32", "shape": []int{1 << 40, 1 << 40}, "data_offsets": []int{0, 8}}
		}, "no shape"},
		{"a shape that does not fit", func(_, header map[string]any) {
			header["embeddings"] = map[string]any{"dtype": "F32", "shape": []int{4, 2}, "data_offsets": []int{-8, 24}}
		}, "as many bytes"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			_, err := Import(model2vec(t, test.change, "F32"), Options{Words: 100})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

// model2vec is a folder with four words, as a test changes it.
func model2vec(t *testing.T, change func(tokenizer, header map[string]any), kind string) string {
	vectors := []float32{1, 0, 0, -1, -2, 2, 0.5, 0.5}
	vocabulary := map[string]int{"play": 0, "re": 1, "##play": 2, "##ing": 3}
	numbers := new(bytes.Buffer)
	for _, number := range vectors {
		if kind == "F16" {
			_ = binary.Write(numbers, binary.LittleEndian, uint16(math.Float32bits(number)>>16&0x8000|(math.Float32bits(number)>>13-0x1c000)&0x7fff)*nonZero(number))
		} else {
			_ = binary.Write(numbers, binary.LittleEndian, number)
		}
	}
	tokenizer := map[string]any{
		"model":      map[string]any{"type": "WordPiece", "continuing_subword_prefix": "##", "vocab": maps.Clone(vocabulary)},
		"normalizer": map[string]any{"type": "BertNormalizer", "lowercase": true, "strip_accents": nil},
	}
	header := map[string]any{
		"__metadata__": map[string]string{"format": "pt"},
		"embeddings":   map[string]any{"dtype": kind, "shape": []int{4, 2}, "data_offsets": []int{0, numbers.Len()}},
	}
	if change != nil {
		change(tokenizer, header)
	}
	folder := t.TempDir()
	head, _ := json.Marshal(header)
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(head)))
	file = append(append(file, head...), numbers.Bytes()...)
	vocabularyFile, _ := json.Marshal(tokenizer)
	for name, content := range map[string][]byte{"model.safetensors": file, "tokenizer.json": vocabularyFile} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func nonZero(number float32) uint16 {
	if number == 0 {
		return 0
	}
	return 1
}

func proportional(a, b []float32) bool {
	dot, squareA, squareB := 0.0, 0.0, 0.0
	for i := range a {
		dot += float64(a[i]) * float64(b[i])
		squareA += float64(a[i]) * float64(a[i])
		squareB += float64(b[i]) * float64(b[i])
	}
	return squareA*squareB == 0 && squareA == squareB || dot > 0.999*math.Sqrt(squareA*squareB)
}

func write(t *testing.T, name, content string) string {
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
