package source

import (
	"context"
	"io"
	"strings"

	"github.com/classifier-factory/classifier-factory/internal/parts"
)

// inline is content that stands in the dataset itself.
type inline string

func (s inline) Identity() string { return fingerprint("inline", string(s)) }

func (s inline) SizeBytes() (size int64, exact bool) { return int64(len(s)), true }

func (s inline) Open(context.Context) Content {
	return parts.Of([]parts.Part{{Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(string(s))), nil }}})
}
