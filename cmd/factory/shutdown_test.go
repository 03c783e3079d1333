package main

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestShutdownCutsOff what takes too long, such as a slow upload, and is no failure.
func TestShutdownCutsOff(t *testing.T) {
	begun, ended := make(chan struct{}), make(chan error, 1)
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		_, err := io.Copy(io.Discard, r.Body)
		ended <- err
	})
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := newServer(handler, logger)
	go func() { _ = server.Serve(listener) }()
	upload, rest := io.Pipe()
	defer func() { _ = rest.Close() }()
	go func() {
		if response, err := http.Post("http://"+listener.Addr().String(), "text/plain", upload); err == nil {
			_ = response.Body.Close()
		}
	}()
	<-begun
	if err := (servers{server}).shutdown(50*time.Millisecond, logger); err != nil {
		t.Errorf("shutdown() = %v", err)
	}
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the upload was taken for complete")
		}
	case <-time.After(10 * time.Second):
		t.Error("the request goes on")
	}
	if !strings.Contains(log.String(), "cut off") {
		t.Errorf("log %q", log.String())
	}
}
