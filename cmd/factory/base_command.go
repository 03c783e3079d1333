package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/classifier-factory/classifier-factory/internal/factory"
)

// runBase is the command base, of which there is one.
func runBase(_ context.Context, arguments []string, output io.Writer) error {
	if len(arguments) == 0 || arguments[0] != "import" {
		return errors.New("the command is factory base import, which makes a table of published word vectors")
	}
	flags := flag.NewFlagSet("factory base import", flag.ContinueOnError)
	from := flags.String("from", "", "`file` of GloVe, word2vec or fastText (.vec), or folder of model2vec (required)")
	to := flags.String("to", "", "`file` that is made, for --base-models NAME=words:FILE (required)")
	words := flags.Int("words", 50_000, "words to import, the most frequent ones")
	languages := flags.String("languages", "", "comma-separated languages of the words, such as en,fr, for the base model's card")
	if err := parseAll(flags, arguments[1:], "from", "to"); err != nil {
		return err
	}
	var spoken []string
	if *languages != "" {
		spoken = strings.Split(*languages, ",")
	}
	imported, err := factory.ImportWords(*from, *to, *words, spoken)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(output, "%d words of %d numbers, %d bytes, sha256 %s\n", imported.Words, imported.Dimension, imported.Bytes, imported.Digest)
	return err
}
