package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
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
	Parquet OpenTable // nil: it is refused

	forFactory bool // whose files are JSON Lines, and who knows no other option
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
	archive archive      // whose members are read; nil: none
	current SampleReader // of the part; nil: the next is to be opened
	table   *tableReader // that current is, or nil
	input   cappedReader // of all parts, decompressed
	rows    cappedSize   // of all tables, as JSON
	header  csvHeader    // of the first part of CSV
	mapper  *mapper      // of all parts; nil: without a mapping
	err     error        // what ended reading
}

// NewPartsReader returns a PartsReader of the parts.
func NewPartsReader(parts Parts, options Options, scratch Scratch, limits Limits) *PartsReader {
	r := &PartsReader{
		parts:   parts,
		options: options,
		scratch: scratch,
		limits:  limits,
		input:   cappedReader{maxBytes: limits.DecompressedBytes},
		rows:    cappedSize{limits: limits},
	}
	if options.Mapping != nil {
		r.mapper = newMapper(options.Mapping, limits)
	}
	return r
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

// next opens the next part, or the next member of the archive that the part is.
func (r *PartsReader) next() error {
	parts := r.parts
	if r.archive != nil {
		parts = r.archive
	}
	name, content, err := parts.Next() // an archive that is damaged gives its own name
	switch {
	case r.archive != nil && isEnd(err):
		return r.closeArchive()
	case isEnd(err):
		return r.endOfParts()
	}
	if name != "" {
		r.part = name
	}
	if err == nil {
		err = r.open(content)
	}
	return r.located(err)
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

// open opens the part unless it has no content.
func (r *PartsReader) open(content io.Reader) error {
	decompressed, err := Decompress(content, r.limits)
	if err != nil {
		return err
	}
	input := bufio.NewReaderSize(decompressed, bufferBytes) // the same, if nothing is compressed
	head, _, err := peekHead(input)
	if err != nil {
		return err
	}
	if isTar(head) || isZip(head) && zipped(head) == nil {
		return r.openArchive(input, isZip(head))
	}
	r.input.input = input
	return r.openRows()
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

// openRows opens what is no archive.
func (r *PartsReader) openRows() error {
	input, head, whole, err := inUTF8(bufio.NewReaderSize(&r.input, bufferBytes))
	if err != nil || whole && isEmpty(head) {
		return err
	}
	if strings.HasSuffix(r.part, ".br") && !isText(head) {
		return (&recognition{options: &r.options}).refuse(new(inCompression("compressed by Brotli, as its name says", "brotli -d")))
	}
	format, err := recognise(head, whole, &r.options)
	if problem, ok := errors.AsType[*InvalidDatasetError](err); ok && problem.Reason == UnmappedFields {
		problem.Detail += folderHint(r.part)
	}
	if err != nil {
		return err
	}
	if r.mapper != nil {
		r.mapper.record.enterPart(r.part)
	}
	switch format {
	case FormatParquet:
		return r.openParquet(input)
	case FormatCSV:
		r.current = r.openCSV(input)
	case FormatJSON:
		r.current = newMappedJSONReader(input, r.mapper, r.limits)
	default:
		r.current = newMappedReader(input, r.mapper, r.limits)
	}
	return nil
}

func (r *PartsReader) openParquet(input io.Reader) error {
	source, err := spool(input, r.scratch)
	if err != nil {
		return err
	}
	if r.table, err = newTableReader(source, r.options.Parquet, r.mapper, &r.rows, r.limits); err != nil {
		return err
	}
	r.current = r.table
	return nil
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

// OpenJSONLines returns a Reader of r, or an *InvalidDatasetError that says what r is if
// no row of it is one of JSON Lines.
func OpenJSONLines(r io.Reader, limits Limits) (*Reader, error) {
	input := bufio.NewReaderSize(&cappedReader{input: r, maxBytes: limits.DecompressedBytes}, bufferBytes)
	head, whole, err := peekHead(input)
	if err != nil {
		return nil, err
	}
	if !isEmpty(head) {
		if _, err := recognise(head, whole, &Options{Format: FormatJSONL, forFactory: true}); err != nil {
			return nil, err
		}
	}
	return NewReader(input, limits), nil
}

// inUTF8 returns the input as UTF-8, if it has a mark of UTF-16, and its head.
func inUTF8(input *bufio.Reader) (decoded *bufio.Reader, head []byte, whole bool, err error) {
	head, whole, err = peekHead(input)
	if order := utf16Order(head); order != nil && err == nil {
		input = bufio.NewReaderSize(newUTF16Reader(input, order), bufferBytes)
		head, whole, err = peekHead(input)
	}
	return input, head, whole, err
}

// peekHead reads nothing. Whole tells that the head is all there is. What goes wrong
// behind the head is for whoever reads on to meet.
func peekHead(input *bufio.Reader) (head []byte, whole bool, err error) {
	head, err = input.Peek(bufferBytes)
	switch {
	case err == nil:
	case isEnd(err):
		return head, true, nil
	case len(head) == 0:
		return nil, false, err
	}
	return head, false, nil
}

// isEmpty reports whether there is nothing but white space.
func isEmpty(head []byte) bool {
	return len(bytes.Trim(head, " \t\r\n\xEF\xBB\xBF")) == 0
}
