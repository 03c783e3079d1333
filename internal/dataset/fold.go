package dataset

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Two texts are the same when their foldings are equal: their letters, digits and
// symbols after Unicode's compatibility normalization (NFKC), without case. White
// space, punctuation and what cannot be seen say nothing.

// appendFolded appends the folding of the text. Of a text without anything but
// punctuation that is the punctuation.
func appendFolded(data []byte, text string) []byte {
	start := len(data)
	for i := range len(text) {
		c := text[i]
		if c >= utf8.RuneSelf {
			data = appendFoldedRunes(data, text[i:])
			break
		}
		if folded[c] != 0 {
			data = append(data, folded[c])
		}
	}
	if len(data) == start {
		return appendVisible(data, text)
	}
	return data
}

// folded are the ASCII letters, digits and symbols, without their case. 0 is left out.
var folded = func() (folded [utf8.RuneSelf]byte) {
	for c := range byte(utf8.RuneSelf) {
		if !isLeftOut(rune(c)) {
			folded[c] = byte(unicode.ToLower(rune(c)))
		}
	}
	return folded
}()

// appendFoldedRunes does it for texts beyond ASCII. It leaves characters decomposed:
// that makes equal what composing them makes equal, and each folds by itself.
func appendFoldedRunes(data []byte, text string) []byte {
	start := len(data)
	data = append(data, norm.NFKD.AppendString(data[start:start], text)...)
	decomposed := len(data)
	for i := start; i < decomposed; {
		r, size := utf8.DecodeRune(data[i:decomposed])
		data = appendFoldedRune(data, r)
		i += size
	}
	folding := data[decomposed:]
	if !norm.NFKD.IsNormal(folding) { // something between two marks is left out
		folding = norm.NFKD.Bytes(folding)
	}
	return append(data[:start], folding...)
}

// appendFoldedRune appends what a decomposed character is without case. All but
// these have a lower case that the upper case of every form of them leads to.
func appendFoldedRune(data []byte, r rune) []byte {
	switch {
	case r < utf8.RuneSelf && folded[r] != 0:
		return append(data, folded[r])
	case r >= '\u4E00' && r <= '\u9FFF': // Chinese characters need no look into tables
		return utf8.AppendRune(data, r)
	case isLeftOut(r):
		return data
	case r == 'ß', r == 'ẞ':
		return append(data, "ss"...)
	case r == 'ı': // its upper case is that of another letter
		return utf8.AppendRune(data, r)
	}
	return utf8.AppendRune(data, unicode.ToLower(unicode.ToUpper(r)))
}

// appendVisible appends all of the text that can be seen.
func appendVisible(data []byte, text string) []byte {
	for _, r := range norm.NFKC.String(text) {
		if !isInvisibleRune(r) {
			data = utf8.AppendRune(data, r)
		}
	}
	return data
}

func isLeftOut(r rune) bool { return unicode.IsPunct(r) || isInvisibleRune(r) }

// isInvisible reports whether there is nothing to be seen of the text.
func isInvisible(text string) bool {
	for _, r := range text {
		if !isInvisibleRune(r) {
			return false
		}
	}
	return true
}

// isInvisibleRune reports whether the character is white space, a control or format
// character, or another one that is not shown.
func isInvisibleRune(r rune) bool {
	const brailleBlank = '\u2800' // a symbol to Unicode, but one of no dots
	if r < utf8.RuneSelf {
		return r <= ' ' || r == 0x7F
	}
	return r == brailleBlank || unicode.In(r, unicode.White_Space, unicode.Cc, unicode.Cf,
		unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
