package storage

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"runtime"
	"testing"
)

// pattern is an endless file without repetitions.
type pattern struct{}

func (pattern) ReadAt(p []byte, offset int64) (int, error) {
	var word [8]byte
	for i := range p {
		at := offset + int64(i)
		if i == 0 || at%8 == 0 {
			binary.LittleEndian.PutUint64(word[:], uint64(at/8)*0x9E3779B97F4A7C15)
		}
		p[i] = word[at%8]
	}
	return len(p), nil
}

func TestMemoryIsBoundedWhateverTheSize(t *testing.T) {
	const (
		size    = 300 << 20
		allowed = 16 << 20
	)
	s := newS3Store(t)
	if err := s.put(t.Context(), "large.jsonl", io.NewSectionReader(pattern{}, 0, size), ""); err != nil {
		t.Fatal(err)
	}
	parts := s.resolve(t, "large.jsonl").Open(t.Context())
	defer parts.Close()
	_, content, err := parts.Next()
	if err != nil {
		t.Fatal(err)
	}
	var memory runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&memory)
	before, peak := memory.HeapAlloc, uint64(0)
	got := sha256.New()
	for read := int64(0); ; {
		n, err := io.CopyN(got, content, 8<<20)
		read += n
		runtime.ReadMemStats(&memory)
		peak = max(peak, memory.HeapAlloc)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("after %d bytes: %v", read, err)
		}
	}
	want := sha256.New()
	if _, err := io.Copy(want, io.NewSectionReader(pattern{}, 0, size)); err != nil {
		t.Fatal(err)
	}
	if [32]byte(got.Sum(nil)) != [32]byte(want.Sum(nil)) {
		t.Error("the content is not what was stored")
	}
	if peak > before+allowed {
		t.Errorf("reading %d MB took %d MB of memory, more than %d", size>>20, (peak-before)>>20, allowed>>20)
	}
	t.Logf("peak above the start: %d KB", (int64(peak)-int64(before))>>10)
}
