package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"iter"
	"log/slog"
	"net/http"
)

// list is an answer that is written while its items are read, so that memory holds one
// of them, however many and large they are.
type list[T any] struct {
	around any // the answer without items
	items  iter.Seq2[T, error]
	failed func(error)
}

func newList[T any](s *Server, r *http.Request, around any, items iter.Seq2[T, error]) list[T] {
	return list[T]{around, items, func(err error) {
		s.logger.ErrorContext(r.Context(), "list ended early", slog.String("route", r.Pattern), slog.Any("error", err))
	}}
}

// WriteTo implements io.WriterTo, but for counting what it writes, which nobody asks for.
// When an item cannot be read it cuts the connection: nobody must take a part for the whole.
func (l list[T]) WriteTo(w io.Writer) (int64, error) {
	around, err := json.Marshal(l.around)
	if err != nil {
		return 0, err
	}
	before, after, _ := bytes.Cut(around, []byte("[]"))
	out := bufio.NewWriter(w)
	_, _ = out.Write(before) // a bufio.Writer keeps its error
	separator := byte('[')
	for item, err := range l.items {
		var data []byte
		if err == nil {
			data, err = json.Marshal(item)
		}
		if err != nil {
			l.failed(err)
			panic(http.ErrAbortHandler)
		}
		_ = out.WriteByte(separator)
		if _, err := out.Write(data); err != nil {
			return 0, err
		}
		separator = ','
	}
	if separator == '[' {
		_ = out.WriteByte('[')
	}
	_ = out.WriteByte(']')
	_, _ = out.Write(after)
	return 0, out.Flush()
}
