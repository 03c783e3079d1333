package dataset

import (
	"slices"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Two texts are the same when their foldings are equal: their letters, digits and
// symbols after Unicode's compatibility normalization (NFKC), without case. White
// space, punctuation and what cannot be seen say nothing.

// folder folds texts, one after the other, and finds where their words end on the way.
type folder struct {
	data  []byte   // the foldings
	ends  []uint32 // in data, of words, some empty: each starts where the one before ends
	known [256]runeFolding
}

// startsText marks an end at which a text starts, and no word ends.
const startsText = 1 << 31

// foldText is the folding of the text. Of a text without anything but punctuation that is the
// punctuation.
func foldText(text string) string {
	var f folder
	f.fold(text)
	return string(f.data)
}

// fold appends the folding of the text, and the ends of its words.
func (f *folder) fold(text string) {
	start := len(f.data)
	f.ends = append(f.ends, uint32(start)|startsText) //nolint:gosec // a row is far shorter
	firstEnd, marked := len(f.ends), false
	for rest := text; rest != ""; {
		if rest[0] < utf8.RuneSelf {
			rest = f.foldASCII(rest)
			continue
		}
		r, size := utf8.DecodeRuneInString(rest)
		marked = f.foldRune(r) || marked
		rest = rest[size:]
	}
	f.endWord()
	if marked {
		f.orderMarks(start, firstEnd)
	}
	if len(f.data) == start {
		f.data = appendVisible(f.data, text)
	}
}

// foldASCII folds the text's start, up to a character that is not ASCII, and returns the
// rest. It writes all that may be wanted and goes on behind what is: to ask of each
// character whether it parts words would be to guess wrong once a word.
func (f *folder) foldASCII(text string) (rest string) {
	const most = 4 << 10 // of which each character could be the end of a word
	start := text[:min(len(text), most)]
	data, ends := slices.Grow(f.data, len(start)), slices.Grow(f.ends, len(start))
	end, words, size := len(data), len(ends), len(start)
	data, ends = data[:end+size], ends[:words+size]
	for i := range len(start) {
		c := start[i]
		if c >= utf8.RuneSelf {
			size = i
			break
		}
		folding := asciiFoldings[c]
		data[end], ends[words] = byte(folding), uint32(end) //nolint:gosec // a row is far shorter
		end += int(folding >> keptBit & 1)
		words += int(folding >> partsBit)
	}
	f.data, f.ends = data[:end], ends[:words]
	return text[size:]
}

// endWord ends the word that is being folded.
func (f *folder) endWord() {
	f.ends = append(f.ends, uint32(len(f.data))) //nolint:gosec // a row is far shorter
}

// orderMarks orders the marks of letters as Unicode does. That changes places, and no size.
func (f *folder) orderMarks(start, firstEnd int) {
	folding := f.data[start:]
	if norm.NFKD.IsNormal(folding) {
		return
	}
	end := len(f.data)
	if f.data = append(f.data[:start], norm.NFKD.Bytes(folding)...); len(f.data) != end {
		f.ends = f.ends[:firstEnd] // but whoever relies on it finds none rather than wrong ones
	}
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

// asciiFoldings are what ASCII folds to, and above that two bits.
var asciiFoldings = func() (foldings [utf8.RuneSelf]uint16) {
	for c, folding := range folded {
		switch {
		case folding != 0:
			foldings[c] = uint16(folding) | 1<<keptBit
		case c != '\'':
			foldings[c] = 1 << partsBit
		}
	}
	return foldings
}()

const (
	keptBit  = 8 // it is not left out
	partsBit = 9 // it parts words
)

// runeFolding is what a character beyond ASCII folds to. Texts have few of them, again and
// again.
type runeFolding struct {
	r      rune
	size   uint8
	breaks breaks
	marks  bool // it begins with a mark, which may belong before those that precede it
	bytes  [9]byte
}

// breaks is how a character parts words.
type breaks uint8

const (
	breaksNone   breaks = iota
	breaksBefore        // it is between words
	breaksAround        // it is a word
)

// foldRune appends the folding of a character beyond ASCII. It leaves it decomposed: that
// makes equal what composing makes equal. It reports whether it begins with a mark.
func (f *folder) foldRune(r rune) (marks bool) {
	if r >= '\u4E00' && r <= '\u9FFF' { // Chinese characters need no look into tables
		f.endWord()
		f.data = utf8.AppendRune(f.data, r)
		f.endWord()
		return false
	}
	known := &f.known[r%256]
	if known.r != r {
		return f.learnRune(r)
	}
	f.addRune(known.bytes[:known.size], known.breaks)
	return known.marks
}

// learnRune is foldRune of a character that was not the last to have its place.
func (f *folder) learnRune(r rune) (marks bool) {
	var buffer [utf8.UTFMax * 18]byte // no character decomposes to more
	folding := appendRuneFolding(buffer[:0], r)
	breaks := breaksOf(r)
	marks = len(folding) > 0 && norm.NFKD.Properties(folding).LeadCCC() != 0
	f.addRune(folding, breaks)
	if known := &f.known[r%256]; len(folding) <= len(known.bytes) {
		*known = runeFolding{r: r, size: uint8(len(folding)), breaks: breaks, marks: marks} //nolint:gosec // as said above
		copy(known.bytes[:], folding)
	}
	return marks
}

func (f *folder) addRune(folding []byte, breaks breaks) {
	if breaks != breaksNone {
		f.endWord()
	}
	f.data = append(f.data, folding...)
	if breaks == breaksAround {
		f.endWord()
	}
}

func breaksOf(r rune) breaks {
	switch {
	case r == '’': // as ' does not
		return breaksNone
	case unicode.IsSpace(r) || unicode.IsPunct(r):
		return breaksBefore
	case r >= firstUnspaced && unicode.In(r, unspaced...):
		return breaksAround
	}
	return breaksNone
}

// unspaced are the scripts that put no space between words. Each of their
// characters counts as one.
var unspaced = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar}

const firstUnspaced = '\u0E01' // is Thai

func appendRuneFolding(data []byte, r rune) []byte {
	if r >= firstSyllable && r <= lastSyllable {
		return appendSyllable(data, r)
	}
	var character [utf8.UTFMax]byte
	return appendDecomposed(data, r, norm.NFKD.Properties(utf8.AppendRune(character[:0], r)).Decomposition())
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
