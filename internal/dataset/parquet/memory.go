package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// A page is what a column is compressed and decoded by. Most programs write pages of a
// megabyte; DuckDB makes one of 122880 rows, and 32 MiB are enough for 270 bytes of each.
const (
	maxPageBytes   = 32 << 20
	maxPagesBytes  = 64 << 20 // of the pages of all columns at a time
	maxHeaderBytes = 1 << 20  // of a page, which may have the least and the greatest value
	// maxPrefixedBytes is less because values are made of the ones before: each of a batch
	// may be as large as the page.
	maxPrefixedBytes = 4 << 20
	prefixedBatch    = 8
	// maxListed is how many values a page may have of which something is kept for each.
	maxListed = 1 << 20
	// maxBlock is how many differences may make a block. Programs write 128 to 2048.
	maxBlock = 1 << 16
	// maxWindowBytes is how far back zstd may refer: the standard (RFC 8878) asks for this
	// much.
	maxWindowBytes = 8 << 20
)

// errPages is what an allocator that has given all it has panics with: the interface that
// the library wants of it knows no errors.
var errPages = errors.New("pages take too much memory")

// pageMemory gives the library memory for the pages of one row group.
type pageMemory struct {
	memory.GoAllocator
	used int
}

func (m *pageMemory) Allocate(size int) []byte {
	m.take(size)
	return m.GoAllocator.Allocate(size)
}

func (m *pageMemory) Reallocate(size int, old []byte) []byte {
	m.take(size - len(old))
	return m.GoAllocator.Reallocate(size, old)
}

func (m *pageMemory) Free(old []byte) {
	m.used -= len(old)
	m.GoAllocator.Free(old)
}

func (m *pageMemory) take(size int) {
	if m.used += size; m.used > maxPagesBytes {
		panic(errPages)
	}
}

// errPage is of a page that would be decoded into too much.
var errPage = errors.New("a page declares too many values")

// boundedPages are the pages of a column. They end at one of which the decoder would
// keep something for more values than it should.
type boundedPages struct {
	file.PageReader
	column   *schema.Column
	prefixed bool // the page's values are made of the ones before
	err      error
}

func (p *boundedPages) Next() bool {
	p.prefixed = false
	if p.err != nil || !p.PageReader.Next() {
		return false
	}
	switch page := p.Page().(type) {
	case *file.DictionaryPage:
		if page.NumValues() > maxListed {
			p.err = errPage
		}
	case file.DataPage:
		p.err = p.checkDifferences(page)
	}
	return p.err == nil
}

// checkDifferences looks at encodings that list differences, as those of lengths. The
// library makes room for all of them, and for a block of whatever size is declared.
func (p *boundedPages) checkDifferences(page file.DataPage) error {
	lists := 1
	switch parquet.Encoding(page.Encoding()) {
	case parquet.Encodings.DeltaByteArray:
		lists, p.prefixed = 2, true
	case parquet.Encodings.DeltaLengthByteArray, parquet.Encodings.DeltaBinaryPacked:
	default:
		return nil
	}
	if page.NumValues() > maxListed || p.prefixed && len(page.Data()) > maxPrefixedBytes {
		return errPage
	}
	values, ok := p.valuesOf(page)
	for range lists {
		if values, ok = passDifferences(values, ok); !ok {
			return errColumn
		}
	}
	return nil
}

// valuesOf are the page's data behind its levels.
func (p *boundedPages) valuesOf(page file.DataPage) (values []byte, ok bool) {
	values = page.Data()
	if second, isSecond := page.(*file.DataPageV2); isSecond {
		levels := int64(second.RepetitionLevelByteLen()) + int64(second.DefinitionLevelByteLen())
		return values[min(levels, int64(len(values))):], levels <= int64(len(values))
	}
	for _, levels := range []int16{p.column.MaxRepetitionLevel(), p.column.MaxDefinitionLevel()} {
		if levels == 0 {
			continue
		}
		if len(values) < 4 || int64(binary.LittleEndian.Uint32(values)) > int64(len(values)-4) {
			return nil, false
		}
		values = values[4+binary.LittleEndian.Uint32(values):]
	}
	return values, true
}

// passDifferences returns what follows a list of differences: blocks of a number of
// values, each of small blocks that have their own number of bits.
func passDifferences(data []byte, ok bool) ([]byte, bool) {
	next := func(read func([]byte) (uint64, int)) uint64 {
		value, size := read(data)
		if ok = ok && size > 0; ok {
			data = data[size:]
		}
		return value
	}
	signed := func(data []byte) (uint64, int) {
		_, size := binary.Varint(data)
		return 0, size
	}
	block, parts, left := next(binary.Uvarint), next(binary.Uvarint), next(binary.Uvarint)
	next(signed) // the first value
	if !ok || block > maxBlock || parts == 0 || parts > block {
		return nil, false
	}
	for left = max(left, 1) - 1; left > 0; {
		next(signed) // the least difference
		if !ok || uint64(len(data)) < parts {
			return nil, false
		}
		widths := data[:parts]
		data = data[parts:]
		for _, width := range widths {
			if left == 0 {
				break
			}
			size := (block/parts*uint64(width) + 7) / 8
			if size > uint64(len(data)) {
				return nil, false
			}
			data = data[size:]
			left -= min(left, block/parts)
		}
	}
	return data, ok
}

func (p *boundedPages) GetDictionaryPage() (*file.DictionaryPage, error) {
	page, err := p.PageReader.GetDictionaryPage()
	if err == nil && page != nil && page.NumValues() > maxListed {
		err = errPage
	}
	return page, err
}

func (p *boundedPages) Err() error {
	if p.err != nil {
		return p.err
	}
	return p.PageReader.Err()
}

// boundCodecs gives the library decoders that make no more of a page than its header
// declares, which the limits above bound. Its own make whatever the page's content says.
var boundCodecs = sync.OnceValue(func() error {
	decoder, err := zstd.NewReader(nil, zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxWindow(maxWindowBytes), zstd.WithDecoderLowmem(true))
	if err != nil {
		return err
	}
	for codec, decode := range map[compress.Compression]func(to, from []byte) ([]byte, error){
		compress.Codecs.Zstd:   func(to, from []byte) ([]byte, error) { return decoder.DecodeAll(from, to[:0:len(to)]) },
		compress.Codecs.Snappy: decodeSnappy,
	} {
		own, err := compress.GetCodec(codec)
		if err != nil {
			return err
		}
		streaming, ok := own.(streamingCodec)
		if !ok {
			return fmt.Errorf("the Parquet library has no streams of %v", codec)
		}
		compress.RegisterCodec(codec, boundedCodec{streaming, decode})
	}
	return nil
})

func decodeSnappy(to, from []byte) ([]byte, error) {
	size, err := snappy.DecodedLen(from)
	if err != nil {
		return nil, err
	}
	if size > len(to) {
		return nil, errPage
	}
	return snappy.Decode(to, from)
}

type streamingCodec interface {
	compress.Codec
	compress.StreamingCodec
}

type boundedCodec struct {
	streamingCodec
	decode func(to, from []byte) ([]byte, error)
}

// DecodeWithError is what the library calls instead of Decode.
func (c boundedCodec) DecodeWithError(to, from []byte) ([]byte, error) { return c.decode(to, from) }
