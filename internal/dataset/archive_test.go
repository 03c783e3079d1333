package dataset

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/classifier-factory/classifier-factory/internal/dataset/parquet/parquettest"
)

// member is a file in an archive.
type member struct{ name, content string }

func zipOf(t testing.TB, method uint16, members ...member) string {
	t.Helper()
	var written bytes.Buffer
	writer := zip.NewWriter(&written)
	for _, member := range members {
		file, err := writer.CreateHeader(&zip.FileHeader{Name: member.name, Method: method})
		if err == nil {
			_, err = io.WriteString(file, member.content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return written.String()
}

func tarOf(t testing.TB, members ...member) string {
	t.Helper()
	var written bytes.Buffer
	writer := tar.NewWriter(&written)
	for _, member := range members {
		header := &tar.Header{Name: member.name, Size: int64(len(member.content)), Mode: 0o644, Typeflag: tar.TypeReg}
		switch {
		case strings.HasSuffix(member.name, "/"):
			header.Typeflag = tar.TypeDir
		case strings.HasPrefix(member.content, "-> "):
			header.Typeflag, header.Linkname, header.Size, member.content = tar.TypeSymlink, member.content[3:], 0, ""
		}
		err := writer.WriteHeader(header)
		if err == nil {
			_, err = io.WriteString(writer, member.content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return written.String()
}

// readNamed returns where the rows of a part called data are.
func readNamed(data string, options Options, limits Limits) (rows []string, err error) {
	scratch := &memoryScratch{}
	options.Parquet = openParquet
	reader := NewPartsReader(&textParts{texts: []string{data}}, options, scratch, limits)
	defer func() {
		err = errors.Join(err, reader.Close())
		if scratch.open > 0 {
			err = errors.Join(err, errors.New("a temporary file was left open"))
		}
	}()
	var sample Sample
	for {
		err := reader.Read(&sample)
		if bad, ok := errors.AsType[*InvalidSampleError](err); ok {
			rows = append(rows, fmt.Sprintf("%s:%d %s", bad.Part, bad.Line, bad.Reason))
			continue
		}
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		rows = append(rows, fmt.Sprintf("%s:%d", sample.Part, sample.Line))
	}
}

// TestArchives reads each member as a part of its own.
func TestArchives(t *testing.T) {
	parquet := parquettest.Write(t, "["+greeting+","+question+"]", []arrow.Field{textColumn, labelStruct})
	members := []member{
		{"folder/", ""}, {"folder/b.jsonl", textRow + "\n" + textRow}, {"./a.jsonl.gz", gzipped(t, textRow+"\n{")}, {"empty.jsonl", ""},
		{"c.parquet", parquet}, {"d.jsonl.zst", zstandard(t, textRow)}, {"_SUCCESS", "x"}, {"__MACOSX/._b.jsonl", "x"}, {".hidden/x.jsonl", "x"},
		{".c.parquet.crc", "x"}, {"e.jsonl.crc", "x"}, {"../f.jsonl", textRow}, {"bad\x07\u202Ename\xFF.jsonl", textRow},
		{strings.Repeat("long/", 90) + "g.jsonl", textRow},
	}
	want := []string{"a/folder/b.jsonl:1", "a/folder/b.jsonl:2", "a/a.jsonl.gz:1", "a/a.jsonl.gz:2 InvalidJSON", "a/c.parquet:1", "a/c.parquet:2", "a/d.jsonl.zst:1",
		"a/../f.jsonl:1", "a/bad\uFFFD\uFFFDname\uFFFD.jsonl:1", "a/…" + (strings.Repeat("long/", 90) + "g.jsonl")[450+7-256:] + ":1"}
	tarMembers := append(slices.Clone(members), member{"link.jsonl", "-> b.jsonl"})
	tarMembers[12].name = "bad\u202Ename.jsonl" // a tar writer refuses other names
	tarWant := slices.Clone(want)
	tarWant[8] = "a/bad\uFFFDname.jsonl:1"
	tarred := tarOf(t, tarMembers...)
	for _, test := range []struct {
		reason string
		data   string
		want   []string
	}{
		{"zip, with descriptors behind the members", zipOf(t, zip.Deflate, members...), want},
		{"zip, stored", zipOf(t, zip.Store, members...), want},
		{"tar", tarred, tarWant},
		{"tar.gz", gzipped(t, tarred), tarWant},
		{"tar.zst", zstandard(t, tarred), tarWant},
		{"zip.gz", gzipped(t, zipOf(t, zip.Store, members...)), want},
	} {
		got, err := readNamed(test.data, Options{}, tightLimits())
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, %v; want %q", test.reason, got, err, test.want)
		}
	}
}

// TestArchiveOfCSV holds that members have a header each.
func TestArchiveOfCSV(t *testing.T) {
	data := zipOf(t, zip.Deflate, member{"a.csv", "text,intent,tags\nhello,greeting,a\n"}, member{"b.csv", "tags,text,intent\na,hello,greeting\n"}, member{"c.csv", "text\nhello\n"})
	got, err := readNamed(data, Options{CSV: &utterances}, tightLimits())
	want := `part a/c.csv, line 1: DifferentHeader: the header has the columns "text"; that of part a/a.csv has "text", "intent", "tags". Parts may differ in the order of columns only`
	if fmt.Sprint(err) != want || !slices.Equal(got, []string{"a/a.csv:2", "a/b.csv:2"}) {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestArchivesThatAreRefused names what is wrong and the way.
func TestArchivesThatAreRefused(t *testing.T) {
	good := zipOf(t, zip.Store, member{"a.jsonl", textRow})
	tarred := tarOf(t, member{"a.jsonl", textRow}, member{"b.jsonl", textRow})
	encrypted := bytes.ReplaceAll([]byte(good), []byte("PK\x01\x02\x14\x00\x14\x00\x08\x00"), []byte("PK\x01\x02\x14\x00\x14\x00\x09\x00"))
	unusual := bytes.ReplaceAll([]byte(good), []byte("PK\x01\x02\x14\x00\x14\x00\x08\x00\x00"), []byte("PK\x01\x02\x14\x00\x14\x00\x08\x00\x0E"))
	many := make([]member, maxMembers+1)
	for i := range many {
		many[i] = member{"a", ""}
	}
	for _, test := range []struct {
		reason string
		data   string
		want   string
	}{
		{"an archive in an archive", zipOf(t, zip.Store, member{"b.tar", tarred}), "part a/b.tar: UnsupportedArchive: the member is an archive itself; unpack it first"},
		{"a zip in a tar", tarOf(t, member{"b.zip", good}), "part a/b.zip: UnsupportedArchive: the member is an archive itself; unpack it first"},
		{"a password", string(encrypted), "part a/a.jsonl: UnsupportedArchive: the member is encrypted; pack it without a password"},
		{"an unusual method", string(unusual), "part a/a.jsonl: UnsupportedArchive: the member is compressed by method 14 of zip; pack it with deflate, which all programs know"},
		{"nothing to read", zipOf(t, zip.Store, member{"_a", "x"}, member{"b/", ""}), "part a: EmptyArchive: the archive has no file to read; folders, links, empty files and names that start with . or _ are passed over"},
		{"nothing to read in a tar", tarOf(t, member{"_a", "x"}), "part a: EmptyArchive: the archive has no file to read; folders, links, empty files and names that start with . or _ are passed over"},
		{"a zip that is cut off", good[:len(good)-1], "part a: CorruptArchive: the zip archive is damaged or cut off: it ends without a directory that can be read. Pack or copy the archive again"},
		{"a tar that is cut off in a member", tarred[:520], "part a/a.jsonl: CorruptArchive: the tar archive is cut off. Pack or copy the archive again"},
		{"a tar that is cut off behind a member", tarred[:1024], "part a: CorruptArchive: the tar archive is cut off. Pack or copy the archive again"},
		{"a damaged member", strings.Replace(good, textRow, strings.Repeat(" ", len(textRow)), 1), "part a/a.jsonl, line 1: CorruptArchive: the member is damaged or cut off. Pack or copy the archive again"},
		{"a damaged tar", tarred[:1030] + "x" + tarred[1031:], "part a: CorruptArchive: the tar archive is damaged. Pack or copy the archive again"},
		{"too many members", zipOf(t, zip.Store, many...), "part a: UnsupportedArchive: the archive has more than 10000 members"},
		{"a member that was made to fill a disk", zipOf(t, zip.Deflate, member{"a.jsonl", strings.Repeat(" ", 3<<20)}), "part a/a.jsonl, line 1: RatioTooHigh: the data decompresses to more than 200 times its size"},
	} {
		_, err := readNamed(test.data, Options{}, DefaultLimits())
		if got := fmt.Sprint(err); got != test.want {
			t.Errorf("%s: got %s, want %s", test.reason, got, test.want)
		}
	}
}

// TestArchivesCutOffOrDamaged holds that none gives fewer rows without a fault.
func TestArchivesCutOffOrDamaged(t *testing.T) {
	const rows = 60
	members := []member{{"a.jsonl", strings.Repeat(textRow+"\n", rows/2)}, {"b.jsonl", strings.Repeat(textRow+"\n", rows/2)}}
	random := rand.New(rand.NewPCG(1, 2))
	for _, archive := range []struct {
		name, data string
		magic, end int // bytes without which it is nothing, and with which it is whole
	}{
		{"zip", zipOf(t, zip.Deflate, members...), 4, 0},
		{"tar", tarOf(t, members...), tarHeadBytes, 2 * tarBlock},
		{"tar.gz", gzipped(t, tarOf(t, members...)), 10, 0},
	} {
		name, data := archive.name, archive.data
		for size := archive.magic; size < len(data)-archive.end; size += 97 {
			got, err := readNamed(data[:size], Options{}, DefaultLimits())
			if _, ok := errors.AsType[*InvalidDatasetError](err); !ok {
				t.Fatalf("%s of %d bytes: got %d rows, %v", name, size, len(got), err)
			}
		}
		for range 300 {
			damaged := []byte(data)
			damaged[archive.magic+random.IntN(len(damaged)-archive.magic)] ^= 1 << random.IntN(8)
			got, err := readNamed(string(damaged), Options{}, DefaultLimits())
			if _, ok := errors.AsType[*InvalidDatasetError](err); err != nil && !ok {
				t.Fatalf("%s: %v is no fault of the data", name, err)
			}
			if err == nil && name != "tar" && len(got) != rows { // a tar has no checksum of its members
				t.Fatalf("%s: got %d rows without a fault", name, len(got))
			}
		}
	}
}

// TestTextsAboutArchivesAreNone holds that no text is taken for a tar.
func TestTextsAboutArchivesAreNone(t *testing.T) {
	row := `{"text":"` + strings.Repeat("a", tarMagicAt-len(`{"text":"`)) + `ustar  magic","labels":{"a":"x"}}`
	if got, err := readNamed(row, Options{}, tightLimits()); err != nil || !slices.Equal(got, []string{"a:1"}) {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestFormatParquet holds that nothing else passes for it.
func TestFormatParquet(t *testing.T) {
	options := Options{Format: FormatParquet}
	_, err := readNamed(textRow, options, tightLimits())
	if want := "part a: DifferentFormat: format is Parquet, and the data is JSON Lines: set format to JSONL or Auto"; fmt.Sprint(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
	got, err := readNamed(gzipped(t, parquettest.Write(t, "["+greeting+"]", []arrow.Field{textColumn, labelStruct})), options, tightLimits())
	if err != nil || !slices.Equal(got, []string{"a:1"}) {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := readNamed("", options, tightLimits()); err != nil || len(got) > 0 {
		t.Errorf("an empty part: got %q, %v", got, err)
	}
}

// TestArchiveMembers names all members, read or not.
func TestArchiveMembers(t *testing.T) {
	source, err := spool(strings.NewReader(zipOf(t, zip.Store, member{"[Content_Types].xml", "x"}, member{"xl/workbook.xml", "y"})), &memoryScratch{})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := openZip("", source, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if got := archiveMembers(opened); !slices.Equal(got, []string{"[Content_Types].xml", "xl/workbook.xml"}) {
		t.Errorf("got %q", got)
	}
	if err := opened.close(); err != nil {
		t.Error(err)
	}
}
