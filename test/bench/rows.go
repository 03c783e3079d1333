package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A tenth of the rows is of foreign words, a fifth of those with escapes.
var (
	words        = strings.Fields("where is the card I ordered last week and why does my account show a transfer")
	foreignWords = strings.Fields("où est la carte que j’ai commandée là-bas déjà ça coûte très cher")
	escapedWords = strings.Fields(`where is \n my \"card\" and why does the \u00e9t\u00e9 last C:\\temp \ud83d\ude00 week`)
)

// kinds are of rows: with text and with messages. Both have a mean of 386 bytes.
var kinds = [2]func(random *rand.Rand, row []byte) []byte{appendText, appendChat}

// appendRows appends whole rows until there are size bytes, or a part of a row more.
func appendRows(rows []byte, size, kind int, random *rand.Rand) []byte {
	for len(rows) < size {
		rows = kinds[kind](random, rows)
	}
	return rows
}

func appendText(random *rand.Rand, row []byte) []byte {
	row = append(row, `{"text": "`...)
	row = appendWords(random, row, vocabulary(random), 65)
	return fmt.Appendf(row, `", "labels": {"intent": "intent_%d"}}`+"\n", random.IntN(77))
}

func appendChat(random *rand.Rand, row []byte) []byte {
	vocabulary := vocabulary(random)
	row = append(row, `{"messages": [{"role": "system", "content": "`...)
	row = appendWords(random, row, vocabulary, 8)
	row = append(row, `"}, {"role": "user", "content": "`...)
	row = appendWords(random, row, vocabulary, 20)
	row = append(row, `"}, {"role": "assistant", "content": "`...)
	row = appendWords(random, row, vocabulary, 11)
	return fmt.Appendf(row, `"}], "labels": {"intent": "intent_%d", "topics": ["topic_%d", "other"]}}`+"\n", random.IntN(77), random.IntN(28))
}

func vocabulary(random *rand.Rand) []string {
	switch random.IntN(10) {
	case 0:
		return foreignWords
	case 1, 2:
		return escapedWords
	}
	return words
}

// appendWords appends as many words as the mean, or up to a half more or less.
func appendWords(random *rand.Rand, text []byte, vocabulary []string, mean int) []byte {
	for range mean/2 + random.IntN(mean) {
		text = append(text, vocabulary[random.IntN(len(vocabulary))]...)
		text = append(text, ' ')
	}
	return text
}
