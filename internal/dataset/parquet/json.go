package parquet

import "encoding/binary"

// appendQuoted appends the text as a string of JSON. What is no UTF-8 stays as it is.
func appendQuoted(row, text []byte) []byte {
	const digits = "0123456789abcdef"
	row = append(row, '"')
	for {
		end := plainEnd(text)
		row = append(row, text[:end]...)
		if end == len(text) {
			return append(row, '"')
		}
		switch c := text[end]; c {
		case '"', '\\':
			row = append(row, '\\', c)
		case '\n':
			row = append(row, `\n`...)
		case '\r':
			row = append(row, `\r`...)
		case '\t':
			row = append(row, `\t`...)
		default:
			row = append(row, '\\', 'u', '0', '0', digits[c>>4], digits[c&0xF])
		}
		text = text[end+1:]
	}
}

// plainEnd returns where the bytes that stand for themselves end.
func plainEnd(text []byte) int {
	end := 0
	for end+8 <= len(text) && isPlain(binary.LittleEndian.Uint64(text[end:])) {
		end += 8
	}
	for end < len(text) && text[end] >= ' ' && text[end] != '"' && text[end] != '\\' {
		end++
	}
	return end
}

// isPlain reports whether all bytes of the word stand for themselves. Subtracting n from a
// byte below it borrows into its high bit. The quote is 0x22: with a bit changed it is the
// one after the control characters.
func isPlain(word uint64) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	special := ((word ^ 0x02*ones) - 0x21*ones) | ((word ^ '\\'*ones) - 0x01*ones)
	return special&highs&^word == 0
}
