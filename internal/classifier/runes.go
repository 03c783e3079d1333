package classifier

import (
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/unicode/rangetable"
)

// runeClass is what there is to know of a character to read a text.
type runeClass uint8

const (
	inWord    runeClass = 1 << iota // a letter, mark or digit
	space                           // what is neither, and visible, is a symbol
	unspaced                        // in a word, of a script that puts no spaces between words
	capital                         // its small letter is another character
	invisible                       // takes no room and shows nothing
	plain                           // visible, and in the normal form NFKC whatever is before
)

// classPages are the classes of most characters, which would take looks into a dozen
// tables. A page is filled when a text first has one of its characters: a process that
// trains on a few English rows would else spend a fifth of its time on all of them.
var classPages [256]atomic.Pointer[[256]runeClass]

func classOf(r rune) runeClass {
	if int(r) >= 256*len(classPages) {
		return newClass(r)
	}
	page := classPages[r/256].Load()
	if page == nil {
		page = fillPage(r / 256)
	}
	return page[r%256]
}

func fillPage(number rune) *[256]runeClass {
	page := &[256]runeClass{}
	for i := range page {
		page[i] = newClass(number*256 + rune(i))
	}
	classPages[number].Store(page)
	return page
}

// kindOf tells letters, spaces and symbols apart.
func kindOf(r rune) runeClass { return classOf(r) & (inWord | space) }

func newClass(r rune) (class runeClass) {
	switch {
	case unicode.Is(invisibleRunes, r):
		return invisible
	case unicode.In(r, unicode.L, unicode.M, unicode.Nd):
		class = inWord
		if unicode.Is(unspacedRunes, r) {
			class |= unspaced
		}
	case r <= ' ' || unicode.IsSpace(r):
		class = space
	}
	if lower(r) != r {
		class |= capital
	}
	var encoded [utf8.UTFMax]byte
	character := utf8.AppendRune(encoded[:0], r)
	if norm.NFKC.IsNormal(character) && norm.NFKC.Properties(character).BoundaryBefore() {
		class |= plain
	}
	return class
}

// invisibleRunes are, for instance, soft hyphens, marks of direction and what chooses a
// variant of the character before.
var invisibleRunes = rangetable.Merge(unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)

// unspacedRunes are of the scripts between whose characters Unicode allows a line to
// break (ID), or only where a dictionary says so (SA).
var unspacedRunes = rangetable.Merge(
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo, unicode.Yi,
	rangetable.New('\u3006', '\u3099', '\u309A', '\u30FC'), // of Japanese, but of no script to Unicode
	unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar,
	unicode.Tai_Le, unicode.New_Tai_Lue, unicode.Tai_Tham, unicode.Tai_Viet, unicode.Ahom,
)

// lower is the character without its case. All letters of which one is the capital of
// another have the same, so that a Greek sigma is one at the end of a word, too, and the
// two capitals I of Turkish, which others do not tell apart, are one with their small
// letters.
func lower(r rune) rune {
	switch r {
	case 'İ', 'ı':
		return 'i'
	case 'ẞ':
		return 'ß'
	case 'ς':
		return 'σ'
	}
	return unicode.ToLower(r)
}
