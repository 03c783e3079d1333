package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestLeavesWithoutLosingARequest: clients that keep their connections send to a server until it says that
// it is about to end, as a proxy does that asks /readyz.
func TestLeavesWithoutLosingARequest(t *testing.T) {
	leaver := start(t, t.TempDir(), "--shutdown-delay", "1s")
	var logs sync.WaitGroup
	logs.Go(func() { _, _ = io.Copy(io.Discard, leaver.logs) }) // or the server would wait to write one of each request
	told := make(chan struct{})
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			for sent := 0; ; sent++ {
				select {
				case <-told:
					return
				case <-time.After(2 * time.Millisecond): // in which the connection is idle
				}
				if _, err := post(&http.Client{Transport: transport}, leaver.url); err != nil {
					t.Errorf("request %d: %v", sent, err)
					return
				}
			}
		})
	}
	if err := leaver.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	said := awaitUnready(t, leaver.url)
	if last, err := post(http.DefaultClient, leaver.url); err != nil || !last {
		t.Errorf("the connection is kept: %t, %v", !last, err)
	}
	time.Sleep(300 * time.Millisecond) // what a proxy takes to notice
	close(told)
	clients.Wait()
	if want := `{"status":"the server is about to end"}` + "\n"; said != want {
		t.Errorf("/readyz says %q", said)
	}
	logs.Wait()
	if err := leaver.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

// post makes a request that no client makes again by itself, and tells whether it was the last of its connection.
func post(client *http.Client, url string) (last bool, err error) {
	body := io.MultiReader(bytes.NewReader([]byte(`{"model": "none", "input": "text"}`)))
	request, err := http.NewRequest(http.MethodPost, url+"/v1/classifications", body)
	if err != nil {
		return false, err
	}
	request.Header.Set("Authorization", "Bearer secret-key")
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return false, err
	}
	if response.StatusCode != http.StatusBadRequest { // there is no such model
		return false, fmt.Errorf("answered with %s", response.Status)
	}
	return response.Close, nil
}

// awaitUnready gives what /readyz says when it fails.
func awaitUnready(t *testing.T, url string) string {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		response, err := noKeepAlive.Get(url + "/readyz")
		if err != nil {
			t.Fatalf("the server ended before it said so: %v", err)
		}
		said, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode == http.StatusServiceUnavailable {
			return string(said)
		}
		if time.Now().After(deadline) {
			t.Fatal("the server does not say that it is about to end")
		}
	}
}
