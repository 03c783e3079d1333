package neighbours

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// socket is a request of which the test says what comes when.
type socket struct {
	net.Conn
	t *testing.T
}

// open begins a request with a body of so many bytes.
func (n *neighbourhood) open(key, route string, bytes int) *socket {
	n.t.Helper()
	connection, err := net.Dial("tcp", n.address)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = connection.Close() })
	_, err = fmt.Fprintf(connection, "%s HTTP/1.1\r\nHost: factory\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
		route, key, map[bool]string{true: "multipart/form-data; boundary=x", false: "application/json"}[strings.HasSuffix(route, "/files")], bytes)
	if err != nil {
		n.t.Fatal(err)
	}
	return &socket{connection, n.t}
}

// send sends some of the body, or as much as is taken of it.
func (s *socket) send(text string) {
	s.t.Helper()
	if err := s.SetWriteDeadline(time.Now().Add(3 * time.Second)); err != nil {
		s.t.Error(err)
	}
	_, _ = io.WriteString(s, text)
}

// status is what the request is answered with within a time; 0: with nothing.
func (s *socket) status(within time.Duration) int {
	s.t.Helper()
	if err := s.SetReadDeadline(time.Now().Add(within)); err != nil {
		s.t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(s), nil)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// isOpen reports whether the server has not closed the connection within a time.
func (s *socket) isOpen(within time.Duration) bool {
	s.t.Helper()
	if err := s.SetReadDeadline(time.Now().Add(within)); err != nil {
		s.t.Fatal(err)
	}
	_, err := io.Copy(io.Discard, s)
	return errors.Is(err, os.ErrDeadlineExceeded)
}

const largest = 32 << 20 // a request to classify

// TestIdleSockets declare much and send little.
func TestIdleSockets(t *testing.T) {
	n := start(t)
	for _, route := range []string{"POST /v1/classifications", "POST /v1/chat/classifications"} {
		for range 6 {
			n.open("hostile-key", route, largest).send(`{`)
		}
	}
	for range 6 {
		n.open("hostile-key", "POST /v1/fine_tuning/jobs", 1<<20).send(`{`)
	}
	n.holdGood("beside sockets that declare much")

	started := time.Now()
	strangers := []*socket{n.open("no-key", "POST /v1/files", 1000), n.open("no-key", "POST /v1/classifications", 1000)}
	idle := n.open("hostile-key", "POST /v1/classifications", largest)
	for i, stranger := range strangers {
		if stranger.isOpen(20*time.Second - time.Since(started)) {
			t.Errorf("a connection without a key, %d, is waited for after %v", i, time.Since(started))
		}
	}
	if status := idle.status(20*time.Second - time.Since(started)); status != http.StatusRequestTimeout {
		t.Errorf("a body of which nothing comes is answered with %d after %v", status, time.Since(started))
	}
}

// TestFullSockets send nearly all that they declare.
func TestFullSockets(t *testing.T) {
	n := start(t)
	text := `{"model": "none", "input": "` + strings.Repeat("x", largest-1024)
	for range 6 {
		socket := n.open("hostile-key", "POST /v1/classifications", largest)
		go socket.send(text)
	}
	time.Sleep(time.Second)
	n.holdGood("beside sockets that have sent much")
}
