package dataset

import (
	"archive/zip"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"

	"github.com/classifier-factory/classifier-factory/internal/dataset/parquet/parquettest"
)

// namedMembers are members of which the names matter alone.
func namedMembers(names ...string) (members []member) {
	for _, name := range names {
		content := "\x00"
		if name == "mimetype" {
			content = "application/vnd.oasis.opendocument.spreadsheet"
		}
		members = append(members, member{name, content})
	}
	return members
}

func parquetAsItComes(t *testing.T) []comes {
	flat := []arrow.Field{{Name: "text", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: "label", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}
	written := parquettest.Write(t, `[{"text": "The parcel is late", "label": 0}, {"text": "I paid twice", "label": 1}, {"text": "not labelled", "label": null}]`, flat)
	mapped := Options{Mapping: &Mapping{Text: "text", Labels: []LabelMapping{{Target: "topic", Field: "label", Names: map[string]string{"0": "shipping", "1": "billing"}}}}}
	asWritten := Options{Mapping: &Mapping{Text: "text", Labels: []LabelMapping{{Target: "topic", Field: "label"}}}}
	labelled := func(a, b string, kind arrow.DataType) string {
		return parquettest.Write(t, fmt.Sprintf(`[{"text": "a", "label": %s}, {"text": "b", "label": %s}]`, a, b), []arrow.Field{flat[0], {Name: "label", Type: kind, Nullable: true}})
	}
	return []comes{
		{reason: "numbers as labels, with their names", options: mapped, parts: []string{written}, rows: 3, want: both(), invalid: []string{"line 3: MissingLabels"}},
		{reason: "compressed by pages, several row groups, with a dictionary", options: mapped, parts: []string{parquettest.Write(t, `[{"text": "The parcel is late", "label": 0}, {"text": "I paid twice", "label": 1}]`, flat,
			pq.WithCompression(compress.Codecs.Snappy), pq.WithMaxRowGroupLength(1), pq.WithDictionaryDefault(true))}, rows: 2, want: both()},
		{reason: "with annotations that were cancelled", options: mapped, parts: []string{parquettest.Write(t, `[{"text": "The parcel is late", "label": 0, "was_cancelled": true}, {"text": "I paid twice", "label": 1, "was_cancelled": false}]`,
			append(flat, arrow.Field{Name: "was_cancelled", Type: arrow.FixedWidthTypes.Boolean}))}, rows: 2, want: both(), warning: "DoubtfulSamples: 1 with was_cancelled: true"},
		{reason: "without rows", options: mapped, parts: []string{parquettest.Write(t, `[]`, flat)}},
		{reason: "booleans as labels", options: asWritten, parts: []string{labelled(`true`, `null`, arrow.FixedWidthTypes.Boolean)}, rows: 2, want: []string{"a > topic=true"}, invalid: []string{"line 2: MissingLabels"}},
		{reason: "floats as labels, of integers and others", options: asWritten, parts: []string{labelled(`1.0`, `0.5`, arrow.PrimitiveTypes.Float64)}, rows: 2, want: []string{"a > topic=1", "b > topic=0.5"}},
		{reason: "lists of labels", options: asWritten, parts: []string{labelled(`["x", "y"]`, `[]`, arrow.ListOf(arrow.BinaryTypes.String))}, rows: 2, want: []string{"a > topic=[x|y]"}, invalid: []string{"line 2: MissingLabels"}},
		{reason: "large integers as labels", options: asWritten, parts: []string{labelled(`9007199254740993`, `-1`, arrow.PrimitiveTypes.Int64)}, rows: 2, want: []string{"a > topic=9007199254740993", "b > topic=-1"}},
		{reason: "times as labels", options: asWritten, parts: []string{labelled(`1795773600000`, `null`, arrow.FixedWidthTypes.Timestamp_ms)}, rows: 2, want: []string{"a > topic=2026-11-27T10:00:00Z"}, invalid: []string{"line 2: MissingLabels"}},
		{reason: "decimals as labels", options: asWritten, parts: []string{labelled(`"1.50"`, `"2.00"`, &arrow.Decimal128Type{Precision: 9, Scale: 2})}, rows: 2, want: []string{"a > topic=1.50", "b > topic=2.00"}},
		{reason: "bytes as labels", options: asWritten, parts: []string{labelled(`"eA=="`, `"eQ=="`, arrow.BinaryTypes.Binary)}, rows: 2, want: []string{"a > topic=x", "b > topic=y"}},
		{reason: "structs as labels", options: asWritten, parts: []string{labelled(`{"name": "x"}`, `{"name": "y"}`, arrow.StructOf(arrow.Field{Name: "name", Type: arrow.BinaryTypes.String}))}, rows: 2, invalid: []string{"line 1: InvalidLabels", "line 2: InvalidLabels"}},
		{reason: "compressed", options: mapped, parts: []string{gzipped(t, written)}, rows: 3, want: both(), invalid: []string{"line 3: MissingLabels"}},
		{reason: "beside JSON Lines", options: mapped, parts: []string{`{"text": "The parcel is late", "label": 0}`, written}, rows: 4, want: []string{late, late, twice}, invalid: []string{"part b, line 3: MissingLabels"}},
		{reason: "nobody said which columns", parts: []string{parquettest.Write(t, `[{"label": 0}]`, flat[1:])}, fault: "MissingColumn: Set mapping"},
		{reason: "cut off", options: mapped, parts: []string{written[:len(written)-9]}, fault: "CorruptParquet: "},
	}
}

// withoutMagic makes a tar of old of one whose first name alone matters.
func withoutMagic(archive string) string {
	header := []byte(archive)
	for start := 0; start+512 <= len(header) && header[start] != 0; start += 1024 { // each member has less than a block
		clear(header[start+257 : start+265])
		copy(header[start+148:], "        ")
		sum := 0
		for _, c := range header[start : start+512] {
			sum += int(c)
		}
		copy(header[start+148:], fmt.Sprintf("%06o\x00 ", sum))
	}
	return string(header)
}

func archivesAsTheyCome(t *testing.T) []comes {
	twoFiles := []member{{"a.jsonl", lateRow}, {"b.jsonl", twiceRow}}
	return []comes{
		{reason: "a zip archive", parts: []string{zipOf(t, zip.Deflate, twoFiles...)}, rows: 2, want: both()},
		{reason: "a tar archive", parts: []string{tarOf(t, twoFiles...)}, rows: 2, want: both()},
		{reason: "a tar archive in gzip", parts: []string{gzipped(t, tarOf(t, twoFiles...))}, rows: 2, want: both()},
		{reason: "what macOS and Windows put beside files", parts: []string{zipOf(t, zip.Deflate, member{"__MACOSX/._a.jsonl", "\x00\x05\x16\x07"}, member{".DS_Store", "\x00\x00\x00\x01Bud1"}, member{"Thumbs.db", "\xD0\xCF\x11\xE0"}, member{"desktop.ini", "[.ShellClassInfo]"}, member{"a.jsonl", lateAndTwice})}, rows: 2, want: both()},
		{reason: "what Hadoop and Spark put beside files, and one that was not written to its end", parts: []string{zipOf(t, zip.Deflate, member{"_SUCCESS", "-"}, member{"_committed_7", "{}"}, member{".part-0.json.crc", "crc\x00"}, member{"part-0.json", lateAndTwice}, member{"part-1.json._COPYING_", lateRow})}, rows: 2, want: both()},
		{reason: "folders of Hive whose column begins with _", options: Options{Mapping: &Mapping{Text: "text", Labels: []LabelMapping{{Target: "topic", Field: "_c0"}}}}, parts: []string{zipOf(t, zip.Deflate, member{"_c0=shipping/part-0.json", `{"text": "The parcel is late"}`}, member{"_c0=billing/part-0.json", `{"text": "I paid twice"}`})}, rows: 2, want: both()},
		{reason: "gzip in zip", parts: []string{zipOf(t, zip.Store, member{"a.jsonl.gz", gzipped(t, lateAndTwice)})}, rows: 2, want: both()},
		{reason: "zip in zip", parts: []string{zipOf(t, zip.Store, member{"a.zip", zipOf(t, zip.Store, twoFiles...)})}, fault: "UnsupportedArchive: unpack it first"},
		{reason: "a zip without members", parts: []string{"PK\x05\x06" + strings.Repeat("\x00", 18)}, fault: "EmptyArchive: "},
		{reason: "a tar of before POSIX, in gzip", parts: []string{gzipped(t, withoutMagic(tarOf(t, twoFiles...)))}, rows: 2, want: both()},
		{reason: "a document of Numbers", parts: []string{zipOf(t, zip.Store, namedMembers("Index/Document.iwa", "preview.jpg")...)}, fault: "UnsupportedFormat: Numbers"},
		{reason: "folders as scikit-learn loads them, which are no fields", parts: []string{tarOf(t, member{"20news/sci.space/60191", "From: someone\nSubject: orbit\n\nHello\n"})}, fault: "UnsupportedFormat: text of which nothing tells the labels"},
		{reason: "an archive of files in many ways", options: topics(0), parts: []string{zipOf(t, zip.Deflate, member{"a.csv", table}, member{"b.json", "[" + lateRow + "]"})}, rows: 3, want: append(both(), late)},
		{reason: "an archive with something else in it", parts: []string{tarOf(t, member{"a.jsonl", lateRow}, member{"b.xml", "<?xml version=\"1.0\"?><a/>"})}, want: []string{late}, fault: "UnsupportedFormat: XML"},
	}
}

func otherFormats(t *testing.T) []comes {
	office := []string{"[Content_Types].xml", "_rels/.rels"}
	var cases []comes
	for _, of := range []struct{ reason, data, fault string }{
		{"Avro", "Obj\x01\x04\x14avro.codec\x08null\x16avro.schema\x00", "UnsupportedFormat: Avro: convert it, such as with avro-tools tojson"},
		{"an Arrow file, which is Feather of today", "ARROW1\x00\x00\xFF\xFF\xFF\xFF\x70\x01\x00\x00", "UnsupportedFormat: pd.read_feather"},
		{"an Arrow stream, as the datasets library keeps it", "\xFF\xFF\xFF\xFF\xF0\x01\x00\x00\x10\x00", "UnsupportedFormat: an Arrow stream"},
		{"Feather of the first version", "FEA1\x00\x00\x00\x00", "UnsupportedFormat: Feather"},
		{"ORC", "ORC\x0A\x0B\x0A\x03\x00\x00\x00\x12", "UnsupportedFormat: ORC"},
		{"a workbook of Excel", zipOf(t, zip.Store, namedMembers(append(office, "xl/workbook.xml")...)...), `UnsupportedFormat: a workbook: save its sheet as "CSV UTF-8"`},
		{"a workbook of LibreOffice", zipOf(t, zip.Store, namedMembers("mimetype", "content.xml")...), "UnsupportedFormat: a workbook"},
		{"a document of Word", zipOf(t, zip.Store, namedMembers(append(office, "word/document.xml")...)...), "UnsupportedFormat: a document of Office"},
		{"arrays of NumPy", zipOf(t, zip.Store, namedMembers("texts.npy", "labels.npy")...), "UnsupportedFormat: arrays of NumPy"},
		{"a file of PyTorch", zipOf(t, zip.Store, namedMembers("archive/data.pkl", "archive/version")...), "UnsupportedFormat: PyTorch"},
		{"an old workbook", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\x00\x00\x00\x00", "UnsupportedFormat: an old workbook of Excel"},
		{"a workbook in XML", `<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>`, "UnsupportedFormat: a workbook in XML"},
		{"XML", "<?xml version=\"1.0\"?>\n<rows><row><text>a</text></row></rows>", "UnsupportedFormat: XML"},
		{"XML without a declaration", "<rows><row><text>a</text></row></rows>", "UnsupportedFormat: XML"},
		{"a PDF document", "%PDF-1.7\n%\xE2\xE3\xCF\xD3\n", "UnsupportedFormat: PDF"},
		{"an RTF document", `{\rtf1\ansi{\fonttbl}a}`, "UnsupportedFormat: RTF"},
		{"a database of SQLite", "SQLite format 3\x00\x10\x00\x01\x01", "UnsupportedFormat: SQLite"},
		{"a database of DuckDB", "\x11\x22\x33\x44\x55\x66\x77\x88DUCK\x40\x00", "UnsupportedFormat: DuckDB"},
		{"a dump of PostgreSQL", "PGDMP\x01\x0E\x00\x04", "UnsupportedFormat: PostgreSQL"},
		{"statements of SQL", "INSERT INTO texts VALUES ('The parcel is late', 'shipping');\n", "UnsupportedFormat: SQL"},
		{"an array of NumPy", "\x93NUMPY\x01\x00v\x00{'descr': '<i8'}", "UnsupportedFormat: an array of NumPy"},
		{"HDF5", "\x89HDF\r\n\x1a\n\x00\x00", "UnsupportedFormat: HDF5"},
		{"a pickle", "\x80\x04\x95\x1A\x00\x00\x00", "UnsupportedFormat: pickle"},
		{"data of R", "RDX3\nX\n\x00\x00\x00\x03", "UnsupportedFormat: data of R"},
		{"an image", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "UnsupportedFormat: an image"},
		{"MessagePack, which has no sign", "\x82\xA4text\xA1a\xA6labels\x81\xA5topic\xA1x\x00", "UnsupportedFormat: no text, and of a kind that is not known"},
		{"CBOR", "\xD9\xD9\xF7\xA2\x64text\x61a", "UnsupportedFormat: CBOR"},
		{"lines of fastText", "__label__shipping The parcel is late\n__label__billing __label__urgent I paid twice\n", "UnsupportedFormat: lines of fastText: make JSON Lines of them with jq -Rc"},
		{"YAML, a list", "- text: The parcel is late\n  labels:\n    topic: shipping\n", "UnsupportedFormat: YAML"},
		{"YAML, a document", "---\ndata:\n- text: The parcel is late\n", "UnsupportedFormat: YAML"},
		{"YAML of Rasa", "version: \"3.1\"\n\nnlu:\n- intent: greet\n  examples: |\n    - Hi\n", "UnsupportedFormat: training data of Rasa"},
		{"lines of fastText with the label behind", "The parcel is late __label__shipping\n", "UnsupportedFormat: lines of fastText"},
		{"ARFF", "@RELATION tickets\n@DATA\n", "UnsupportedFormat: ARFF of Weka: save it as CSV"},
		{"a pickle of old", "(lp0\n(dp1\nVtext\np2\nVa\np3\ns", "UnsupportedFormat: Python"},
		{"records of TensorFlow", "\x4A\x00\x00\x00\x00\x00\x00\x00\x12\x34\x56\x78\x0A\x48\x0A\x0F\x0A\x04text", "UnsupportedFormat: no text"},
		{"BSON", "\x2E\x00\x00\x00\x02text\x00\x02\x00\x00\x00a\x00\x00", "UnsupportedFormat: no text"},
		{"a DocBin of spaCy", "\x78\x9C\x9D\x54\x4D\x6F", "UnsupportedCompression: zlib"},
		{"a table of HTML", "<table><tr><td>a</td></tr></table>", "UnsupportedFormat: a table of HTML"},
		{"a printed frame of data", "                 text topic\n0  The parcel is late     x\n", "UnsupportedFormat: text of which nothing"},
		{"lines of libsvm", "+1 3:0.5 17:1\n-1 4:1\n", "UnsupportedFormat: libsvm"},
		{"lines of text", "The parcel is late\nI paid twice\n", "UnsupportedFormat: text of which nothing tells the labels"},
		{"lines of text in brackets", "[shipping] The parcel is late\n", "UnsupportedFormat: text of which nothing"},
	} {
		cases = append(cases, comes{reason: of.reason, parts: []string{of.data}, fault: of.fault})
	}
	return cases
}
