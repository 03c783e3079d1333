package factory

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/factory/api"
	"github.com/classifier-factory/classifier-factory/internal/factory/blob/buckettest"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	kills        = 200
	killClients  = 3
	longestLife  = 200 * time.Millisecond
	killDeadline = 5 * time.Minute // for the whole test on a machine that is very busy
)

// TestKill kills the real program 200 times, and before each the process that trains if there
// is one, at random moments, while clients lead classifiers' lives. What was acknowledged is there after every start, what was
// deleted is not, and in the end every job has ended and every byte is what its
// name says.
func TestKill(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), killDeadline)
	defer cancel()
	victim := &victim{t: t, program: buildFactory(ctx, t), at: Location{Directory: t.TempDir(), DatabaseURL: postgrestest.Chosen(t), BlobURL: buckettest.Chosen(t)}}
	random := rand.New(rand.NewPCG(1, 0))
	clients := make([]*killClient, killClients)
	for i := range clients {
		clients[i] = newKillClient(t, i)
	}
	began := time.Now()
	for range kills {
		client := victim.start(ctx)
		var running sync.WaitGroup
		for _, c := range clients {
			running.Go(func() { c.live(ctx, client) })
		}
		life := time.Duration(random.Int64N(int64(longestLife)))
		time.Sleep(life / 2)
		victim.killTraining()
		time.Sleep(life / 2)
		victim.kill()
		running.Wait()
		if t.Failed() || ctx.Err() != nil {
			t.Fatalf("stopped after %v", time.Since(began))
		}
	}
	lives := time.Since(began)

	client := victim.start(ctx)
	tally := killTally{}
	for _, c := range clients {
		c.finish(ctx, client)
		tally.add(c)
	}
	victim.kill()
	checkBlobs(ctx, t, victim.at)
	t.Logf("%d kills, %d of trainings, in %v: %+v", kills, victim.trainings, lives.Round(time.Second), tally)
	if victim.trainings == 0 && hasProcesses() {
		t.Error("no training was killed")
	}
	if tally.Models == 0 || tally.Deletions == 0 || tally.Starts == 0 {
		t.Error("the lives were too short to tell anything")
	}
}

// buildFactory builds cmd/factory.
func buildFactory(ctx context.Context, t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "factory")
	if output, err := exec.CommandContext(ctx, "go", "build", "-o", program, "../../cmd/factory").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return program
}

// victim is a factory that is started and killed again and again.
type victim struct {
	t         *testing.T
	program   string
	at        Location
	command   *exec.Cmd
	logs      sync.WaitGroup
	transport *http.Transport
	trainings int // killed
}

func (v *victim) start(ctx context.Context) *mistral.Client {
	v.t.Helper()
	v.command = exec.CommandContext(ctx, v.program, "--listen=127.0.0.1:0", "--data-dir="+v.at.Directory, "--database-url="+v.at.DatabaseURL, "--blob-url="+v.at.BlobURL, "--tenant-requests-per-second=0")
	v.command.Env = append(os.Environ(), "FACTORY_API_KEY=key")
	logs, err := v.command.StderrPipe()
	if err != nil {
		v.t.Fatal(err)
	}
	if err := v.command.Start(); err != nil {
		v.t.Fatal(err)
	}
	address := make(chan string, 1)
	v.logs.Go(func() {
		defer close(address)
		for lines := bufio.NewScanner(logs); lines.Scan(); {
			var entry struct{ Level, Msg, Server, Address string }
			if err := json.Unmarshal(lines.Bytes(), &entry); err != nil || entry.Level == "ERROR" {
				v.t.Errorf("log: %s", lines.Text())
			}
			if entry.Msg == "listening" && entry.Server == "api" {
				address <- entry.Address
			}
		}
		_, _ = io.Copy(io.Discard, logs)
	})
	v.transport = &http.Transport{}
	client, err := mistral.NewClient(mistral.Config{
		BaseURL: "http://" + <-address, Key: mistral.NewKey("key"), HTTPClient: &http.Client{Transport: v.transport}})
	if err != nil {
		v.t.Fatal(err)
	}
	return client
}

func (v *victim) kill() {
	_ = v.command.Process.Kill()
	v.logs.Wait()
	_ = v.command.Wait()
	v.transport.CloseIdleConnections()
}

// killTraining kills the processes that train, and leaves the server alive.
func (v *victim) killTraining() {
	for _, pid := range processesOf(v.command.Process.Pid) {
		if syscall.Kill(pid, syscall.SIGKILL) == nil {
			v.trainings++
		}
	}
}

// checkBlobs opens what is left and compares bytes with what refers to them.
func checkBlobs(ctx context.Context, t *testing.T, at Location) {
	t.Helper()
	left, blobs, lock, err := openDirectory(ctx, at)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(left.Close(), blobs.Close(), lock.release()); err != nil {
			t.Error(err)
		}
	}()
	now := time.Now()
	for _, moment := range []time.Time{now, now.Add(25 * time.Hour)} { // a day later nobody needs what the crashes left
		if _, err := left.RemoveUnreferenced(ctx, moment); err != nil {
			t.Error(err)
		}
	}
	report, err := Verify(ctx, at)
	if err != nil || len(report.Problems) > 0 || report.Unneeded.Blobs > 0 {
		t.Errorf("Verify() = %+v, %v", report, err)
	}
	models, err := left.Models(ctx, api.DefaultTenant)
	if err != nil {
		t.Fatal(err)
	}
	for model, err := range models {
		if err != nil {
			t.Fatal(err)
		}
		content, err := blobs.Open(model.Digest)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := classifier.ReadModel(bufio.NewReader(content)); err != nil {
			t.Error(err)
		}
		_ = content.Close()
	}
}
