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

func (f Format) isAuto() bool { return f == FormatAuto || f == "" }

// Options say how the samples of a source are written.
type Options struct {
	Format Format
	CSV    *CSVOptions // nil: columns are not named by it
}

// Parts are the files of a source, one after the other.
type Parts interface {
	// Next opens the next part, with the name that a person finds it by, and closes the
	// one before. io.EOF: there is none.
	Next() (name string, content io.Reader, err error)
}

// PartsReader reads the samples of a source part by part. No row goes beyond the end of
// its part, and what is wrong is said with the part's name, and lines that count from
// the part's start. A part may be compressed, or an archive of which each member is a part;
// one without content is passed over. Formats that are not read from start to end go to
// scratch. A PartsReader has to be closed.
type PartsReader struct {
	parts   Parts
	options Options
	scratch Scratch
	limits  Limits

	part    string
	archive archive        // whose members are read; nil: none
	current SampleReader   // of the part; nil: the next is to be opened
	table   *parquetReader // that current is, or nil
	input   cappedReader   // of all parts, decompressed
	rows    cappedSize     // of all tables, as JSON
	header  csvHeader      // of the first part of CSV
	err     error          // what ended reading
}

// NewPartsReader returns a PartsReader of the parts.
func NewPartsReader(parts Parts, options Options, scratch Scratch, limits Limits) *PartsReader {
	return &PartsReader{
		parts:   parts,
		options: options,
		scratch: scratch,
		limits:  limits,
		input:   cappedReader{maxBytes: limits.DecompressedBytes},
		rows:    cappedSize{limits: limits},
	}
}

// Close removes what is in scratch. The parts are not closed.
func (r *PartsReader) Close() error {
	r.closePart()
	return r.closeArchive()
}

func (r *PartsReader) closePart() {
	if r.table != nil {
		r.table.close()
	}
	r.current, r.table = nil, nil
}

func (r *PartsReader) closeArchive() error {
	if r.archive == nil {
		return nil
	}
	err := r.archive.close()
	r.archive = nil
	return err
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
			r.closePart()
			continue
		}
		if invalid, ok := errors.AsType[*InvalidSampleError](err); ok {
			invalid.Part = r.part
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

// next opens the next part, or the next member of the archive that the part is.
func (r *PartsReader) next() error {
	parts := r.parts
	if r.archive != nil {
		parts = r.archive
	}
	name, content, err := parts.Next() // an archive that is damaged gives its own name
	if r.archive != nil && isEnd(err) {
		return r.closeArchive()
	}
	if name != "" {
		r.part = name
	}
	if err == nil {
		err = r.open(content)
	}
	return r.located(err)
}

// open opens the part unless it has no content.
func (r *PartsReader) open(content io.Reader) error {
	decompressed, err := Decompress(content, r.limits)
	if err != nil {
		return err
	}
	input := bufio.NewReaderSize(decompressed, bufferBytes) // the same, if nothing is compressed
	head, err := input.Peek(tarHeadBytes)
	if err != nil && !isEnd(err) {
		return err
	}
	if isZip(head) || isTar(head) {
		return r.openArchive(input, isZip(head))
	}
	r.input.input = input
	format := r.options.Format
	if format.isAuto() && startsAsParquet(head) {
		format = FormatParquet
	}
	if format == FormatParquet && len(head) > 0 {
		return r.openParquet(head)
	}
	r.current, err = r.openRows()
	return err
}

func (r *PartsReader) openArchive(input io.Reader, isZip bool) error {
	if r.archive != nil {
		return unsupportedArchive("the member is an archive itself; unpack it first")
	}
	if !isZip {
		r.archive = openTar(r.part, input, r.limits)
		return nil
	}
	source, err := spool(&cappedReader{input: input, maxBytes: r.limits.DecompressedBytes}, r.scratch)
	if err != nil {
		return err
	}
	members, err := openZip(r.part, source, r.limits)
	if err == nil {
		r.archive = members
	}
	return err
}

func (r *PartsReader) openParquet(head []byte) error {
	if !startsAsParquet(head) {
		return &InvalidDatasetError{Reason: CorruptParquet, Detail: "the part is no Parquet: it does not start as such a file does"}
	}
	source, err := spool(&r.input, r.scratch)
	if err != nil {
		return err
	}
	r.table, err = newParquetReader(source, nil, &r.rows, r.limits)
	if err == nil {
		r.current = r.table
	}
	return err
}

// openRows returns nil for a part without content.
func (r *PartsReader) openRows() (SampleReader, error) {
	input := bufio.NewReaderSize(&r.input, bufferBytes)
	format, err := r.formatOf(input)
	if err != nil {
		if isEnd(err) {
			return nil, nil
		}
		return nil, err
	}
	if format == FormatCSV {
		return newCSVPart(input, *r.options.CSV, r.limits, r.part, &r.header), nil
	}
	return NewReader(input, r.limits), nil
}

// formatOf tells the format by the first byte that is no white space. io.EOF: there is none.
func (r *PartsReader) formatOf(input *bufio.Reader) (Format, error) {
	first, err := firstByte(input)
	if err != nil {
		return "", err
	}
	switch {
	case r.options.Format == FormatCSV, r.options.CSV != nil && first != '{':
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
