package words

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// split yields the words of a text, as they are in the table: lower-cased runs of letters,
// marks and digits. Symbols are words of tables of parts of words alone: elsewhere they
// say less than they hide.
func (t *Table) split(text string) iter.Seq[string] {
	text = t.fold(text)
	return func(yield func(string) bool) {
		for start := 0; start < len(text); {
			r, size := utf8.DecodeRuneInString(text[start:])
			end := start + size
			if t.inWord(r) {
				if length := strings.IndexFunc(text[end:], func(r rune) bool { return !t.inWord(r) }); length < 0 {
					end = len(text)
				} else {
					end += length
				}
			}
			isWord := t.inWord(r) || t.WordPiece && !unicode.IsSpace(r)
			if isWord && end-start <= maxWordBytes && !yield(text[start:end]) {
				return
			}
			start = end
		}
	}
}

// fold makes one of the ways to write the same. Tables of parts of words are made for texts
// without accents.
func (t *Table) fold(text string) string {
	if !t.WordPiece {
		return strings.ToLower(norm.NFKC.String(text))
	}
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) || unicode.IsControl(r) && !unicode.IsSpace(r) {
			return -1
		}
		return r
	}, norm.NFD.String(strings.ToLower(text)))
}

func (t *Table) inWord(r rune) bool {
	if t.WordPiece {
		return !unicode.IsSpace(r) && !unicode.IsPunct(r) && !unicode.Is(unicode.Han, r) && (r >= utf8.RuneSelf || !unicode.IsSymbol(r))
	}
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r)
}

// isOne tells whether a text is a single word as split yields it, but for its case.
func (t *Table) isOne(text string) (string, bool) {
	found := ""
	for word := range t.split(text) {
		if found != "" {
			return "", false
		}
		found = word
	}
	return found, found != "" && strings.EqualFold(found, t.fold(text))
}
