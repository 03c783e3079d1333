package dataset

import (
	"strconv"
	"strings"
)

// appendValueKey appends what the ways to write a value have in common: 1, 1.0 and 1e0
// are one number, and True is true.
func appendValueKey(to []byte, value string) []byte {
	if key, ok := appendDecimal(to, value); ok {
		return key
	}
	if isBoolean(value) {
		return append(to, strings.ToLower(value)...)
	}
	return append(to, value...)
}

func isBoolean(value string) bool {
	return strings.EqualFold(value, "true") || strings.EqualFold(value, "false")
}

// maxExponentDigits keep an exponent within an int.
const maxExponentDigits = 9

// appendDecimal appends a number of JSON as digits without zeros around them and a power
// of ten, such as -15e-1. It reports false for anything else.
func appendDecimal(to []byte, number string) (decimal []byte, ok bool) {
	unsigned, negative := strings.CutPrefix(number, "-")
	end := strings.IndexAny(unsigned, "eE")
	exponent := 0
	if end >= 0 {
		power := unsigned[end+1:]
		if len(power) > maxExponentDigits || !isDigits(strings.TrimLeft(power, "+-")) {
			return to, false
		}
		var err error
		if exponent, err = strconv.Atoi(power); err != nil {
			return to, false
		}
		unsigned = unsigned[:end]
	}
	whole, fraction, hasFraction := strings.Cut(unsigned, ".")
	if !isDigits(whole) || len(whole) > 1 && whole[0] == '0' || hasFraction && !isDigits(fraction) {
		return to, false
	}
	exponent -= len(fraction)
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		fraction = strings.TrimLeft(fraction, "0")
	}
	if kept := strings.TrimRight(fraction, "0"); kept != "" {
		exponent += len(fraction) - len(kept)
		fraction = kept
	} else {
		kept := strings.TrimRight(whole, "0")
		exponent += len(fraction) + len(whole) - len(kept)
		whole, fraction = kept, ""
	}
	if whole == "" && fraction == "" {
		return append(to, '0'), true
	}
	if negative {
		to = append(to, '-')
	}
	to = append(append(append(to, whole...), fraction...), 'e')
	return strconv.AppendInt(to, int64(exponent), 10), true
}

func isDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}

// maxIntegerDigits are those of the integers that every program keeps exactly, and a few.
const maxIntegerDigits = 18

// integerOf writes a number of JSON that is an integer as one, such as 1.0 and 1e0 as 1:
// a column of integers is one of floats as soon as a value is missing. Others stay as
// they are written.
func integerOf(number string) string {
	if !strings.ContainsAny(number, ".eE") {
		return number
	}
	decimal, ok := appendDecimal(nil, number)
	digits, power, _ := strings.Cut(string(decimal), "e")
	zeros, _ := strconv.Atoi(power) // "" of 0
	if !ok || zeros < 0 || zeros > maxIntegerDigits || len(digits)+zeros > maxIntegerDigits {
		return number
	}
	return digits + strings.Repeat("0", zeros)
}
