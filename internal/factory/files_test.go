package factory

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob/buckettest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func TestFileLife(t *testing.T) {
	s := startServer(t, nil)
	client := s.client("alice-key")
	content := intents(3)

	file := s.upload("intents.jsonl", content)
	if file.Bytes != int64(len(content)) || *file.NumLines != 3 || file.SampleType != mistral.SampleTypePretrain ||
		file.Purpose != mistral.PurposeFineTune || file.Source != mistral.SourceUpload || len(*file.Signature) != 16 {
		t.Errorf("uploaded %+v", file)
	}
	if digest := fmt.Sprintf("%x", sha256.Sum256([]byte(content))); *file.SHA256 != digest || *file.Signature != digest[:16] {
		t.Errorf("the digest of %s is %s, the signature %s", digest, *file.SHA256, *file.Signature)
	}

	found, err := client.GetFile(t.Context(), file.ID)
	if err != nil || found.Deleted == nil || *found.Deleted {
		t.Errorf("GetFile() = %+v, %v; it must say that it is not deleted", found, err)
	}
	download, err := client.DownloadFile(t.Context(), file.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer download.Close()
	if got, err := io.ReadAll(download); err != nil || string(got) != content {
		t.Errorf("downloaded %q, %v", got, err)
	}

	if err := client.DeleteFile(t.Context(), file.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := client.GetFile(t.Context(), file.ID); !mistral.IsNotFound(err) {
		t.Errorf("GetFile() after its deletion: %v", err)
	}
	if left := blobNames(t, s); len(left) != 0 {
		t.Errorf("bytes are left of a deleted file: %v", left)
	}
}

// blobNames are those that are left: in a bucket, that are left when a day has gone by.
func blobNames(t *testing.T, s *server) []string {
	t.Helper()
	if s.config.BlobURL != "" {
		for _, after := range []time.Duration{0, 25 * time.Hour} {
			if _, err := s.factory.store.RemoveUnreferenced(t.Context(), s.factory.config.Clock().Add(after)); err != nil {
				t.Fatal(err)
			}
		}
	}
	entries, err := os.ReadDir(s.blobPath(""))
	if err != nil && !(s.config.BlobURL != "" && errors.Is(err, fs.ErrNotExist)) {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// blobPath is that of a blob's file, in the server's directory or below its bucket.
func (s *server) blobPath(digest string) string {
	s.t.Helper()
	if s.config.BlobURL != "" {
		return buckettest.Path(s.t, s.config.BlobURL, filepath.Join("blobs", digest))
	}
	return blobPath(s.config.Directory, digest)
}

func blobPath(directory, digest string) string {
	return filepath.Join(directory, "blobs", digest)
}

func TestUploadOfTheSameFile(t *testing.T) {
	s := startServer(t, nil)
	first := s.upload("a.jsonl", intents(2))
	for _, test := range []struct {
		reason, name, content string
		same                  bool
	}{
		{"name and content are the same", "a.jsonl", intents(2), true},
		{"another name", "b.jsonl", intents(2), false},
		{"another content", "a.jsonl", intents(3), false},
	} {
		if again := s.upload(test.name, test.content); (again.ID == first.ID) != test.same {
			t.Errorf("%s: ID %s after %s", test.reason, again.ID, first.ID)
		}
	}
	bobs := uploadAs(t, s.client("bob-key"), "a.jsonl", intents(2))
	if bobs.ID == first.ID {
		t.Error("two tenants share a file")
	}
	if err := s.client("alice-key").DeleteFile(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.client("bob-key").DownloadFile(t.Context(), bobs.ID); err != nil {
		t.Errorf("one tenant's deletion took the other's bytes: %v", err)
	}
}

func TestSampleTypeAndLines(t *testing.T) {
	s := startServer(t, nil)
	chat := `{"messages": [{"role": "user", "content": "hello"}], "labels": {"intent": "greet"}}`
	for _, test := range []struct {
		reason, name, content string
		sampleType            string
		lines                 int64
	}{
		{"rows with messages", "chat.jsonl", chat + "\n", mistral.SampleTypeInstruct, 1},
		{"last line without an end", "open.jsonl", chat + "\n" + chat, mistral.SampleTypeInstruct, 2},
		{"bad rows are for a job to refuse", "bad.jsonl", "{\n", mistral.SampleTypePretrain, 1},
	} {
		if file := s.upload(test.name, test.content); file.SampleType != test.sampleType || *file.NumLines != test.lines {
			t.Errorf("%s: %s, %d lines", test.reason, file.SampleType, *file.NumLines)
		}
	}
}

// form is a multipart body of alternating names and values.
func form(t testing.TB, filename, content string, fields ...string) (contentType string, body io.Reader) {
	t.Helper()
	var buffer bytes.Buffer
	writer := multipart.NewWriter(&buffer)
	if filename != "" {
		part, err := writer.CreateFormFile("file", filename)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(part, content)
	}
	for i := 0; i < len(fields); i += 2 {
		_ = writer.WriteField(fields[i], fields[i+1])
	}
	_ = writer.Close()
	return writer.FormDataContentType(), &buffer
}

func TestUploadRefuses(t *testing.T) {
	s := startServer(t, nil)
	for _, test := range []struct {
		reason, filename, content string
		fields                    []string
		status                    int
		want                      string
	}{
		{"another format", "data.zip", "PK", nil, 422, `"detail":"Invalid file format."`},
		{"no content", "empty.jsonl", "", nil, 422, `"detail":"Invalid file format."`},
		{"no file", "", "", []string{"purpose", "fine-tune"}, 422, "no part named file"},
		{"another purpose", "a.jsonl", "{}", []string{"purpose", "batch"}, 422, "purpose fine-tune only"},
		{"visibility of another service", "a.jsonl", "{}", []string{"visibility", "world"}, 422, "visibility must be"},
		{"an expiry that is not a number", "a.jsonl", "{}", []string{"expiry", "soon"}, 422, "expiry must be a number of hours from 1 to 8760"},
		{"a name in Latin-1", "caf\xe9.jsonl", "{}", nil, 422, "not UTF-8"},
		{"a name with half a surrogate", "\xed\xa0\xbd.jsonl", "{}", nil, 422, "not UTF-8"},
		{"a name that is no name", strings.Repeat("a", 300) + ".jsonl", "{}", nil, 422, "more than 255 bytes"},
	} {
		contentType, body := form(t, test.filename, test.content, test.fields...)
		status, answer := s.requestAs("alice-key", "POST", "/v1/files", contentType, body)
		if status != test.status || !strings.Contains(answer, test.want) {
			t.Errorf("%s: %d %s, want %d and %s", test.reason, status, answer, test.status, test.want)
		}
	}
	if status, answer := s.request("POST", "/v1/files", `{}`); status != 422 {
		t.Errorf("not a form: %d %s", status, answer)
	}
	contentType, body := form(t, "cut.jsonl", intents(100))
	status, answer := s.requestAs("alice-key", "POST", "/v1/files", contentType, io.LimitReader(body, 2000))
	if status != http.StatusBadRequest {
		t.Errorf("form that breaks off: %d %s", status, answer)
	}
	if left := blobNames(t, s); len(left) != 0 {
		t.Errorf("bytes are left of refused files: %v", left)
	}
}

func TestUploadTooLarge(t *testing.T) {
	s := startServer(t, nil)
	head, _ := form(t, "large.jsonl", "")
	boundary := strings.TrimPrefix(head, "multipart/form-data; boundary=")
	start := "--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"large.jsonl\"\r\n\r\n"
	body := io.MultiReader(strings.NewReader(start), io.LimitReader(zeros{}, (512<<20)+1), strings.NewReader("\r\n--"+boundary+"--\r\n"))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.http.URL+"/v1/files", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer alice-key")
	request.Header.Set("Content-Type", head)
	response, err := s.http.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", response.StatusCode)
	}
	staged, err := os.ReadDir(filepath.Join(s.config.Directory, "incoming"))
	if err != nil || len(staged) != 0 {
		t.Errorf("left behind: %v, %v", staged, err)
	}
}

// zeros is an endless file.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestListFiles(t *testing.T) {
	s := startServer(t, nil)
	for _, name := range []string{"first.jsonl", "second.jsonl", "Third.jsonl"} {
		s.upload(name, intents(2))
	}
	s.upload("chat.jsonl", `{"messages": [{"role": "user", "content": "hello"}], "labels": {"intent": "greet"}}`)
	for _, test := range []struct {
		reason, query string
		want          string
		total         string
	}{
		{"newest first", "", "chat Third second first", "4"},
		{"second page", "?page=1&page_size=3", "first", "4"},
		{"page behind the last", "?page=9", "", "4"},
		{"search ignores case", "?search=THIRD", "Third", "1"},
		{"a percent sign is no wildcard", "?search=%25", "", "0"},
		{"sample types", "?sample_type=instruct&sample_type=batch_request", "chat", "1"},
		{"every sample type that it has", "?sample_type=instruct&sample_type=pretrain", "chat Third second first", "4"},
		{"another sample type", "?sample_type=batch_error", "", "0"},
		{"purpose", "?purpose=fine-tune&search=first", "first", "1"},
		{"another purpose", "?purpose=batch", "", "0"},
		{"sources", "?source=mistral&source=upload", "chat Third second first", "4"},
		{"another source", "?source=repository", "", "0"},
		{"types of content", "?mimetypes=application%2Fjsonl&page_size=1", "chat", "4"},
		{"another type of content", "?mimetypes=text%2Fcsv", "", "0"},
		{"all at once", "?search=JSONL&sample_type=pretrain&source=upload&purpose=fine-tune&page_size=2&page=1", "first", "3"},
		{"no total", "?include_total=false&page_size=1", "chat", "null"},
	} {
		status, body := s.request("GET", "/v1/files"+test.query, "")
		var list struct {
			Data  []mistral.File
			Total *int64
		}
		decode(t, body, &list)
		var names []string
		for _, file := range list.Data {
			names = append(names, strings.TrimSuffix(file.Filename, ".jsonl"))
		}
		if got := strings.Join(names, " "); status != 200 || got != test.want || !strings.Contains(body, `"total":`+test.total) {
			t.Errorf("%s: %d %q, want %q of %s: %s", test.reason, status, got, test.want, test.total, body)
		}
		if strings.Contains(body, `"data":null`) {
			t.Errorf("%s: a list is null, which the SDKs refuse", test.reason)
		}
	}
	for _, query := range []string{"?page=-1", "?page=x", "?page_size=0", "?page_size=1001", "?include_total=perhaps"} {
		if status, body := s.request("GET", "/v1/files"+query, ""); status != 422 || !strings.Contains(body, `"detail":"The query parameter`) {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
}

func TestSignedURL(t *testing.T) {
	var offset atomic.Int64
	s := startServer(t, func(c *Config) {
		c.Clock = func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
	})
	content := intents(2)
	file := s.upload("a.jsonl", content)
	other := s.upload("b.jsonl", content)
	status, body := s.request("GET", "/v1/files/"+file.ID+"/url?expiry=2", "")
	var signed mistral.SignedURL
	decode(t, body, &signed)
	if status != 200 || !strings.HasPrefix(signed.URL, s.http.URL) {
		t.Fatalf("%d %s", status, body)
	}
	location := strings.TrimPrefix(signed.URL, s.http.URL)
	fetch := func(path string) (int, string) { return s.requestAs("", "GET", path, "", nil) }

	if status, body := fetch(location); status != 200 || body != content {
		t.Errorf("without a key: %d %q", status, body)
	}
	if status, _ := fetch(strings.Replace(location, file.ID, other.ID, 1)); status != http.StatusForbidden {
		t.Errorf("signature of another file: %d", status)
	}
	later, _ := url.Parse(location)
	query := later.Query()
	query.Set("expires", query.Get("expires")+"0")
	if status, _ := fetch(later.Path + "?" + query.Encode()); status != http.StatusForbidden {
		t.Errorf("longer expiry than was signed: %d", status)
	}
	offset.Store(int64(2*time.Hour + time.Minute))
	if status, _ := fetch(location); status != http.StatusForbidden {
		t.Errorf("expired: %d", status)
	}
	for _, expiry := range []string{"0", "169", "x"} {
		if status, body := s.request("GET", "/v1/files/"+file.ID+"/url?expiry="+expiry, ""); status != 422 {
			t.Errorf("expiry=%s: %d %s", expiry, status, body)
		}
	}
}

// TestUploadTooLargeIsRefusedUnread: a client that asks first sends nothing in vain.
func TestUploadTooLargeIsRefusedUnread(t *testing.T) {
	s := startServer(t, nil)
	transport := &http.Transport{ExpectContinueTimeout: time.Minute}
	defer transport.CloseIdleConnections()
	client, err := mistral.NewClient(mistral.Config{BaseURL: s.http.URL, Key: mistral.NewKey("alice-key"), HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.UploadFile(t.Context(), mistral.Upload{Filename: "large.jsonl", Size: (513 << 20), Content: zeros{}})
	var refused *mistral.Error
	if !errors.As(err, &refused) || refused.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("UploadFile() = %v, want 413", err)
	}
}

func TestDownloadIsOctets(t *testing.T) {
	s := startServer(t, nil)
	file := s.upload("a.jsonl", intents(2))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.http.URL+"/v1/files/"+file.ID+"/content", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer alice-key")
	response, err := s.http.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if got := response.Header.Get("Content-Type"); got != "application/octet-stream" || err != nil || string(content) != intents(2) {
		t.Errorf("Content-Type %q, %q, %v; SDKs take no other type", got, content, err)
	}
}
