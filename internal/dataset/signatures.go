package dataset

import (
	"bytes"
	"unicode/utf8"
)

// toJSONLines makes JSON Lines of what pandas reads into the expression.
func toJSONLines(pandas string) string {
	return `convert it, such as with python3 -c 'import pandas as pd; ` + pandas + `.to_json("FILE.jsonl", orient="records", lines=True)'`
}

func inFormat(what, way string) foreign { return foreign{UnsupportedFormat, what, way} }

func inCompression(what, tool string) foreign {
	return foreign{UnsupportedCompression, what, "decompress it with " + tool + ", or use gzip or zstd"}
}

// compressedAgain is a compression that is read, but not here.
func compressedAgain(tool string) foreign {
	return foreign{UnsupportedCompression, "still compressed, by " + tool, "decompress it with " + tool + " -d"}
}

func notTheData(what, way string) foreign { return foreign{NotTheData, what, way} }

// signature is by what bytes something is known.
type signature struct {
	offset int
	bytes  string
	foreign
}

// textSignatures are of what starts as text.
var textSignatures = []signature{
	{0, "%PDF-", inFormat("a PDF document", "take the texts out of it and label them")},
	{0, `{\rtf`, inFormat("an RTF document", "take the texts out of it and label them")},
	{0, "\x1E{", inFormat("a JSON text sequence", `make JSON Lines of it with tr -d '\036' < FILE`)},
	{0, "version https://git-lfs.github.com/spec/", notTheData("a pointer of Git LFS", "get the file itself with git lfs pull, and upload that")},
	{0, "/annex/objects/", notTheData("a pointer of git-annex", "get the file itself with git annex get, and upload that")},
	{0, "outs:\n- md5:", notTheData("a pointer of DVC", "get the file itself with dvc pull, and upload that")},
	{0, "HTTP/1.", notTheData("an answer of a web server with its headers", "download the file again")},
	{0, "-----BEGIN PGP", notTheData("encrypted", "decrypt it")},
	{0, "age-encryption.org/v1", notTheData("encrypted", "decrypt it")},
	{0, "$ANSIBLE_VAULT;", notTheData("encrypted", "decrypt it")},
	{0, "<<<<<<< ", notTheData("two versions with a conflict of Git", "resolve the conflict")},
}

// binarySignatures are of what is no text.
var binarySignatures = []signature{
	{0, "Obj\x01", inFormat("Avro", "convert it, such as with avro-tools tojson FILE > FILE.jsonl")},
	{0, "ARROW1\x00\x00", inFormat("an Arrow or Feather file", toJSONLines(`pd.read_feather("FILE")`))},
	{0, "FEA1", inFormat("a Feather file", toJSONLines(`pd.read_feather("FILE")`))},
	{0, "\xFF\xFF\xFF\xFF", inFormat("an Arrow stream", toJSONLines(`import pyarrow; pyarrow.ipc.open_stream("FILE").read_pandas()`))},
	{0, "ORC", inFormat("ORC", toJSONLines(`pd.read_orc("FILE")`))},
	{0, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", inFormat("an old workbook of Excel, or another document of Office", "save its sheet as \"CSV UTF-8\"")},
	{0, "SQLite format 3\x00", inFormat("a database of SQLite", `export the table, such as with sqlite3 -csv -header FILE 'SELECT * FROM …'`)},
	{8, "DUCK", inFormat("a database of DuckDB", `export the table, such as with COPY … TO 'FILE.jsonl'`)},
	{0, "PGDMP", inFormat("a dump of PostgreSQL", "restore it, and export the table with \\copy … csv header")},
	{0, "PGCOPY\n\xFF\r\n\x00", inFormat("a binary copy of PostgreSQL", "export the table with \\copy … csv header")},
	{0, "\x93NUMPY", inFormat("an array of NumPy", "export texts and labels by the program that wrote it")},
	{0, "\x89HDF\r\n\x1a\n", inFormat("HDF5", toJSONLines(`pd.read_hdf("FILE")`))},
	{0, "RDX2\n", inFormat("data of R", "export it in R with write.csv(…, row.names = FALSE)")},
	{0, "RDX3\n", inFormat("data of R", "export it in R with write.csv(…, row.names = FALSE)")},
	{0, "X\n\x00\x00\x00", inFormat("data of R", "export it in R with write.csv(…, row.names = FALSE)")},
	{0, "$FL2@(#)", inFormat("data of SPSS", toJSONLines(`pd.read_spss("FILE")`))},
	{0, "\xAC\xED\x00\x05", inFormat("an object of Java", "export texts and labels by the program that wrote it")},
	{0, "\xD9\xD9\xF7", inFormat("CBOR", "export JSON Lines by the program that wrote it")},
	{0, "\x89PNG\r\n", inFormat("an image", "name the file with the texts")},
	{0, "\xFF\xD8\xFF", inFormat("an image", "name the file with the texts")},
	{0, "GIF8", inFormat("an image", "name the file with the texts")},
	{8, "WEBP", inFormat("an image", "name the file with the texts")},
	{8, "WAVE", inFormat("a recording", "name the file with the texts")},
	{0, "\x7FELF", inFormat("a program", "name the file with the texts")},
	{0, "Salted__", notTheData("encrypted", "decrypt it")},

	{0, "\x1F\x8B", compressedAgain("gzip")},
	{0, "\x28\xB5\x2F\xFD", compressedAgain("zstd")},
	{0, "\xFD7zXZ\x00", inCompression("compressed by xz", "xz -d")},
	{0, "\x5D\x00\x00", inCompression("compressed by LZMA", "xz -d --format=lzma")},
	{0, "LZIP\x01", inCompression("compressed by lzip", "lzip -d")},
	{0, "7z\xBC\xAF\x27\x1C", inCompression("an archive of 7-Zip", "7z x")},
	{0, "\x04\x22\x4D\x18", inCompression("compressed by LZ4", "lz4 -d")},
	{0, "\x02\x21\x4C\x18", inCompression("compressed by LZ4", "lz4 -d")},
	{0, "\xFF\x06\x00\x00sNaPpY", inCompression("compressed by Snappy", "snzip -d")},
	{0, "Rar!\x1A\x07", inCompression("an archive of RAR", "unrar x")},
	{0, "\x1F\x9D", inCompression("compressed by compress", "gzip -d")},
	{0, "\x89LZO\x00", inCompression("compressed by LZO", "lzop -d")},
	{257, "ustar", inFormat("a tar archive", "unpack it with tar -xf FILE")},
}

// signedBy is what the head's first bytes say that it is; nil: nothing.
func signedBy(head []byte) *foreign {
	if found := findSignature(textSignatures, head); found != nil || isText(head) {
		return found
	}
	switch {
	case isZip(head), bytes.HasPrefix(head, []byte("PK\x07\x08")):
		if found := zipped(head); found != nil {
			return found
		}
		return new(inFormat("a zip archive", "unpack it with unzip FILE"))
	case isPickle(head):
		return new(inFormat("a pickle of Python", toJSONLines(`pd.read_pickle("FILE")`)))
	case isZlib(head):
		return new(inCompression("compressed by zlib", "zlib-flate -uncompress"))
	case isBzip2(head):
		return new(compressedAgain("bzip2"))
	}
	if found := findSignature(binarySignatures, head); found != nil {
		return found
	}
	return inBlocks(head)
}

func findSignature(signatures []signature, head []byte) *foreign {
	for i := range signatures {
		s := &signatures[i]
		if len(head) > s.offset && bytes.HasPrefix(head[s.offset:], []byte(s.bytes)) {
			return &s.foreign
		}
	}
	return nil
}

// isText reports whether the head starts with text, in UTF-8.
func isText(head []byte) bool {
	start := head[:min(len(head), 512)]
	if bytes.ContainsFunc(start, func(r rune) bool { return r < '\t' }) {
		return false
	}
	for cut := range utf8.UTFMax { // within a character
		if cut <= len(start) && utf8.Valid(start[:len(start)-cut]) {
			return true
		}
	}
	return false
}

// zipped tells by the names of the first members what is written as zip, but is no archive
// of data; nil: it may be one.
func zipped(head []byte) *foreign {
	has := func(name string) bool { return bytes.Contains(head, []byte(name)) }
	switch {
	case has("xl/work"), has("mimetypeapplication/vnd.oasis.opendocument.spreadsheet"):
		return new(inFormat("a workbook", "save its sheet as \"CSV UTF-8\", or "+toJSONLines(`pd.read_excel("FILE")`)))
	case has("Index/Document.iwa"):
		return new(inFormat("a document of Numbers or Pages", "export a sheet as CSV in UTF-8"))
	case has("[Content_Types].xml"), has("mimetypeapplication/vnd.oasis.opendocument"):
		return new(inFormat("a document of Office", "save a workbook as \"CSV UTF-8\"; of a text take the texts out and label them"))
	case has(".npy"):
		return new(inFormat("arrays of NumPy", "export texts and labels by the program that wrote them"))
	case has("data.pkl"):
		return new(inFormat("a file of PyTorch", "export texts and labels by the program that wrote it"))
	}
	return nil
}

// isPickle tells protocols 2 to 5, which begin with their number and are no text.
func isPickle(head []byte) bool {
	return len(head) > 2 && head[0] == 0x80 && 2 <= head[1] && head[1] <= 5
}

// isZlib tells the header of zlib, which is divisible so.
func isZlib(head []byte) bool {
	return len(head) > 2 && head[0] == 'x' && (int(head[0])<<8|int(head[1]))%31 == 0
}
