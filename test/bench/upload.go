package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	uploadBytes   = 512_000_000 // as large as the protocol's files are
	uploads       = 3           // by each uploader, in turns; their median counts
	uploadCommand = "upload"
	curl          = 1 // the index of the peer
)

// uploader is a program that uploads a file and prints the answer.
type uploader struct {
	name            string
	command         []string
	seconds, peakMB []float64 // of each upload
}

func newUploaders(server, path string) []*uploader {
	return []*uploader{
		{name: "mistral.Client", command: []string{os.Args[0], uploadCommand, server, path}}, // in a process of its own, as its peer
		{name: "curl -F", command: []string{"curl", "-sSf", "--noproxy", "*", "-F", "file=@" + path, "-F", "purpose=fine-tune", server + "/v1/files"}},
	}
}

// upload is all that the process of ours does.
func upload(ctx context.Context, server, path string) error {
	content, err := os.Open(path)
	if err != nil {
		return err
	}
	defer content.Close()
	info, err := content.Stat()
	if err != nil {
		return err
	}
	client, err := mistral.NewClient(mistral.Config{BaseURL: server})
	if err != nil {
		return err
	}
	file, err := client.UploadFile(ctx, mistral.Upload{
		Filename: filepath.Base(path), Size: info.Size(), Content: content, Purpose: mistral.PurposeFineTune,
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(file)
}

func measureUploads(ctx context.Context, factory string) (uploaders []*uploader, err error) {
	directory, err := os.MkdirTemp("", "classifier-factory-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	path := filepath.Join(directory, "rows.jsonl")
	rows := appendRows(make([]byte, 0, uploadBytes+1000), uploadBytes, 0, rand.New(rand.NewPCG(1, 2)))
	if err := os.WriteFile(path, rows, 0o600); err != nil {
		return nil, err
	}
	server, stop, err := startFactory(ctx, factory, filepath.Join(directory, "factory"), nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stop()) }()

	uploaders = newUploaders(server, path)
	for turn := range uploads * len(uploaders) {
		if err := uploaders[turn%len(uploaders)].measure(ctx, server); err != nil {
			return nil, err
		}
	}
	return uploaders, nil
}

// startFactory waits until the factory answers.
func startFactory(ctx context.Context, factory, directory string, log io.Writer) (server string, stop func() error, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // a port that nobody listens on
	if err != nil {
		return "", nil, err
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return "", nil, err
	}
	// Who measures all that the factory can do is one tenant.
	command := exec.Command(factory, "--insecure-no-auth", "--listen="+address, "--metrics-listen=127.0.0.1:0", "--data-dir="+directory,
		"--tenant-requests-per-second=0", "--tenant-requests-under-way=0")
	command.Stderr = log
	if err := command.Start(); err != nil {
		return "", nil, err
	}
	stop = func() error { return errors.Join(command.Process.Signal(syscall.SIGTERM), command.Wait()) }
	for range 100 {
		if connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", address); err == nil {
			return "http://" + address, stop, connection.Close()
		}
		time.Sleep(100 * time.Millisecond)
	}
	return "", nil, errors.Join(errors.New("the factory does not become ready"), stop())
}

// measure deletes the file afterwards, so that the next upload stores it anew.
func (u *uploader) measure(ctx context.Context, server string) error {
	command := exec.CommandContext(ctx, u.command[0], u.command[1:]...)
	if command.Err != nil {
		return nil // not installed
	}
	var answer bytes.Buffer
	command.Stdout, command.Stderr = &answer, os.Stderr
	begin := time.Now()
	if err := command.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	peak, err := watchMemory(command.Process.Pid, ended)
	if err != nil {
		return fmt.Errorf("%s: %w", u.name, err)
	}
	u.seconds, u.peakMB = append(u.seconds, time.Since(begin).Seconds()), append(u.peakMB, peak)
	return deleteFile(ctx, server, answer.Bytes())
}

var highWaterMark = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// watchMemory returns the process's largest resident memory in MB, or 0 where the
// system does not tell. What it tells a parent at the end is the parent's own, if larger.
func watchMemory(pid int, ended <-chan error) (peak float64, err error) {
	for {
		select {
		case err := <-ended:
			return peak, err
		case <-time.After(10 * time.Millisecond):
		}
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if found := highWaterMark.FindSubmatch(status); found != nil {
			kilobytes, _ := strconv.Atoi(string(found[1]))
			peak = float64(kilobytes) * 1024 / 1e6
		}
	}
}

func deleteFile(ctx context.Context, server string, answer []byte) error {
	var file mistral.File
	if err := json.Unmarshal(answer, &file); err != nil || file.Bytes < uploadBytes {
		return fmt.Errorf("%d bytes were uploaded: %w", file.Bytes, err)
	}
	client, err := mistral.NewClient(mistral.Config{BaseURL: server})
	if err != nil {
		return err
	}
	return client.DeleteFile(ctx, file.ID)
}

// cost is four cells, the seconds and the memory with their ratios to the peer's.
func (u *uploader) cost(peer *uploader) string {
	if len(u.seconds) == 0 {
		return notInstalled + "\t\t\t\t"
	}
	seconds, peakMB := median(u.seconds), median(u.peakMB)
	if len(peer.seconds) == 0 {
		return fmt.Sprintf("%.2f\t\t%.0f\t\t", seconds, peakMB)
	}
	return fmt.Sprintf("%.2f\t%.2f\t%.0f\t%.2f\t", seconds, seconds/median(peer.seconds), peakMB, peakMB/median(peer.peakMB))
}

func median(values []float64) float64 {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}
