package dataset

import (
	"bufio"
	"errors"
	"io"
)

// Format is how samples are written.
type Format string

// The formats. Auto tells by each part's first bytes; CSV, which has none of its own,
// is expected where options say what columns hold.
const (
	FormatAuto    Format = "Auto"
	FormatJSONL   Format = "JSONL"
	FormatJSON    Format = "JSON" // an array of objects, or objects over several lines
	FormatCSV     Format = "CSV"
	FormatParquet Format = "Parquet"
)

// Options say how the samples of a source are written.
type Options struct {
	Format Format
	CSV    *CSVOptions // nil: columns are not named by it
	// Mapping says where records have what; nil: they are rows of the protocol, or CSV
	// says it.
	Mapping *Mapping
}

// Parts are the files of a source, one after the other.
type Parts interface {
	// Next opens the next part, with the name that a person finds it by, and closes the
	// one before. io.EOF: there is none.
	Next() (name string, content io.Reader, err error)
}

// PartsReader reads the samples of a source part by part. No row goes beyond the end of
// its part, and what is wrong is said with the part's name, and lines that count from
// the part's start. A part may be compressed; one without content is passed over.
type PartsReader struct {
	parts   Parts
	options Options
	limits  Limits

	part    string
	current SampleReader // of the part; nil: the next is to be opened
	input   cappedReader // of all parts, decompressed
	header  csvHeader    // of the first part of CSV
	mapper  *mapper      // of all parts; nil: without a mapping
	err     error        // what ended reading
}

// NewPartsReader returns a PartsReader of the parts.
func NewPartsReader(parts Parts, options Options, limits Limits) *PartsReader {
	r := &PartsReader{parts: parts, options: options, limits: limits, input: cappedReader{maxBytes: limits.DecompressedBytes}}
	if options.Mapping != nil {
		r.mapper = newMapper(options.Mapping, limits)
	}
	return r
}

// SizeBytes is how much was read, decompressed.
func (r *PartsReader) SizeBytes() int64 { return r.input.size }

// Read decodes the next sample, as SampleReader says.
func (r *PartsReader) Read(sample *Sample) error {
	for r.err == nil {
		if r.current == nil {
			r.err = r.next()
			continue
		}
		err := r.current.Read(sample)
		switch {
		case err == nil:
			sample.Part = r.part
			return nil
		case isEnd(err):
			r.current = nil
			continue
		case errors.Is(err, ErrFiltered):
			return err
		}
		if invalid, ok := errors.AsType[*InvalidSampleError](err); ok {
			invalid.Part = r.part
			if invalid.Reason == MissingLabels && r.mapper == nil {
				invalid.Detail += folderHint(r.part)
			}
			return invalid
		}
		r.err = r.located(err)
	}
	return r.err
}

// located names the part in an error that is about the data.
func (r *PartsReader) located(err error) error {
	problem, ok := errors.AsType[*InvalidDatasetError](err)
	if !ok {
		return err
	}
	located := *problem
	located.Part = r.part
	return &located
}

// next opens the next part.
func (r *PartsReader) next() error {
	name, content, err := r.parts.Next()
	if isEnd(err) {
		return r.endOfParts()
	}
	if err != nil {
		return err
	}
	r.part = name
	if r.current, err = r.open(content); err != nil {
		return r.located(err)
	}
	return nil
}

// endOfParts is io.EOF unless something that the options name was never found.
func (r *PartsReader) endOfParts() error {
	if r.mapper != nil {
		if problem := r.mapper.record.missingField(); problem != nil {
			return problem
		}
	}
	return io.EOF
}

// open returns nil for a part without content.
func (r *PartsReader) open(content io.Reader) (SampleReader, error) {
	decompressed, err := Decompress(content, r.limits)
	if err != nil {
		return nil, err
	}
	r.input.input = decompressed
	input := bufio.NewReaderSize(&r.input, bufferBytes)
	format, err := r.formatOf(input)
	if err != nil {
		if isEnd(err) {
			return nil, nil
		}
		return nil, err
	}
	if r.mapper != nil {
		r.mapper.record.enterPart(r.part)
	}
	if format == FormatCSV {
		return r.openCSV(input), nil
	}
	return newMappedReader(input, r.mapper, r.limits), nil
}

func (r *PartsReader) openCSV(input io.Reader) *CSVReader {
	var options CSVOptions
	if r.options.CSV != nil {
		options = *r.options.CSV
	}
	part := newCSVPart(input, options, r.limits, r.part, &r.header)
	part.mapper = r.mapper
	return part
}

// formatOf tells the format by the first byte that is no white space. io.EOF: there is none.
func (r *PartsReader) formatOf(input *bufio.Reader) (Format, error) {
	first, err := firstByte(input)
	if err != nil {
		return "", err
	}
	switch {
	case r.options.Format == FormatCSV, r.options.Format != FormatJSONL && (r.options.CSV != nil || r.options.Mapping != nil) && first != '{':
		return FormatCSV, nil
	}
	return FormatJSONL, nil
}

// firstByte is the first byte that is neither white space nor of a byte order mark, as
// far as the buffer reaches. It reads nothing.
func firstByte(input *bufio.Reader) (byte, error) {
	for i := 1; ; i++ {
		head, err := input.Peek(i)
		if errors.Is(err, bufio.ErrBufferFull) {
			return ' ', nil
		}
		if err != nil {
			return 0, err
		}
		switch c := head[i-1]; c {
		case ' ', '\t', '\r', '\n', 0xEF, 0xBB, 0xBF:
		default:
			return c, nil
		}
	}
}
