package dataset

import "fmt"

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
	UnclosedQuote  Reason = "UnclosedQuote"
	RaggedRow      Reason = "RaggedRow" // with more or fewer fields than the header
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
	TruncatedCompression   Reason = "TruncatedCompression"
	CorruptCompression     Reason = "CorruptCompression"
	UnsupportedCompression Reason = "UnsupportedCompression" // zstd with a dictionary or a window that needs much memory
	TooLarge               Reason = "TooLarge"
	RatioTooHigh           Reason = "RatioTooHigh" // as of data made to fill a disk
	InvalidHeader          Reason = "InvalidHeader"
	MissingColumn          Reason = "MissingColumn"
	DuplicateColumn        Reason = "DuplicateColumn"
	DuplicateTarget        Reason = "DuplicateTarget" // of two columns
)

// InvalidSampleError says what is wrong with a row, never what is in it.
type InvalidSampleError struct {
	Line   int // from 1
	Column int // the byte, from 1, at which reading stopped; 0: the whole row is meant
	Reason Reason
	Detail string
}

func (e *InvalidSampleError) Error() string {
	if e.Column == 0 {
		return fmt.Sprintf("line %d: %s: %s", e.Line, e.Reason, e.Detail)
	}
	return fmt.Sprintf("line %d, byte %d: %s: %s", e.Line, e.Column, e.Reason, e.Detail)
}

// InvalidDatasetError says why the data does not make a dataset, beyond what is
// wrong with single rows.
type InvalidDatasetError struct {
	Line   int // at which reading had to end; 0: the data as a whole is meant
	Reason Reason
	Detail string
}

func (e *InvalidDatasetError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.Reason, e.Detail)
	}
	return fmt.Sprintf("line %d: %s: %s", e.Line, e.Reason, e.Detail)
}
