package mistral

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
)

const uploadedFile = `{"id":"f1","object":"file","bytes":5,"created_at":1767225600,"filename":"a.jsonl",
	"purpose":"fine-tune","sample_type":"pretrain","source":"upload"}`

func TestUploadFile(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Method + " " + r.RequestURI; got != "POST /v1/files" {
			t.Errorf("request is %s", got)
		}
		if r.ContentLength <= 0 {
			t.Error("the length was not announced")
		}
		form, err := r.MultipartReader()
		if err != nil {
			t.Error(err)
			return
		}
		for _, want := range []struct{ name, filename, mediaType, content string }{
			{"file", `sp "ace".jsonl`, "application/octet-stream", "hello"},
			{"purpose", "", "", "fine-tune"},
		} {
			part, err := form.NextPart()
			if err != nil {
				t.Error(err)
				return
			}
			content, _ := io.ReadAll(part)
			if part.FormName() != want.name || part.FileName() != want.filename ||
				part.Header.Get("Content-Type") != want.mediaType || string(content) != want.content {
				t.Errorf("part is %v %q, want %+v", part.Header, content, want)
			}
		}
		if _, err := form.NextPart(); err != io.EOF {
			t.Errorf("the form goes on: %v", err)
		}
		answering(http.StatusOK, uploadedFile)(w, r)
	})
	file, err := client.UploadFile(t.Context(), Upload{
		Filename: `sp "ace".jsonl`, Size: 5, Content: strings.NewReader("hello"), Purpose: PurposeFineTune,
	})
	if err != nil {
		t.Fatal(err)
	}
	if file.ID != "f1" || file.Bytes != 5 || file.SampleType != SampleTypePretrain {
		t.Errorf("file is %+v", file)
	}
}

func TestUploadIsStreamed(t *testing.T) {
	const size = 64 << 20
	var received hash.Hash = sha256.New()
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		form, err := r.MultipartReader()
		if err != nil {
			t.Error(err)
			return
		}
		part, err := form.NextPart()
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := io.Copy(received, part); err != nil {
			t.Error(err)
		}
		answering(http.StatusOK, uploadedFile)(w, r)
	})
	sent := sha256.New()
	random := io.LimitReader(rand.NewChaCha8([32]byte{1}), size)

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := client.UploadFile(t.Context(), Upload{Filename: "big.jsonl", Size: size, Content: io.TeeReader(random, sent)})
	runtime.ReadMemStats(&after)

	if err != nil {
		t.Fatal(err)
	}
	if string(received.Sum(nil)) != string(sent.Sum(nil)) {
		t.Error("the server received other bytes")
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 2<<20 {
		t.Errorf("client and server allocated %d KiB for a streamed upload", allocated>>10)
	}
}

func TestRefusedUploadIsNotSent(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	})
	read := atomic.Int64{}
	content := readerFunc(func(buffer []byte) (int, error) {
		read.Add(int64(len(buffer)))
		return len(buffer), nil
	})
	_, err := client.UploadFile(t.Context(), Upload{Filename: "big.jsonl", Size: 1 << 30, Content: content})
	var refused *Error
	if !errors.As(err, &refused) || refused.StatusCode != http.StatusRequestEntityTooLarge || OutcomeUnknown(err) {
		t.Errorf("error is %v, want the server's refusal", err)
	}
	if read.Load() > 0 {
		t.Errorf("%d bytes were read for a refused upload", read.Load())
	}
}

func TestUploadThatCannotBeReadIsNeverComplete(t *testing.T) {
	failure := errors.New("disk on fire at /secret/path")
	tests := []struct {
		reason  string
		content io.Reader
		cause   error
	}{
		{"the source fails", iotest.ErrReader(failure), failure},
		{"the source fails half-way", io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(failure)), failure},
		{"the source is shorter than announced", strings.NewReader("abc"), io.ErrUnexpectedEOF},
		{"the source is longer than announced", strings.NewReader("abcdefgh"), nil},
		{"the source is longer than announced, byte by byte", iotest.OneByteReader(strings.NewReader("abcdefgh")), nil},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			client := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if err := r.ParseMultipartForm(1 << 20); err == nil {
					t.Error("the server got a whole form")
				}
				w.WriteHeader(http.StatusBadRequest)
			})
			_, err := client.UploadFile(t.Context(), Upload{Filename: "a.jsonl", Size: 5, Content: test.content})
			if err == nil || (test.cause != nil && !errors.Is(err, test.cause)) {
				t.Fatalf("error is %v, want the cause %v", err, test.cause)
			}
			if OutcomeUnknown(err) {
				t.Error("the outcome is unknown, though the form was never complete")
			}
			if !IsUnreadableContent(err) {
				t.Error("the failure passes for the server's")
			}
			if want := "UploadFile: the content could not be read in its announced size"; err.Error() != want {
				t.Errorf("error is %q, want %q", err, want)
			}
		})
	}
}

func TestUploadEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = r.Body.Read(make([]byte, 1))
		cancel()
		_, _ = io.Copy(io.Discard, r.Body)
	})
	endless := readerFunc(func(buffer []byte) (int, error) { return len(buffer), nil })
	_, err := client.UploadFile(ctx, Upload{Filename: "a.jsonl", Size: 1 << 40, Content: endless})
	if !errors.Is(err, context.Canceled) || !OutcomeUnknown(err) {
		t.Errorf("error is %v, want a cancellation of unknown outcome", err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(buffer []byte) (int, error) { return f(buffer) }
