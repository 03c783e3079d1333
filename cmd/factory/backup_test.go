package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// commands are the shell commands of a page.
func commands(t *testing.T, page string) []string {
	t.Helper()
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, block := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllSubmatch(content, -1) {
		blocks = append(blocks, string(block[1]))
	}
	return blocks
}

// shell runs scripts with this test as the command factory.
func shell(t *testing.T, directory string, script string) {
	t.Helper()
	bin := t.TempDir()
	if err := os.Symlink(os.Args[0], filepath.Join(bin, "factory")); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
	command.Dir = directory
	command.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "RUN_FACTORY=1", "FACTORY_API_KEY=secret-key")
	// A file, because a pipe would break under what the script leaves in the background.
	output, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	command.Stdout, command.Stderr = output, output
	if err := command.Run(); err != nil {
		said, _ := os.ReadFile(output.Name())
		t.Fatalf("%v\n%s\n%s", err, script, said)
	}
}

// freeAddress is one that a factory can listen on, with its metrics on the next port.
func freeAddress(t *testing.T) string {
	t.Helper()
	for {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		o := options{listen: listener.Addr().String()}
		beside, err := o.metricsAddress()
		if err != nil {
			t.Fatal(err)
		}
		next, err := net.Listen("tcp", beside)
		_ = listener.Close()
		if err == nil {
			_ = next.Close()
			return o.listen
		}
	}
}

// TestBackUpTheFactory does what the page docs/how-to/back-up-the-factory.md says.
func TestBackUpTheFactory(t *testing.T) {
	steps := commands(t, filepath.Join("..", "..", "docs", "how-to", "back-up-the-factory.md"))
	if len(steps) != 2 {
		t.Fatalf("%d steps; want backing up and restoring", len(steps))
	}
	directory, address := t.TempDir(), freeAddress(t)
	client, err := mistral.NewClient(mistral.Config{BaseURL: "http://" + address, Key: mistral.NewKey("secret-key")})
	if err != nil {
		t.Fatal(err)
	}
	shell(t, directory, fmt.Sprintf("mkdir backups; factory --data-dir data --listen %s --metrics-listen 127.0.0.1:0 & echo $! > pid", address))
	t.Cleanup(func() { stop(t, filepath.Join(directory, "pid")) })
	awaitReady(t, "http://"+address)

	rows := strings.Repeat(`{"text": "lamp", "labels": {"intent": "light"}}`+"\n"+`{"text": "song", "labels": {"intent": "music"}}`+"\n", 20)
	upload := func(name string) *mistral.File {
		t.Helper()
		file, err := client.UploadFile(t.Context(), mistral.Upload{Filename: name, Content: strings.NewReader(rows), Size: int64(len(rows))})
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	before := upload("before.jsonl")
	model := trainModel(t, client, before)

	shell(t, directory, steps[0])
	after := upload("after.jsonl")
	if err := errors.Join(client.DeleteFile(t.Context(), before.ID), client.DeleteModel(t.Context(), model)); err != nil {
		t.Fatal(err)
	}

	// The factory is no child of this shell, so that it cannot wait for it.
	restore := strings.Replace(steps[1], `wait "$FACTORY_PID"`, `while kill -0 "$FACTORY_PID" 2>/dev/null; do sleep 0.01; done`, 1)
	shell(t, directory, fmt.Sprintf("FACTORY_PID=$(cat pid) FACTORY_LISTEN=%s\n%s\necho $FACTORY_PID > pid", address, restore))
	awaitReady(t, "http://"+address)

	content, err := client.DownloadFile(t.Context(), before.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	if got, err := io.ReadAll(content); err != nil || string(got) != rows {
		t.Errorf("the file that was deleted after the backup: %d bytes, %v", len(got), err)
	}
	if _, err := client.Classify(t.Context(), mistral.ClassifyRequest{Model: model, Input: []string{"lamp"}}); err != nil {
		t.Errorf("the model that was deleted after the backup: %v", err)
	}
	if _, err := client.GetFile(t.Context(), after.ID); !mistral.IsNotFound(err) {
		t.Errorf("the file that was uploaded after the backup: %v", err)
	}
}

// stop ends the process whose ID a file has.
func stop(t *testing.T, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	id, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil {
		t.Fatal(err)
	}
	_ = syscall.Kill(id, syscall.SIGKILL)
}

func awaitReady(t *testing.T, url string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if response, err := noKeepAlive.Get(url + "/readyz"); err == nil {
			response.Body.Close()
			if response.StatusCode == 200 {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("the factory does not get ready")
		}
	}
}

// trainModel waits for the model of a file.
func trainModel(t *testing.T, client *mistral.Client, file *mistral.File) string {
	t.Helper()
	job, err := client.CreateJob(t.Context(), mistral.CreateJobRequest{
		Model: "ministral-3b-latest", JobType: mistral.JobTypeClassifier, AutoStart: true,
		TrainingFiles: []mistral.TrainingFile{{FileID: file.ID, Weight: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for {
		found, err := client.GetJob(t.Context(), job.ID)
		if err != nil {
			t.Fatal(err)
		}
		if found.Status == mistral.JobSuccess {
			return *found.FineTunedModel
		}
		if found.Status.Finished() {
			t.Fatalf("the job is %s", found.Status)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
