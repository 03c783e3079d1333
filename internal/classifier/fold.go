package classifier

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	// shortestPiece of a text is read at once unless it ends before, and longestPiece at most.
	shortestPiece = 32
	longestPiece  = 1 << 10
)

// readFolded reads a text in Unicode's normal form NFKC and without what cannot be seen,
// so that it does not matter how its characters are encoded.
func (n *ngrams) readFolded(text string) {
	for len(text) > 0 {
		end, isPlain := pieceEnd(text)
		if piece := text[:end]; isPlain {
			n.read(piece)
		} else {
			n.readNormal(piece)
		}
		text = text[end:]
	}
}

// pieceEnd is where the first piece of a text ends, and whether all of it is plain. It
// ends before a plain character, which nothing changes that is before.
func pieceEnd(text string) (end int, isPlain bool) {
	classes := plain
	for i, r := range text {
		class := classOf(r)
		if i >= shortestPiece && class&plain != 0 || i >= longestPiece {
			return i, classes != 0
		}
		classes &= class
	}
	return len(text), classes != 0
}

func (n *ngrams) readNormal(piece string) {
	if strings.ContainsFunc(piece, isInvisible) {
		piece = strings.Map(visible, piece)
	}
	normal := norm.NFKC.QuickSpanString(piece)
	n.read(piece[:normal])
	if normal == len(piece) {
		return
	}
	for n.normal.InitString(norm.NFKC, piece[normal:]); !n.normal.Done(); {
		for rest := n.normal.Next(); len(rest) > 0; {
			r, size := utf8.DecodeRune(rest)
			n.addRune(r)
			rest = rest[size:]
		}
	}
}

func isInvisible(r rune) bool { return classOf(r)&invisible != 0 }

func visible(r rune) rune {
	if isInvisible(r) {
		return -1
	}
	return r
}

func (n *ngrams) read(text string) {
	for _, r := range text {
		n.addRune(r)
	}
}
