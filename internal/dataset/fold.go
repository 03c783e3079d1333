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
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r < utf8.RuneSelf:
			if folded[r] != 0 {
				data = append(data, folded[r])
			}
		case r >= '\u4E00' && r <= '\u9FFF': // Chinese characters need no look into tables
			data = append(data, text[i:i+size]...)
		case r >= firstSyllable && r <= lastSyllable:
			data = appendSyllable(data, r)
		default:
			data = appendDecomposed(data, r, norm.NFKD.PropertiesString(text[i:]).Decomposition())
		}
		i += size
	}
	if folding := data[start:]; !norm.NFKD.IsNormal(folding) { // its marks are in another order
		data = append(data[:start], norm.NFKD.Bytes(folding)...)
	}
	return data
}

// appendDecomposed appends what the character folds to, or those that it is composed of.
func appendDecomposed(data []byte, r rune, decomposition []byte) []byte {
	if len(decomposition) == 0 {
		return appendFoldedRune(data, r)
	}
	for len(decomposition) > 0 {
		r, size := utf8.DecodeRune(decomposition)
		data = appendFoldedRune(data, r)
		decomposition = decomposition[size:]
	}
	return data
}

// The syllables of Korean, which no table decomposes: Unicode's section 3.12 has the rule.
const (
	firstSyllable, lastSyllable = '\uAC00', '\uD7A3'
	firstLead                   = '\u1100'
	firstVowel, vowels          = '\u1161', 21
	noTail, tails               = '\u11A7', 28
)

func appendSyllable(data []byte, r rune) []byte {
	number := r - firstSyllable
	data = utf8.AppendRune(data, firstLead+number/tails/vowels)
	data = utf8.AppendRune(data, firstVowel+number/tails%vowels)
	if tail := noTail + number%tails; tail != noTail {
		data = utf8.AppendRune(data, tail)
	}
	return data
}

// appendFoldedRune appends what a decomposed character is without case. All but
// these have a lower case that the upper case of every form of them leads to.
func appendFoldedRune(data []byte, r rune) []byte {
	switch {
	case r < utf8.RuneSelf && folded[r] != 0:
		return append(data, folded[r])
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

func isLeftOut(r rune) bool {
	if unicode.IsLetter(r) { // as most are
		return unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
	}
	return unicode.IsPunct(r) || isInvisibleRune(r)
}

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
