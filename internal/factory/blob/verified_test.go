package blob

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

// keep names bytes in a store.
func keep(t *testing.T, s Store, data []byte) string {
	t.Helper()
	staged, err := s.Stage()
	if err != nil {
		t.Fatal(err)
	}
	defer staged.Discard()
	if _, err := staged.Write(data); err != nil {
		t.Fatal(err)
	}
	digest, err := staged.Sync()
	if err != nil {
		t.Fatal(err)
	}
	if err := staged.Name(digest); err != nil {
		t.Fatal(err)
	}
	return digest
}

// TestDamagedBytesAreTold to whoever reads them whole, and however that is done.
func TestDamagedBytesAreTold(t *testing.T) {
	d, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sound := bytes.Repeat([]byte("0123456789"), 20_000)
	flipped := bytes.Clone(sound)
	flipped[len(flipped)/2] ^= 1
	readers := map[string]func(Content) error{
		"read all": func(c Content) error { _, err := io.ReadAll(c); return err },
		"copied":   func(c Content) error { _, err := io.Copy(io.Discard, c); return err },
		"as long as it is said to be": func(c Content) error {
			info, err := c.Stat()
			if err == nil {
				_, err = io.CopyN(io.Discard, c, info.Size())
			}
			return err
		},
		"again after a look at its end": func(c Content) error {
			if _, err := c.Seek(-10, io.SeekEnd); err != nil {
				return err
			}
			if rest, err := io.ReadAll(c); err != nil || len(rest) != 10 {
				return errors.New("a part of a blob is not read")
			}
			if _, err := c.Seek(0, io.SeekStart); err != nil {
				return err
			}
			return Verify(c)
		},
	}
	for _, test := range []struct {
		reason  string
		bytes   []byte
		damaged bool
	}{
		{"as they were written", sound, false},
		{"a flipped bit", flipped, true},
		{"cut off", sound[:len(sound)-1], true},
		{"grown", append(bytes.Clone(sound), 'x'), true},
		{"nothing left of it", nil, true},
	} {
		digest := keep(t, d, sound)
		if err := os.WriteFile(d.path(digest), test.bytes, 0o600); err != nil {
			t.Fatal(err)
		}
		for how, read := range readers {
			if len(test.bytes) == 0 && how != "read all" && how != "copied" {
				continue // neither reads anything
			}
			content, err := d.Open(digest)
			if err != nil {
				t.Fatal(err)
			}
			err = read(content)
			_ = content.Close()
			if found, damaged := errors.AsType[*DamagedError](err); damaged != test.damaged || damaged && (found.Digest != digest || found.Missing) || !damaged && err != nil {
				t.Errorf("%s, %s: %v", test.reason, how, err)
			}
		}
	}
}

// TestOnlyBlobsAreListed: what others keep in the folder is none, and never removed.
func TestOnlyBlobsAreListed(t *testing.T) {
	d, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	digest := keep(t, d, []byte("bytes"))
	for _, name := range []string{"lost+found", ".nfs0000", strings.Repeat("g", 64), digest + ".bak"} {
		if err := os.WriteFile(d.path(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if digests, err := d.Digests(); err != nil || len(digests) != 1 || digests[0] != digest {
		t.Errorf("Digests() = %v, %v", digests, err)
	}
}
