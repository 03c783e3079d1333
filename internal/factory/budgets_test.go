package factory

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sending is a file that a tenant sends little by little.
type sending struct {
	cancel   context.CancelFunc
	form     *io.PipeWriter
	boundary string
	answered chan int // the status; 0: there was no answer
}

// send begins to send a file.
func (s *server) send(key, name string) *sending {
	s.t.Helper()
	contentType, whole := form(s.t, name, "")
	head, err := io.ReadAll(whole)
	if err != nil {
		s.t.Fatal(err)
	}
	boundary := "\r\n--" + strings.TrimPrefix(contentType, "multipart/form-data; boundary=") + "--\r\n"
	ctx, cancel := context.WithCancel(s.t.Context())
	read, write := io.Pipe()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.http.URL+"/v1/files", read)
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", contentType)
	s.t.Cleanup(func() { _ = write.Close() }) // who reads it ends
	file := &sending{cancel: cancel, form: write, boundary: boundary, answered: make(chan int, 1)}
	go func() {
		response, err := s.http.Client().Do(request)
		if err != nil {
			file.answered <- 0
			return
		}
		_ = response.Body.Close()
		file.answered <- response.StatusCode
	}()
	_, _ = io.WriteString(write, strings.TrimSuffix(string(head), boundary))
	return file
}

// write returns when the server has read the bytes, or no longer wants them.
func (f *sending) write(bytes int) { _, _ = io.WriteString(f.form, strings.Repeat("x", bytes)) }

func (f *sending) end() int {
	_, _ = io.WriteString(f.form, f.boundary)
	_ = f.form.Close()
	return <-f.answered
}

// arrived is how much is on disk of files that are being sent.
func (s *server) arrived() (bytes int64) {
	s.t.Helper()
	err := filepath.WalkDir(filepath.Join(s.config.Directory, "incoming"), func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.t.Fatal(err)
	}
	return bytes
}

func TestFilesUnderWayCount(t *testing.T) {
	const quota = 4 << 20
	s := startServer(t, func(c *Config) { c.Limits.FileBytes = quota })
	first, second := s.send("alice-key", "first.jsonl"), s.send("alice-key", "second.jsonl")
	first.write(quota * 3 / 4)
	second.write(quota * 3 / 4)
	left, name, status := first, "first.jsonl", 0
	select { // whichever comes to the quota first
	case status = <-second.answered:
	case status = <-first.answered:
		left, name = second, "second.jsonl"
	}
	if status != http.StatusForbidden {
		t.Errorf("one of two files of three quarters of the quota each: %d", status)
	}
	if arrived := s.arrived(); arrived > quota {
		t.Errorf("%d bytes are on disk", arrived)
	}
	if status := left.end(); status != http.StatusOK {
		t.Errorf("the other one: %d", status)
	}
	other := s.send("bob-key", "first.jsonl")
	other.write(quota)
	if status := other.end(); status != http.StatusOK {
		t.Errorf("another tenant's: %d", status)
	}
	again := s.send("alice-key", name)
	again.write(quota * 3 / 4)
	if status := again.end(); status != http.StatusOK {
		t.Errorf("the same file again, which is no other: %d", status)
	}
}

// TestFilesThatDoNotArriveCountNoLonger, however their sending ends.
func TestFilesThatDoNotArriveCountNoLonger(t *testing.T) {
	const quota = 1 << 20
	for _, test := range []struct {
		reason string
		end    func(*sending)
	}{
		{"the client has gone", func(f *sending) { f.cancel(); _ = f.form.CloseWithError(context.Canceled); <-f.answered }},
		{"the form has no end", func(f *sending) { _ = f.form.Close(); <-f.answered }},
		{"it is too much", func(f *sending) { f.write(quota); <-f.answered }},
		{"its purpose is another", func(f *sending) {
			_, _ = io.WriteString(f.form, strings.TrimSuffix(f.boundary, "--\r\n")+"\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch")
			f.end()
		}},
		{"a second file follows", func(f *sending) {
			_, _ = io.WriteString(f.form, strings.TrimSuffix(f.boundary, "--\r\n")+"\r\nContent-Disposition: form-data; name=\"file\"; filename=\"b.jsonl\"\r\n\r\nx")
			f.end()
		}},
	} {
		s := startServer(t, func(c *Config) { c.Limits.FileBytes = quota })
		file := s.send("alice-key", "part.jsonl")
		file.write(quota * 3 / 4)
		test.end(file)
		status := 0
		for deadline := time.Now().Add(10 * time.Second); status != http.StatusOK && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
			whole := s.send("alice-key", "whole.jsonl") // the server may not have noticed yet
			whole.write(quota)
			status = whole.end()
		}
		if status != http.StatusOK {
			t.Errorf("%s: a file of the whole quota is answered with %d", test.reason, status)
		}
	}
}

func TestRequestsUnderWay(t *testing.T) {
	s := startServer(t, func(c *Config) { c.RequestsUnderWay = 2 })
	slow := []*sending{s.send("alice-key", "1.jsonl"), s.send("alice-key", "2.jsonl")}
	for _, file := range slow {
		file.write(1 << 20)
	}
	for s.arrived() < 1<<20+1<<18 { // both are there: the rest is in buffers
		time.Sleep(time.Millisecond)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.http.URL+"/v1/files", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer alice-key")
	response, err := s.http.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	response.Body.Close()
	if response.StatusCode != http.StatusTooManyRequests || response.Header.Get("Retry-After") != "1" || !strings.Contains(string(body), "2 requests are under way already. Wait") {
		t.Errorf("the third: %d, Retry-After %q, %s", response.StatusCode, response.Header.Get("Retry-After"), body)
	}
	if status, body := s.requestAs("bob-key", "GET", "/v1/files", "", nil); status != http.StatusOK {
		t.Errorf("another tenant's: %d %s", status, body)
	}
	for _, file := range slow {
		if status := file.end(); status != http.StatusOK {
			t.Errorf("one that was under way: %d", status)
		}
	}
	if status, body := s.request("GET", "/v1/files", ""); status != http.StatusOK {
		t.Errorf("afterwards: %d %s", status, body)
	}
}

// TestAnswersAreBounded: inputs and labels multiply.
func TestAnswersAreBounded(t *testing.T) {
	s := startServer(t, nil)
	model := s.train("intents.jsonl", strings.NewReplacer("light", strings.Repeat("l", 256), "music", strings.Repeat("m", 256)).Replace(intents(20)))
	const inputs = 500_000
	for _, test := range []struct{ path, member, input string }{
		{"classifications", ``, `""`},
		{"classifications", `"scores": "independent", `, `""`},
		{"chat/classifications", ``, `{"messages":[{"role":"user","content":""}]}`},
	} {
		body := `{"model": "` + model + `", ` + test.member + `"input": [` + strings.Repeat(test.input+",", inputs-1) + test.input + `]}`
		status, answer := s.request("POST", "/v1/"+test.path, body)
		answer = answer[:min(len(answer), 1000)]
		if status != http.StatusUnprocessableEntity || !strings.Contains(answer, `"loc":["body","input"]`) ||
			!strings.Contains(answer, "The 500000 inputs") || !strings.Contains(answer, "at most 268435456. Send at most") {
			t.Errorf("%s%s: %d %s", test.path, test.member, status, answer)
		}
	}
}

// TestStrangersGetSeconds, and no request longer because of where it goes.
func TestStrangersGetSeconds(t *testing.T) {
	s := startServer(t, nil)
	for _, test := range []struct {
		route  string
		status int
	}{
		{"POST /v1/files", http.StatusUnauthorized},
		{"GET /v1/files/x/content", http.StatusUnauthorized},
		{"GET /v1/files/x/signed", http.StatusForbidden},
		{"POST /v1/fine_tuning/jobs", http.StatusUnauthorized},
		{"POST /v1/chat/classifications", http.StatusUnauthorized},
		{"POST /v1/nothing", http.StatusNotFound},
		{"PUT /v1/files", http.StatusMethodNotAllowed},
	} {
		t.Run(test.route, func(t *testing.T) {
			t.Parallel()
			connection, err := net.Dial("tcp", s.http.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = connection.Close() }()
			if err := connection.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := fmt.Fprintf(connection, "%s HTTP/1.1\r\nHost: factory\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 100\r\n\r\n", test.route); err != nil {
				t.Fatal(err)
			}
			response, err := http.ReadResponse(bufio.NewReader(connection), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if response.StatusCode != test.status {
				t.Errorf("%s", response.Status)
			}
			if _, err := io.Copy(io.Discard, connection); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the connection is still open")
			}
		})
	}
}
