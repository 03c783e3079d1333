package factory

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/classifier-factory/classifier-factory/internal/factory/words"
)

// ImportedWords say what became of published word vectors.
type ImportedWords struct {
	Words, Dimension int
	Bytes            int64
	Digest           string
}

// ImportWords makes a table of a base model's words of published vectors, in a file that
// is there as a whole or not at all.
func ImportWords(from, to string, most int, languages []string) (ImportedWords, error) {
	table, err := words.Import(from, words.Options{Words: most, Languages: languages})
	if err != nil {
		return ImportedWords{}, err
	}
	file, err := os.CreateTemp(filepath.Dir(to), "."+filepath.Base(to)+"-*")
	if err != nil {
		return ImportedWords{}, err
	}
	size, err := table.WriteTo(file)
	err = errors.Join(err, file.Chmod(0o644), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), to)
	}
	if err != nil {
		return ImportedWords{}, errors.Join(err, os.Remove(file.Name()))
	}
	return ImportedWords{table.Words(), table.Dimension(), size, table.Digest()}, nil
}
