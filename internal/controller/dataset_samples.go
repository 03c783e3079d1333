package controller

import (
	"io"
	"sync/atomic"

	"github.com/classifier-factory/classifier-factory/internal/source"
)

// countedParts counts what is read of a source as it is stored.
type countedParts struct {
	content source.Content
	read    *atomic.Int64
}

func (p countedParts) Next() (name string, content io.Reader, err error) {
	name, content, err = p.content.Next()
	if err == nil {
		content = countedReader{content, p.read}
	}
	return name, content, err
}
