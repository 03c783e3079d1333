package words

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Options say what to import.
type Options struct {
	Words     int      // at most, the first ones: files have the most frequent words first
	Languages []string // of the words, if they are known
}

// Import reads the vectors that others have published: a file of GloVe, of word2vec, as
// text or binary, or of fastText (.vec), or a folder of model2vec. What is wrong with
// them is in the error.
func Import(path string, options Options) (*Table, error) {
	if options.Words < 1 || options.Words > maxWords {
		return nil, fmt.Errorf("%d words: a table has from 1 to %d", options.Words, maxWords)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	t := &Table{about: about{Spoken: options.Languages}, rows: map[string]int32{}}
	if info.IsDir() {
		err = t.importFolder(path, options.Words)
	} else {
		err = t.importFile(path, options.Words)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	case len(t.words) == 0:
		return nil, fmt.Errorf("%s: it has no words with vectors", path)
	case len(t.vectors) > maxFileBytes/2:
		return nil, fmt.Errorf("%s: %d words of %d numbers are too many for a table: ask for fewer words", path, len(t.words), t.Numbers)
	}
	return t, t.seal()
}

func (t *Table) importFile(path string, words int) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewReaderSize(file, maxLineBytes)
	if isArchive(in) {
		return errors.New("it is compressed: unpack it first")
	}
	return t.importVectors(in, words)
}

// isArchive recognises gzip, zip and Zstandard.
func isArchive(in *bufio.Reader) bool {
	start, _ := in.Peek(4)
	switch string(start) {
	case "\x1f\x8b\x08\x00", "\x1f\x8b\x08\x08", "PK\x03\x04", "\x28\xb5\x2f\xfd":
		return true
	}
	return false
}

// importFolder reads what model2vec saves. Its vectors are weighted already.
func (t *Table) importFolder(folder string, words int) error {
	vocabulary, err := readVocabulary(filepath.Join(folder, "tokenizer.json"))
	if err != nil {
		return fmt.Errorf("tokenizer.json: %w", err)
	}
	vectors, err := openTensor(filepath.Join(folder, "model.safetensors"))
	if err != nil {
		return fmt.Errorf("model.safetensors: %w", err)
	}
	defer vectors.close()
	if vectors.rows != len(vocabulary) {
		return fmt.Errorf("model.safetensors has %d vectors, and tokenizer.json %d words", vectors.rows, len(vocabulary))
	}
	t.Numbers, t.WordPiece = vectors.columns, true
	for _, word := range vocabulary {
		vector, err := vectors.next()
		if err != nil {
			return fmt.Errorf("model.safetensors: %w", err)
		}
		if len(t.words) < words && word != "" && len(word) <= maxWordBytes {
			t.add(word, vector, 1)
		}
	}
	return nil
}

// commonness is how often the most frequent words are used: by Zipf's law the one of rank
// r is some 0.1/(r+2.7) of a text. rareness is the frequency at which a word has half of
// its weight.
const (
	commonness = 0.1
	rankOffset = 2.7
	rareness   = 1e-3
)

// smoothInverseFrequency is the weight of the word with a rank, counted from 0, in the
// mean of a text (Arora et al. 2017).
func smoothInverseFrequency(rank int) float32 {
	return float32(rareness / (rareness + commonness/(float64(rank)+1+rankOffset)))
}
