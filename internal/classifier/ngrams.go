package classifier

import (
	"math/bits"

	"golang.org/x/text/unicode/norm"
)

const (
	// slotBits is the size of the hashed feature space. A larger one gains nothing
	// measurable, and a table of this size still fits a processor's cache.
	slotBits = 18
	slots    = 1 << slotBits

	// heldWords is how many slots of words are listed before they are counted.
	heldWords = 1 << 14
)

// ngrams holds the slots of one text's n-grams, with repetitions, in two groups.
type ngrams struct {
	words      []uint32
	characters characterNGrams

	// full takes the words of a long text whenever there are heldWords of them, which
	// are then not in words; nil: all are. A list of millions is copied as it grows, and
	// while Go copies everybody waits who is to be stopped.
	full func(words []uint32)

	previous uint64 // hash of the word before; 0 at the start
	pair     uint64 // hash of the word before and of the one before that
	run      run
	normal   norm.Iter // a piece of the text in its normal form
}

// run is what is being read between spaces, symbols and the other kind of script.
type run struct {
	unspaced bool   // whether each character is a word
	length   int    // in characters
	hash     uint64 // of the word, unless each is
	last     []rune // those that no character n-grams are taken from yet, after a space at the start
}

// endsWith is false after many characters, too.
func (r *run) endsWith(last rune) bool {
	return len(r.last) > 0 && r.last[len(r.last)-1] == last
}

// extract replaces the n-grams by those of text. A word is a run of letters, marks and
// digits or, in scripts that put no spaces between words, each of these; every other
// character that is not white space is a word of its own. Words come alone and by two,
// those of one character by three, too.
func (n *ngrams) extract(text string) {
	n.words = n.words[:0]
	n.characters.reset()
	n.previous = 0
	n.startRun()
	n.readFolded(text)
	n.endRun()
	if n.previous != 0 {
		n.words = append(n.words, slot(follow(n.previous, endSeed)))
	}
}

func (n *ngrams) addRune(r rune) {
	switch class := classOf(r); {
	case class&inWord != 0:
		n.addLetter(r, class)
	case class&space != 0:
		n.endRun()
	case class&invisible == 0:
		n.endRun()
		n.extend(r)
		n.endRun()
	}
}

func (n *ngrams) addLetter(r rune, class runeClass) {
	if isUnspaced := class&unspaced != 0; isUnspaced != n.run.unspaced {
		n.endRun()
		n.run.unspaced = isUnspaced
	}
	if class&capital != 0 {
		r = lower(r)
	}
	switch {
	case r == 'ß':
		n.extend('s')
		n.extend('s')
	case r == dotAbove && n.run.endsWith('i'):
		// is what some make of a Turkish capital
	default:
		n.extend(r)
	}
}

// dotAbove is a combining mark.
const dotAbove = '\u0307'

// extend adds a character to the run.
func (n *ngrams) extend(r rune) {
	n.run.length++
	if n.run.unspaced {
		n.addCharacter(mix(wordSeed, uint64(r)))
	} else {
		n.run.hash = mix(n.run.hash, uint64(r))
	}
	if n.run.last = append(n.run.last, r); len(n.run.last) == longestRun {
		n.characters.add(n.run.last)
		n.run.last = n.run.last[:0]
	}
}

// addCharacter adds a character that is a word.
func (n *ngrams) addCharacter(hash uint64) {
	pair := n.pair
	n.addWord(hash)
	if n.run.length > 2 {
		n.words = append(n.words, slot(follow(pair, hash)))
	}
}

// addWord adds a word, and a bigram of it and the word before. The first and the last
// word of a text have one, too, with the text's start and end.
func (n *ngrams) addWord(hash uint64) {
	if len(n.words) >= heldWords && n.full != nil {
		n.full(n.words)
		n.words = n.words[:0]
	}
	n.pair = follow(n.previous, hash)
	n.words = append(n.words, slot(hash), slot(n.pair))
	n.previous = hash
}

func (n *ngrams) startRun() {
	n.run = run{hash: wordSeed, last: append(n.run.last[:0], ' ')}
}

// endRun adds what is to be added of the run that ends here, if there is one.
func (n *ngrams) endRun() {
	if n.run.length == 0 {
		return
	}
	if !n.run.unspaced {
		n.addWord(n.run.hash)
	}
	n.run.last = append(n.run.last, ' ')
	n.characters.add(n.run.last)
	n.startRun()
}

// The seeds keep equal words and character n-grams apart.
const (
	wordSeed      = goldenRatio
	characterSeed = uint64(0xc2b2ae3d27d4eb4f)
	endSeed       = uint64(0x27d4eb2f165667c5)
)

// goldenRatio is its fraction, in 64 bits.
const goldenRatio = uint64(0x9e3779b97f4a7c15)

// mix is the step of the FNV-1a hash, taken over whole values instead of bytes.
func mix(hash, value uint64) uint64 {
	return (hash ^ value) * 0x100000001b3
}

// follow is the hash of what has the first hash and then of what has the second. Turning
// the first tells their order, and a word that is there twice from another.
func follow(first, second uint64) uint64 {
	return mix(bits.RotateLeft64(first, 31), second)
}

// slot spreads a hash's entropy to its upper bits and keeps those.
func slot(hash uint64) uint32 {
	hash ^= hash >> 32
	return uint32(hash * goldenRatio >> (64 - slotBits))
}
