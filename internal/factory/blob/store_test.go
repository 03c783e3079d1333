package blob

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob/buckettest"
)

func TestMain(m *testing.M) { os.Exit(buckettest.Tests{Tests: m}.Run()) }

// kinds are what blobs can be kept in.
var kinds = []struct {
	name string
	make func(t *testing.T) Location
}{
	{"directory", func(t *testing.T) Location { return Location{Directory: t.TempDir()} }},
	{"shared directory", func(t *testing.T) Location {
		return Location{Directory: t.TempDir(), URL: "file://" + filepath.ToSlash(t.TempDir())}
	}},
	{"S3", func(t *testing.T) Location { return Location{Directory: t.TempDir(), URL: buckettest.S3(t)} }},
	{"Google", func(t *testing.T) Location { return Location{Directory: t.TempDir(), URL: buckettest.Google(t)} }},
	{"Azure", func(t *testing.T) Location { return Location{Directory: t.TempDir(), URL: buckettest.Azure(t)} }},
}

func opened(t *testing.T, at Location) Store {
	t.Helper()
	s, err := at.Open(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func readAll(s Store, digest string) ([]byte, error) {
	content, err := s.Open(digest)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	return io.ReadAll(content)
}

// TestStores: whatever blobs are kept in, they are the same.
func TestStores(t *testing.T) {
	large := make([]byte, 20<<20) // of several parts
	for i := range large {
		large[i] = byte(rand.Uint32())
	}
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			at := kind.make(t)
			s := opened(t, at)
			var kept []string
			for _, data := range [][]byte{large, []byte("0123456789"), nil, []byte("0123456789")} {
				digest := keep(t, s, data)
				if read, err := readAll(s, digest); err != nil || !bytes.Equal(read, data) {
					t.Errorf("%d bytes are read as %d, %v", len(data), len(read), err)
				}
				kept = append(kept, digest)
			}
			if left, err := os.ReadDir(incomingIn(at.Directory)); err != nil && !errors.Is(err, fs.ErrNotExist) || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
			checkParts(t, s, kept[1])
			checkNotes(t, s)
			checkDigests(t, s, kept[:3])
			for range 2 {
				if err := s.Remove(kept[1]); err != nil {
					t.Errorf("Remove() = %v", err)
				}
			}
			if _, err := s.Open(kept[1]); !isMissing(err) {
				t.Errorf("Open() of what was removed = %v", err)
			}
			checkDigests(t, s, []string{kept[0], kept[2]})
		})
	}
}

func isMissing(err error) bool {
	damaged, ok := errors.AsType[*DamagedError](err)
	return ok && damaged.Missing && errors.Is(err, fs.ErrNotExist)
}

// checkParts reads ten bytes from their middle, as downloads do.
func checkParts(t *testing.T, s Store, digest string) {
	t.Helper()
	content, err := s.Open(digest)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	for _, test := range []struct{ ask, want string }{{"bytes=7-", "789"}, {"bytes=2-4", "234"}, {"", "0123456789"}} {
		request, answer := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
		request.Header.Set("Range", test.ask)
		http.ServeContent(answer, request, "", time.Time{}, content)
		if answer.Body.String() != test.want {
			t.Errorf("%q: %d %q", test.ask, answer.Code, answer.Body)
		}
	}
}

func checkNotes(t *testing.T, s Store) {
	t.Helper()
	if _, err := s.ReadNote("note"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadNote() of none = %v", err)
	}
	for _, text := range []string{"first", "2nd"} {
		if err := s.WriteNote("note", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if read, err := s.ReadNote("note"); err != nil || string(read) != text {
			t.Errorf("ReadNote() = %q, %v", read, err)
		}
	}
}

// checkDigests: what others keep beside blobs is none.
func checkDigests(t *testing.T, s Store, want []string) {
	t.Helper()
	if err := s.WriteNote("blobs/notes.txt", nil); err != nil {
		t.Fatal(err)
	}
	found, err := s.Digests()
	slices.Sort(found)
	if err != nil || !slices.Equal(found, slices.Sorted(slices.Values(want))) {
		t.Errorf("Digests() = %v, %v; want %v", found, err, want)
	}
}

// TestLocationsThatAreNone are refused with a sentence that repeats no secret.
func TestLocationsThatAreNone(t *testing.T) {
	for _, test := range []struct{ reason, url, want string }{
		{"of another kind", "https://bucket.example.com", "begins with none of s3://"},
		{"no bucket", "s3://", "names no bucket"},
		{"no bucket that there can be", "gs://-/x", "names no bucket"},
		{"a password", "s3://user:geheim@bucket", "are said in the environment"},
		{"options", "s3://bucket?signature=geheim", "are said in the environment"},
		{"a directory of this folder", "file://factory/blobs", "file:///mnt/factory"},
		{"nothing of an address", "s3://%zz?geheim", "is no address"},
	} {
		_, err := Location{Directory: t.TempDir(), URL: test.url}.Open(t.Context(), true)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v, want %q", test.reason, err, test.want)
		}
	}
}

// TestWhatOthersSendIsKept for a day, wherever others may be sending.
func TestWhatOthersSendIsKept(t *testing.T) {
	directory := t.TempDir()
	for _, test := range []struct {
		reason string
		at     Location
		alone  bool
		keeps  bool // what others send
	}{
		{"a directory that processes share", Location{Directory: directory}, false, true},
		{"a folder that servers share, from a directory of its own", Location{Directory: t.TempDir(), URL: "file://" + directory}, true, true},
		{"a directory of one process", Location{Directory: directory}, true, false},
	} {
		for idle, keeps := range map[time.Duration]bool{time.Hour: test.keeps, 25 * time.Hour: false} {
			sending := filepath.Join(incomingIn(directory), "sending")
			if err := errors.Join(os.MkdirAll(filepath.Dir(sending), 0o700), os.WriteFile(sending, nil, 0o600),
				os.Chtimes(sending, time.Time{}, time.Now().Add(-idle))); err != nil {
				t.Fatal(err)
			}
			opened, err := test.at.Open(t.Context(), test.alone)
			if err == nil {
				err = opened.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(sending); errors.Is(err, fs.ErrNotExist) == keeps {
				t.Errorf("%s: after %v: %v", test.reason, idle, err)
			}
		}
	}
}

// TestEnvironmentOfAnotherProcess has what leads to the bucket, and no other secret.
func TestEnvironmentOfAnotherProcess(t *testing.T) {
	t.Setenv("FACTORY_API_KEY", "canary")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "needed")
	if got := (Location{Directory: "/data"}).Environment(); got != nil {
		t.Errorf("of a directory: %v", got)
	}
	got := Location{URL: "s3://bucket/factory"}.Environment()
	if !slices.Contains(got, "FACTORY_BLOB_URL=s3://bucket/factory") || !slices.Contains(got, "AWS_SECRET_ACCESS_KEY=needed") || strings.Contains(strings.Join(got, "\n"), "canary") {
		t.Errorf("%v", got)
	}
}
