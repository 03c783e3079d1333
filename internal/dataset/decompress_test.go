package dataset

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func gzipped(t testing.TB, data string) string {
	t.Helper()
	var compressed bytes.Buffer
	writer := gzip.NewWriter(&compressed)
	if _, err := io.WriteString(writer, data); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return compressed.String()
}

func zstandard(t testing.TB, data string, options ...zstd.EOption) string {
	t.Helper()
	var compressed bytes.Buffer
	writer, err := zstd.NewWriter(&compressed, options...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(writer, data); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return compressed.String()
}

func decompress(r io.Reader, limits Limits) (string, error) {
	decompressed, err := Decompress(r, limits)
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(decompressed)
	return string(data), err
}

// manyBlocks are rows that zstd compresses to blocks of every type.
func manyBlocks() string {
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 300_000)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	return strings.Repeat("a", 400_000) + string(noise) + strings.Repeat(textRow+"\n", 10_000)
}

func TestDecompress(t *testing.T) {
	a, b := labelsOf(`{"t":"x"}`)+"\n", labelsOf(`{"t":"y"}`)+"\n"
	skipped := "\x52\x2A\x4D\x18\x03\x00\x00\x00\x01\x02\x03"
	blocks := manyBlocks()
	tests := []struct {
		reason string
		data   string
		want   string
	}{
		{"nothing", "", ""},
		{"a byte", "a", "a"},
		{"what is not compressed", a + b, a + b},
		{"what only starts like it", "\x1F", "\x1F"},
		{"gzip", gzipped(t, a+b), a + b},
		{"gzip of nothing", gzipped(t, ""), ""},
		{"gzip, several members in the middle of rows", gzipped(t, a[:10]) + gzipped(t, a[10:]) + gzipped(t, "") + gzipped(t, b), a + b},
		{"zstd", zstandard(t, a+b), a + b},
		{"zstd of nothing", zstandard(t, "", zstd.WithZeroFrames(true)), ""},
		{"zstd without checksum", zstandard(t, a+b, zstd.WithEncoderCRC(false)), a + b},
		{"zstd of one segment", zstandard(t, a+b, zstd.WithSingleSegment(true)), a + b},
		{"zstd of many blocks", zstandard(t, blocks), blocks},
		{"zstd at its best", zstandard(t, blocks, zstd.WithEncoderLevel(zstd.SpeedBestCompression)), blocks},
		{"zstd, several frames", zstandard(t, a[:10]) + zstandard(t, a[10:]) + zstandard(t, b, zstd.WithEncoderCRC(false)), a + b},
		{"zstd with something to be skipped", skipped + zstandard(t, a) + skipped + zstandard(t, b) + skipped, a + b},
	}
	for _, test := range tests {
		readers := map[string]io.Reader{
			"whole":       strings.NewReader(test.data),
			"byte wise":   iotest.OneByteReader(strings.NewReader(test.data)),
			"end at once": iotest.DataErrReader(strings.NewReader(test.data)),
		}
		for name, reader := range readers {
			t.Run(test.reason+"/"+name, func(t *testing.T) {
				got, err := decompress(reader, DefaultLimits())
				if err != nil || got != test.want {
					t.Errorf("got %d bytes and %v, want %d bytes", len(got), err, len(test.want))
				}
			})
		}
	}
}

func TestDamagedCompression(t *testing.T) {
	data := strings.Repeat(textRow+"\n", 100) + manyBlocks()[500_000:600_000]
	gz, zst := gzipped(t, data), zstandard(t, data)
	flipped := func(data string, at int) string {
		damaged := []byte(data)
		damaged[at] ^= 0x10
		return string(damaged)
	}
	window := zstandard(t, strings.Repeat("a", 100_000)+data, zstd.WithWindowSize(64<<20))
	tests := []struct {
		reason string
		data   string
		want   Reason
	}{
		{"gzip without its end", gz[:len(gz)-1], TruncatedCompression},
		{"half of gzip", gz[:len(gz)/2], TruncatedCompression},
		{"the start of gzip", gz[:5], TruncatedCompression},
		{"two bytes of gzip", gz[:2], TruncatedCompression},
		{"a second member of gzip without its end", gz + gz[:len(gz)-1], TruncatedCompression},
		{"the start of a second member of gzip", gz + gz[:3], TruncatedCompression},
		{"gzip with another checksum", flipped(gz, len(gz)-6), CorruptCompression},
		{"gzip with another length", flipped(gz, len(gz)-2), CorruptCompression},
		{"gzip with other data", flipped(gz, 60), CorruptCompression},
		{"gzip by another method", flipped(gz, 2), CorruptCompression},
		{"text after gzip", gz + textRow, CorruptCompression},
		{"padding after gzip", gz + strings.Repeat("\x00", 512), CorruptCompression},
		{"zstd without its end", zst[:len(zst)-1], TruncatedCompression},
		{"half of zstd", zst[:len(zst)/2], TruncatedCompression},
		{"the start of zstd", zst[:4], TruncatedCompression},
		{"the header of zstd", zst[:6], TruncatedCompression},
		{"a second frame of zstd without its end", zst + zst[:len(zst)-5], TruncatedCompression},
		{"something to be skipped that is not there", "\x50\x2A\x4D\x18\xFF\xFF\xFF\xFF", TruncatedCompression},
		{"zstd with another checksum", flipped(zst, len(zst)-1), CorruptCompression},
		{"zstd with other data", flipped(zst, 40), CorruptCompression},
		{"zstd with a reserved bit", flipped(flipped(zst, 4), 4)[:4] + "\x08" + zst[5:], CorruptCompression},
		{"zstd with a reserved block", zst[:4] + "\x00\x58\x07\x00\x00" + zst[9:], CorruptCompression},
		{"text after zstd", zst + textRow, CorruptCompression},
		{"zstd with a window of 64 MiB", window, UnsupportedCompression},
		{"zstd with a dictionary", zst[:4] + "\x01\x58\x07" + zst[6:], UnsupportedCompression},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			_, err := decompress(strings.NewReader(test.data), DefaultLimits())
			problem, ok := errors.AsType[*InvalidDatasetError](err)
			if !ok || problem.Reason != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestDecompressionLimits(t *testing.T) {
	limits := DefaultLimits()
	limits.SourceBytes, limits.CompressionRatio = 100_000, 100
	noise := manyBlocks()[400_000:500_000]
	tests := []struct {
		reason string
		data   string
		want   Reason
	}{
		{"as much as is allowed", noise, ""},
		{"a byte more", noise + "a", TooLarge},
		{"more than is allowed, compressed", gzipped(t, noise), TooLarge},
		{"members without end", strings.Repeat(gzipped(t, ""), 10_000), TooLarge},
		{"much of little, but not much", gzipped(t, strings.Repeat("a", freeBytes)), ""},
		{"a gzip bomb", gzipped(t, strings.Repeat("a", 3<<20)), RatioTooHigh},
		{"a zstd bomb", zstandard(t, strings.Repeat("a", 3<<20)), RatioTooHigh},
		{"a small bomb after much", gzipped(t, noise[:20_000]) + gzipped(t, strings.Repeat("a", 8<<20)), RatioTooHigh},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			got, err := decompress(strings.NewReader(test.data), limits)
			problem, ok := errors.AsType[*InvalidDatasetError](err)
			if test.want == "" && err != nil || test.want != "" && (!ok || problem.Reason != test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if len(got) > 4<<20 {
				t.Errorf("%d bytes were decompressed", len(got))
			}
		})
	}
}

func TestSourceFailureIsNotBadCompression(t *testing.T) {
	gz, zst := gzipped(t, manyBlocks()), zstandard(t, manyBlocks())
	for _, broken := range []error{errors.New("connection reset"), io.ErrUnexpectedEOF} {
		for reason, data := range map[string]string{
			"at the start": "", "in the first bytes": gz[:1], "in gzip": gz[:len(gz)/2], "in zstd": zst[:len(zst)/2],
			"after gzip": gz, "after zstd": zst, "in plain data": textRow,
		} {
			if _, err := decompress(io.MultiReader(strings.NewReader(data), iotest.ErrReader(broken)), DefaultLimits()); err != broken {
				t.Errorf("%s: got %v, want %v", reason, err, broken)
			}
		}
	}
}

// Nobody closes the decompressor, so there must be nothing that has to be closed.
func TestDecompressLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 10 {
		reader, err := Decompress(strings.NewReader(zstandard(t, manyBlocks())), DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(reader, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines were left", after-before)
	}
}
