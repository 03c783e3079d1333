package words

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// maxLineBytes is more than a word and its numbers take.
const maxLineBytes = 1 << 17

// importVectors reads a file of GloVe, word2vec or fastText.
func (t *Table) importVectors(in *bufio.Reader, words int) error {
	dimension, err := readHead(in)
	if err != nil {
		return err
	}
	if dimension > 0 && isBinary(in) {
		t.Numbers = dimension
		return t.importBinary(in, words)
	}
	return t.importText(in, words)
}

// readHead reads the line that word2vec and fastText begin with, the numbers of words and
// of dimensions. GloVe has none: the dimension is zero.
func readHead(in *bufio.Reader) (dimension int, err error) {
	start, err := in.Peek(maxHeadBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	line, _, found := bytes.Cut(start, []byte("\n"))
	fields := bytes.Fields(line)
	if !found || len(fields) != 2 {
		return 0, nil
	}
	count, err := strconv.Atoi(string(fields[0]))
	if err != nil {
		return 0, nil
	}
	dimension, err = strconv.Atoi(string(fields[1]))
	if err != nil || count < 1 || dimension < 2 { // it is a word with a vector of one number
		return 0, nil
	}
	if dimension > maxDimension {
		return 0, fmt.Errorf("vectors of %d numbers: at most %d are supported", dimension, maxDimension)
	}
	_, err = in.Discard(len(line) + 1)
	return dimension, err
}

// maxHeadBytes is more than two numbers take.
const maxHeadBytes = 64

// isBinary tells whether what follows the first word is no number as text.
func isBinary(in *bufio.Reader) bool {
	start, _ := in.Peek(maxWordBytes + maxHeadBytes)
	_, numbers, _ := bytes.Cut(start, []byte(" "))
	if end := bytes.IndexAny(numbers, " \r\n"); end >= 0 {
		numbers = numbers[:end]
	}
	_, err := strconv.ParseFloat(string(numbers), 32)
	return err != nil
}

// importBinary reads word2vec's binary form: a word, a space, its numbers.
func (t *Table) importBinary(in *bufio.Reader, words int) error {
	vector := make([]float32, t.Numbers)
	for rank := 0; len(t.words) < words; rank++ {
		word, err := readWord(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = binary.Read(in, binary.LittleEndian, vector)
		}
		if err != nil {
			return fmt.Errorf("word %d: %w", rank+1, cut(err))
		}
		t.addWord(word, vector, rank)
	}
	return nil
}

// readWord reads up to a space. Line breaks before the word are of the one before.
func readWord(in *bufio.Reader) (string, error) {
	var word []byte
	for {
		b, err := in.ReadByte()
		switch {
		case errors.Is(err, io.EOF) && len(word) > 0:
			return "", io.ErrUnexpectedEOF
		case err != nil:
			return "", err
		case b == ' ':
			return string(word), nil
		case b == '\n' && len(word) == 0:
		case len(word) > maxLineBytes:
			return "", fmt.Errorf("it has more than %d bytes: the file is no vectors of word2vec", maxLineBytes)
		default:
			word = append(word, b)
		}
	}
}

func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file ends in the middle of a vector")
	}
	return err
}

// importText reads lines of a word and its numbers, between spaces.
func (t *Table) importText(in *bufio.Reader, words int) error {
	var vector []float32
	for rank := 0; len(t.words) < words; rank++ {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return fmt.Errorf("line %d of the vectors has more than %d bytes", rank+1, maxLineBytes)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if len(line) == 0 {
			return nil
		}
		word := ""
		if word, vector, err = t.parseLine(line, vector[:0]); err != nil {
			return fmt.Errorf("line %d of the vectors: %w", rank+1, err)
		}
		t.addWord(word, vector, rank)
	}
	return nil
}

// parseLine takes the numbers for the last fields: there are words with spaces in them.
func (t *Table) parseLine(line []byte, vector []float32) (string, []float32, error) {
	fields := bytes.Split(bytes.TrimRight(line, " \t\r\n"), []byte(" "))
	if t.Numbers == 0 {
		t.Numbers = len(fields) - 1
	}
	switch first := len(fields) - t.Numbers; {
	case t.Numbers < 2:
		return "", nil, errors.New("no word and at least two numbers between spaces: the file is none of GloVe, word2vec or fastText")
	case t.Numbers > maxDimension:
		return "", nil, fmt.Errorf("%d numbers: at most %d are supported", t.Numbers, maxDimension)
	case first < 1:
		return "", nil, fmt.Errorf("%d numbers instead of %d", len(fields)-1, t.Numbers)
	default:
		for i, field := range fields[first:] {
			number, err := strconv.ParseFloat(string(field), 32)
			if err != nil {
				return "", nil, fmt.Errorf("number %d of %d cannot be read", i+1, t.Numbers)
			}
			vector = append(vector, float32(number))
		}
		return string(bytes.Join(fields[:first], []byte(" "))), vector, nil
	}
}

// addWord adds what texts can have as a word, by the first, most frequent way to write it.
func (t *Table) addWord(word string, vector []float32, rank int) {
	if len(word) > maxWordBytes || !utf8.ValidString(word) {
		return
	}
	if word, ok := t.isOne(word); ok {
		t.add(word, vector, smoothInverseFrequency(rank))
	}
}
