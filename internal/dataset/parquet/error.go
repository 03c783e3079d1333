package parquet

import "fmt"

// Error says why a file cannot be read, or not to its end.
type Error struct{ reason, detail string }

func (e *Error) Error() string { return e.reason + ": " + e.detail }

// Reason is a stable code.
func (e *Error) Reason() string { return e.reason }

// Detail is what is wrong, and what to do.
func (e *Error) Detail() string { return e.detail }

func corrupt(format string, args ...any) error {
	return &Error{"CorruptParquet", fmt.Sprintf("the Parquet file is damaged: %s. Write or copy it again", fmt.Sprintf(format, args...))}
}

func unsupported(format string, args ...any) error {
	return &Error{"UnsupportedParquet", fmt.Sprintf(format, args...)}
}

var errEncrypted = unsupported("the Parquet file is encrypted; write it without encryption")
