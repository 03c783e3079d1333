package dataset

import "encoding/binary"

// isUTF8 is utf8.Valid for text of which some is not ASCII. It decides nothing by
// branches, which a processor cannot foresee in such text: each byte's steps are a
// word with six bits for each state, and the state is where its own six bits are.
func isUTF8(text []byte) bool {
	state := uint64(utf8Start)
	for ; len(text) >= 16; text = text[16:] {
		block := text[:16:16]
		if (binary.LittleEndian.Uint64(block)|binary.LittleEndian.Uint64(block[8:]))&highs == 0 && state&63 == utf8Start {
			continue
		}
		for _, c := range block {
			state = utf8Steps[c] >> (state & 63)
		}
	}
	for _, c := range text {
		state = utf8Steps[c] >> (state & 63)
	}
	return state&63 == utf8Start
}

// The states, by what may come next. From 0, which is a failure, all leads to 0.
const (
	utf8Start   = 6 * (iota + 1) // a character
	utf8Last                     // a character's last byte
	utf8Last2                    // its last two
	utf8Last3                    // its last three
	utf8AfterE0                  // two bytes, but not of a character that has a shorter form
	utf8AfterED                  // two bytes, but not of half a surrogate pair
	utf8AfterF0                  // three bytes, but not of a character that has a shorter form
	utf8AfterF4                  // three bytes, but not of more than there is
)

// utf8Steps are the steps of section 4 of RFC 3629.
var utf8Steps = func() (steps [256]uint64) {
	for _, step := range []struct {
		state       uint64
		first, last int
		next        uint64
	}{
		{utf8Start, 0x00, 0x7F, utf8Start},
		{utf8Start, 0xC2, 0xDF, utf8Last},
		{utf8Start, 0xE0, 0xE0, utf8AfterE0},
		{utf8Start, 0xE1, 0xEC, utf8Last2},
		{utf8Start, 0xED, 0xED, utf8AfterED},
		{utf8Start, 0xEE, 0xEF, utf8Last2},
		{utf8Start, 0xF0, 0xF0, utf8AfterF0},
		{utf8Start, 0xF1, 0xF3, utf8Last3},
		{utf8Start, 0xF4, 0xF4, utf8AfterF4},
		{utf8Last, 0x80, 0xBF, utf8Start},
		{utf8Last2, 0x80, 0xBF, utf8Last},
		{utf8Last3, 0x80, 0xBF, utf8Last2},
		{utf8AfterE0, 0xA0, 0xBF, utf8Last},
		{utf8AfterED, 0x80, 0x9F, utf8Last},
		{utf8AfterF0, 0x90, 0xBF, utf8Last2},
		{utf8AfterF4, 0x80, 0x8F, utf8Last2},
	} {
		for c := step.first; c <= step.last; c++ {
			steps[c] |= step.next << step.state
		}
	}
	return steps
}()
