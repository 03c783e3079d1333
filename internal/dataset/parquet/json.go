package parquet

// appendQuoted appends the text as a string of JSON. What is no UTF-8 stays as it is.
func appendQuoted(row, text []byte) []byte {
	const digits = "0123456789abcdef"
	row = append(row, '"')
	plain := 0 // where the bytes that stand for themselves start
	for i, c := range text {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		row = append(row, text[plain:i]...)
		plain = i + 1
		switch c {
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
	}
	return append(append(row, text[plain:]...), '"')
}
