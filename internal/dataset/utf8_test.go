package dataset

import (
	"testing"
	"unicode/utf8"
)

// TestIsUTF8 tries every sequence of bytes that matter, alone and between blocks of
// ASCII.
func TestIsUTF8(t *testing.T) {
	edges := []byte{0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1,
		0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF}
	const padding = "0123456789abcdef"
	var try func(text []byte, more int)
	try = func(text []byte, more int) {
		for _, around := range [][2]string{{"", ""}, {padding, ""}, {padding[1:], padding}, {padding[1:], padding + "\x80"}, {padding[2:], "b"}} {
			padded := []byte(around[0] + string(text) + around[1])
			if got, want := isUTF8(padded), utf8.Valid(padded); got != want {
				t.Fatalf("%x is UTF-8: %t, want %t", padded, got, want)
			}
		}
		if more == 0 {
			return
		}
		for _, c := range edges {
			try(append(text[:len(text):len(text)], c), more-1)
		}
	}
	try(nil, 4)
}
