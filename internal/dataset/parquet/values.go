package parquet

import (
	"encoding/binary"
	"math"
	"math/big"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

func appendBoolean(row []byte, value bool) []byte { return strconv.AppendBool(row, value) }

// appendFloat appends nothing for what JSON has no number for. A whole number has no
// fraction: tables that once had a gap have all numbers of a column as floats.
func appendFloat(row []byte, value float64, bits int) []byte {
	switch size := math.Abs(value); {
	case math.IsNaN(value), math.IsInf(value, 0):
		return row
	case size != 0 && (size < 1e-6 || size >= 1e21):
		return strconv.AppendFloat(row, value, 'e', -1, bits)
	}
	return strconv.AppendFloat(row, value, 'f', -1, bits)
}

func int32Appender(column *schema.Column) func(row []byte, value int32) []byte {
	if integer, ok := column.LogicalType().(schema.IntLogicalType); ok && !integer.IsSigned() {
		return func(row []byte, value int32) []byte { return strconv.AppendUint(row, uint64(uint32(value)), 10) } //nolint:gosec // its bits are those
	}
	wide := int64Appender(column)
	return func(row []byte, value int32) []byte { return wide(row, int64(value)) }
}

func int64Appender(column *schema.Column) func(row []byte, value int64) []byte {
	switch logical := column.LogicalType().(type) {
	case schema.IntLogicalType:
		if !logical.IsSigned() {
			return func(row []byte, value int64) []byte { return strconv.AppendUint(row, uint64(value), 10) } //nolint:gosec // its bits are those
		}
	case schema.DateLogicalType:
		return func(row []byte, value int64) []byte {
			return appendTime(row, time.Unix(value*24*60*60, 0), time.DateOnly)
		}
	case schema.TimeLogicalType:
		unit := unitOf(logical.TimeUnit())
		return func(row []byte, value int64) []byte {
			return appendTime(row, fromUnits(value, unit), "15:04:05.999999999")
		}
	case schema.TimestampLogicalType:
		unit, layout := unitOf(logical.TimeUnit()), "2006-01-02T15:04:05.999999999"
		if logical.IsAdjustedToUTC() {
			layout = time.RFC3339Nano
		}
		return func(row []byte, value int64) []byte { return appendTime(row, fromUnits(value, unit), layout) }
	case schema.DecimalLogicalType:
		return func(row []byte, value int64) []byte { return appendScaled(row, big.NewInt(value), logical.Scale()) }
	}
	return func(row []byte, value int64) []byte { return strconv.AppendInt(row, value, 10) }
}

// unitOf is how many of the unit make a second.
func unitOf(unit schema.TimeUnitType) int64 {
	switch unit {
	case schema.TimeUnitMillis:
		return 1e3
	case schema.TimeUnitNanos:
		return 1e9
	}
	return 1e6
}

func fromUnits(value, unit int64) time.Time {
	return time.Unix(value/unit, value%unit*(1e9/unit))
}

func appendTime(row []byte, value time.Time, layout string) []byte {
	row = append(row, '"')
	row = value.UTC().AppendFormat(row, layout)
	return append(row, '"')
}

// appendInt96 appends what older programs write times as: nanoseconds of a Julian day.
func appendInt96(row []byte, value parquet.Int96) []byte {
	const epoch = 2440588 // the Julian day of 1970-01-01
	day := int64(binary.LittleEndian.Uint32(value[8:])) - epoch
	nanoseconds := int64(binary.LittleEndian.Uint64(value[:8])) //nolint:gosec // its bits are those
	return appendTime(row, time.Unix(day*24*60*60, nanoseconds), time.RFC3339Nano)
}

// maxDecimalBytes is twice what any program computes with. Writing a number takes more
// than its length of time.
const maxDecimalBytes = 64

// appendScaled appends a number as text, which keeps all its digits.
func appendScaled(row []byte, unscaled *big.Int, scale int32) []byte {
	row = append(row, '"')
	if unscaled.Sign() < 0 {
		row = append(row, '-')
	}
	digits := unscaled.Text(10)
	if digits[0] == '-' {
		digits = digits[1:]
	}
	whole := len(digits) - int(scale)
	if whole <= 0 {
		row = append(row, '0')
	} else {
		row = append(row, digits[:whole]...)
	}
	if scale > 0 {
		row = append(row, '.')
		for ; whole < 0; whole++ {
			row = append(row, '0')
		}
		row = append(row, digits[max(whole, 0):]...)
	}
	return append(row, '"')
}

// bytesAppender appends bytes as text unless they are of another type, of which one that
// is too long counts as missing. Those that are no
// UTF-8 are for the decoder to find.
func bytesAppender[T parquet.ByteArray | parquet.FixedLenByteArray](column *schema.Column) func(row []byte, value T) []byte {
	switch logical := column.LogicalType().(type) {
	case schema.DecimalLogicalType:
		return func(row []byte, value T) []byte {
			if len(value) > maxDecimalBytes {
				return row
			}
			return appendScaled(row, signed(value), logical.Scale())
		}
	case schema.UUIDLogicalType:
		return func(row []byte, value T) []byte { return appendUUID(row, value) }
	case schema.Float16LogicalType:
		return func(row []byte, value T) []byte {
			return appendFloat(row, float64(half(binary.LittleEndian.Uint16(value))), 32)
		}
	}
	return func(row []byte, value T) []byte { return appendQuoted(row, value) }
}

// signed is the number in two's complement, its highest byte first.
func signed(value []byte) *big.Int {
	number := new(big.Int).SetBytes(value)
	if len(value) > 0 && value[0]&0x80 != 0 {
		number.Sub(number, new(big.Int).Lsh(big.NewInt(1), uint(len(value))*8))
	}
	return number
}

func appendUUID(row, value []byte) []byte {
	const digits = "0123456789abcdef"
	row = append(row, '"')
	for i, c := range value {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			row = append(row, '-')
		}
		row = append(row, digits[c>>4], digits[c&0xF])
	}
	return append(row, '"')
}

// half is a floating-point number of 16 bits.
func half(bits uint16) float32 {
	sign := float32(1)
	if bits&0x8000 != 0 {
		sign = -1
	}
	exponent, fraction := int(bits>>10&0x1F), float32(bits&0x3FF)
	switch exponent {
	case 0:
		return sign * fraction * 0x1p-24
	case 0x1F:
		return float32(math.NaN()) // or infinite, for which JSON has no number either
	}
	return sign * float32(math.Ldexp(float64(1+fraction/1024), exponent-15))
}
