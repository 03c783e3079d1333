package neighbours

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/test/processes"
)

const (
	// memoryLimit is that of the shipped manifest, config/factory.
	memoryLimit = 2 << 30

	// slack is what a machine that is busy with other things may add to twice the time
	// that something takes alone.
	slack = 4 * time.Second
)

// neighbourhood is a factory with two tenants.
type neighbourhood struct {
	t             *testing.T
	process       *processes.Process
	address       string
	directory     string
	hostile, good *tenant
	model         string // of the good one
	alone         life
}

// life is how long what the good tenant does takes.
type life struct{ upload, job, classification time.Duration }

// start starts a factory, and measures the good tenant alone.
func start(t *testing.T, flags ...string) *neighbourhood {
	t.Helper()
	n := &neighbourhood{t: t, address: processes.FreeAddress(t), directory: filepath.Join(t.TempDir(), "data")}
	keys := filepath.Join(t.TempDir(), "keys")
	content := fmt.Sprintf("hostile:%x\ngood:%x\n", sha256.Sum256([]byte("hostile-key")), sha256.Sum256([]byte("good-key")))
	if err := os.WriteFile(keys, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	// What goes over the limit ends, as a container does, and takes nothing from the tests.
	limited := []string{"-c", fmt.Sprintf(`ulimit -d %d; exec "$0" "$@"`, memoryLimit>>10), *factoryBinary,
		"--listen=" + n.address, "--data-dir=" + n.directory, "--api-keys-file=" + keys}
	n.process = processes.Start(t, "/bin/sh", n.address, nil, append(limited, flags...)...)
	n.hostile, n.good = newTenant(t, "http://"+n.address, "hostile-key"), newTenant(t, "http://"+n.address, "good-key")

	for range 2 { // the first pays for what is used for the first time
		lived, err := n.live(t.Context(), life{time.Minute, time.Minute, time.Minute})
		if err != nil {
			t.Fatalf("alone: %v", err)
		}
		n.alone = lived
	}
	return n
}

// live has the good tenant upload, train and classify, each within its time.
func (n *neighbourhood) live(ctx context.Context, within life) (lived life, err error) {
	measure := func(what string, within time.Duration, do func(context.Context) error) (time.Duration, error) {
		ctx, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		started := time.Now()
		if err := do(ctx); err != nil {
			return 0, fmt.Errorf("%s after %v, of which it had %v: %w", what, time.Since(started).Round(time.Millisecond), within.Round(time.Millisecond), err)
		}
		return time.Since(started), nil
	}
	var content bytes.Buffer
	content.WriteString(rows(40, 4))
	lived.upload, err = measure("the upload failed", within.upload, func(ctx context.Context) error {
		_, err := n.good.upload(ctx, "good.jsonl", content.String())
		return err
	})
	if err != nil {
		return lived, err
	}
	file, err := n.good.upload(ctx, "good.jsonl", content.String())
	if err != nil {
		return lived, err
	}
	lived.job, err = measure("the job failed", within.job, func(ctx context.Context) (err error) {
		n.model, err = n.good.train(ctx, jobRequest(file))
		return err
	})
	if err != nil {
		return lived, err
	}
	texts := make([]string, 2000) // more than 64 KB
	for i := range texts {
		texts[i] = fmt.Sprintf("please do what number %d says, and the next one", i)
	}
	lived.classification, err = measure("the classification failed", within.classification, func(ctx context.Context) error {
		if err := n.good.classify(ctx, n.model, texts[0]); err != nil {
			return err
		}
		return n.good.classify(ctx, n.model, texts...)
	})
	return lived, err
}

// holdGood expects the good tenant to live as if alone, and the process in its limits.
func (n *neighbourhood) holdGood(reason string) {
	n.t.Helper()
	lived, err := n.live(n.t.Context(), life{2*n.alone.upload + slack, 2*n.alone.job + slack, 2*n.alone.classification + slack})
	if err != nil {
		n.t.Errorf("%s: %v", reason, err)
	}
	peak := n.process.PeakMemory(n.t)
	n.t.Logf("%s: upload %v (alone %v), job %v (%v), classification %v (%v); peak %d MiB", reason,
		lived.upload.Round(time.Millisecond), n.alone.upload.Round(time.Millisecond), lived.job.Round(time.Millisecond), n.alone.job.Round(time.Millisecond),
		lived.classification.Round(time.Millisecond), n.alone.classification.Round(time.Millisecond), peak>>20)
	if peak > memoryLimit {
		n.t.Errorf("%s: the process had %d MiB", reason, peak>>20)
	}
}
