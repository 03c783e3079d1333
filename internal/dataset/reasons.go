package dataset

import (
	"fmt"
	"strings"
)

// Reason is a stable code for what is wrong with a row or a dataset.
type Reason string

// What is wrong with a line before its meaning is looked at.
const (
	LineTooLong    Reason = "LineTooLong"
	BlankLine      Reason = "BlankLine" // followed by a row; blank lines at the end are fine
	InvalidUTF8    Reason = "InvalidUTF8"
	InvalidJSON    Reason = "InvalidJSON"
	DuplicateKey   Reason = "DuplicateKey" // at any level: parsers disagree about which one counts
	NestingTooDeep Reason = "NestingTooDeep"
)

// What is wrong with a row.
const (
	NotAnObject     Reason = "NotAnObject"
	MissingInput    Reason = "MissingInput"   // neither text nor messages
	AmbiguousInput  Reason = "AmbiguousInput" // both text and messages
	InvalidText     Reason = "InvalidText"
	EmptyText       Reason = "EmptyText"
	InvalidMessages Reason = "InvalidMessages"
	EmptyMessages   Reason = "EmptyMessages"
	InvalidRole     Reason = "InvalidRole"
	InvalidContent  Reason = "InvalidContent"
	MissingLabels   Reason = "MissingLabels"
	InvalidLabels   Reason = "InvalidLabels"
	EmptyLabels     Reason = "EmptyLabels" // no target at all, or a target's empty list
	EmptyName       Reason = "EmptyName"   // of a target or a label
	NameTooLong     Reason = "NameTooLong" // of a target or a label
	DuplicateLabel  Reason = "DuplicateLabel"
	SeveralLabels   Reason = "SeveralLabels" // where a mapping asks for one
)

// What contradicts the rows before.
const (
	MixedInput     Reason = "MixedInput"  // texts and conversations in one dataset
	MixedTarget    Reason = "MixedTarget" // a target's labels as strings and as lists
	TooManySamples Reason = "TooManySamples"
	TooManyTargets Reason = "TooManyTargets"
	TooManyLabels  Reason = "TooManyLabels"
)

// What is wrong with a record of CSV.
const (
	InvalidQuoting Reason = "InvalidQuoting" // a quote inside of a field, or something after a closing one
	RaggedRow      Reason = "RaggedRow"      // with more or fewer fields than the header
)

// What is wrong with a dataset whose rows are valid.
const (
	NoSamples      Reason = "NoSamples"
	TooFewLabels   Reason = "TooFewLabels"
	TooManyInvalid Reason = "TooManyInvalid" // samples, for the preparation
	FileTooLarge   Reason = "FileTooLarge"   // of those that the preparation makes
)

// What is wrong with a dataset that cannot be read, or not to its end.
const (
	UnclosedQuote          Reason = "UnclosedQuote" // of CSV: where the next record starts nobody knows
	TruncatedCompression   Reason = "TruncatedCompression"
	CorruptCompression     Reason = "CorruptCompression"
	UnsupportedCompression Reason = "UnsupportedCompression" // also zstd with a dictionary or a window that needs much memory
	TooLarge               Reason = "TooLarge"
	RatioTooHigh           Reason = "RatioTooHigh" // as of data made to fill a disk
	InvalidHeader          Reason = "InvalidHeader"
	DifferentHeader        Reason = "DifferentHeader" // from that of an earlier part, in more than the order of columns
	MissingColumn          Reason = "MissingColumn"
	DuplicateColumn        Reason = "DuplicateColumn"
	DuplicateTarget        Reason = "DuplicateTarget" // of two columns
	CorruptParquet         Reason = "CorruptParquet"
	UnsupportedParquet     Reason = "UnsupportedParquet" // encrypted, or needs much memory
	CorruptArchive         Reason = "CorruptArchive"
	UnsupportedArchive     Reason = "UnsupportedArchive" // encrypted, in another archive, or compressed in an unusual way
	EmptyArchive           Reason = "EmptyArchive"
	MissingField           Reason = "MissingField"  // of a mapping, in all records
	TruncatedJSON          Reason = "TruncatedJSON" // within an array or an object over several lines
)

// What the data is in place of something that is read.
const (
	UnsupportedFormat   Reason = "UnsupportedFormat"
	UnsupportedEncoding Reason = "UnsupportedEncoding" // of text
	UnsupportedLayout   Reason = "UnsupportedLayout"   // of JSON
	DifferentFormat     Reason = "DifferentFormat"     // from the one that is declared
	UnmappedFields      Reason = "UnmappedFields"      // of which nobody said what they hold
	WrongDelimiter      Reason = "WrongDelimiter"
	NotTheData          Reason = "NotTheData" // but a pointer to it, or an answer instead of it
)

// InvalidSampleError says what is wrong with a row, never what is in it.
type InvalidSampleError struct {
	Part   string // of the source; empty: there is but one
	Line   int    // of the part, from 1
	Column int    // the byte, from 1, at which reading stopped; 0: the whole row is meant
	Reason Reason
	Detail string
	Bytes  int64 // that the row took in the part
}

func (e *InvalidSampleError) Error() string {
	return fmt.Sprintf("%s%s: %s", e.Place(), e.Reason, e.Detail)
}

// Place says where the row is, such as "part b.csv, line 3, byte 17: ".
func (e *InvalidSampleError) Place() string { return place(e.Part, e.Line, e.Column) }

func place(part string, line, column int) string {
	var words []string
	if part != "" {
		words = append(words, "part "+part)
	}
	if line > 0 {
		words = append(words, fmt.Sprintf("line %d", line))
	}
	if column > 0 {
		words = append(words, fmt.Sprintf("byte %d", column))
	}
	if len(words) == 0 {
		return ""
	}
	return strings.Join(words, ", ") + ": "
}

// InvalidDatasetError says why the data does not make a dataset, beyond what is
// wrong with single rows.
type InvalidDatasetError struct {
	Part   string // at which reading had to end; empty: there is but one, or all are meant
	Line   int    // of the part; 0: the part, or the data, as a whole is meant
	Reason Reason
	Detail string
}

func (e *InvalidDatasetError) Error() string {
	return fmt.Sprintf("%s%s: %s", place(e.Part, e.Line, 0), e.Reason, e.Detail)
}
