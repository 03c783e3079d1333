package factory

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestRequestThatDoesNotArrive is the client's fault, or its network's.
func TestRequestThatDoesNotArrive(t *testing.T) {
	s := startServer(t, nil)
	slow := httptest.NewUnstartedServer(s.http.Config.Handler)
	slow.Config.ReadTimeout = 50 * time.Millisecond
	slow.Start()
	defer slow.Close()
	connection, err := net.Dial("tcp", slow.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	_, err = fmt.Fprint(connection, "POST /v1/classifications HTTP/1.1\r\nHost: factory\r\nAuthorization: Bearer alice-key\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusRequestTimeout || !strings.Contains(string(body), `"detail":"`) {
		t.Errorf("%s %s", response.Status, body)
	}
}

// TestClientThatLeaves is no failure of the server, which metrics and alerts count.
func TestClientThatLeaves(t *testing.T) {
	var log lockedBuffer
	s := startServer(t, func(c *Config) { c.Logger = slog.New(slog.NewJSONHandler(&log, nil)) })
	ctx, leave := context.WithCancel(t.Context())
	request := httptest.NewRequest("GET", "/v1/files", nil).WithContext(ctx)
	request.Header.Set("Authorization", "Bearer alice-key")
	leave()
	answer := &discarded{header: http.Header{}}
	s.factory.Handler().ServeHTTP(answer, request)
	if answer.status != 499 || strings.Contains(log.String(), "request failed") {
		t.Errorf("%d, log %s", answer.status, log.String())
	}
}
