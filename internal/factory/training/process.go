package training

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/factory/basemodels"
	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	// niceness of a training: whoever classifies comes first.
	niceness = 10
	// watchInterval is how often a training's memory is looked at. What it can take in that
	// time is little beside what the budget leaves to others.
	watchInterval = 50 * time.Millisecond
	// childMark is in a child's environment.
	childMark = "FACTORY_TRAINING_PROCESS"
	// maxLastWords bounds what a child that dies says of it.
	maxLastWords = 8 << 10
)

// process is a training in a child of this process, whose death is its own.
type process struct {
	command   *exec.Cmd
	input     io.WriteCloser
	output    io.Reader
	lastWords firstBytes
	budget    int64
	peak      atomic.Int64 // bytes of memory
	watch     sync.WaitGroup
	ended     chan struct{}
}

// startProcess starts this program once more. The child is killed when the context ends,
// and ends by itself when its parent dies.
func startProcess(ctx context.Context, budget int64) (*process, error) {
	if os.Getenv(childMark) != "" {
		return nil, errors.New("a process that was started to train opened a factory: its program has to call RunIfChild first")
	}
	program, err := thisProgram()
	if err != nil {
		return nil, err
	}
	p := &process{command: exec.CommandContext(ctx, program, ChildCommand), budget: budget, ended: make(chan struct{})}
	p.command.Args[0] = os.Args[0]
	p.command.Env = childEnvironment(budget)
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a terminal interrupts the parent alone
	p.command.Stderr = &p.lastWords
	if p.input, err = p.command.StdinPipe(); err != nil {
		return nil, err
	}
	if p.output, err = p.command.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start the process that trains: %w", err)
	}
	yieldToOthers(p.command.Process.Pid)
	p.watch.Go(p.watchMemory)
	return p, nil
}

// assign says what to train. A child that dies before it has read it is told by its end.
func (p *process) assign(a *assignment) { _ = json.NewEncoder(p.input).Encode(a) }

// childEnvironment has no secrets of the parent's. The collector comes at half as much garbage as
// it would, and more often before the budget is reached: what a training has in memory are weights,
// in which it has nothing to look for.
func childEnvironment(budget int64) []string {
	environment := []string{childMark + "=1", "GOGC=50", "GOMEMLIMIT=" + strconv.FormatInt(budget/10*9, 10)}
	for _, name := range []string{"GOMAXPROCS", "TZ"} {
		if value, ok := os.LookupEnv(name); ok {
			environment = append(environment, name+"="+value)
		}
	}
	return environment
}

// yieldToOthers lets others have the processors, and the kernel rather kill the child than
// its parent. Neither can fail for a child of one's own, or it does not matter.
func yieldToOthers(pid int) {
	_ = syscall.Setpriority(syscall.PRIO_PGRP, pid, niceness) // of a group: of a process it is that of one thread
	_ = os.WriteFile(filepath.Join("/proc", strconv.Itoa(pid), "oom_score_adj"), []byte("1000"), 0)
}

// watchMemory kills a child that takes more than its budget.
func (p *process) watchMemory() {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for {
		taken := memoryOf(p.command.Process.Pid)
		p.peak.Store(max(taken, p.peak.Load()))
		if taken > p.budget {
			_ = p.command.Process.Kill()
			return
		}
		select {
		case <-p.ended:
			return
		case <-ticker.C:
		}
	}
}

// end waits for the child, and says why it died if it did.
func (p *process) end() error {
	err := p.command.Wait()
	close(p.ended)
	p.watch.Wait()
	switch {
	case err == nil:
		return nil
	case p.peak.Load() > p.budget:
		return &store.OutOfMemoryError{Bytes: p.peak.Load(), Budget: p.budget}
	}
	return &store.DiedError{Reason: fmt.Sprintf("%v: %s", err, p.lastWords.data)}
}

// processorTime is what processors gave the child.
func (p *process) processorTime() time.Duration {
	return p.command.ProcessState.UserTime() + p.command.ProcessState.SystemTime()
}

// peakMemory is the most that counted against the budget or, where that is not known, the
// most that was resident, which begins with the memory of the parent; zero where neither is told.
func (p *process) peakMemory() int64 {
	if peak := p.peak.Load(); peak > 0 {
		return peak
	}
	if usage, ok := p.command.ProcessState.SysUsage().(*syscall.Rusage); ok {
		return maxResident(usage)
	}
	return 0
}

// firstBytes keeps the first bytes of what is written to it.
type firstBytes struct{ data []byte }

func (f *firstBytes) Write(data []byte) (int, error) {
	f.data = append(f.data, data[:min(len(data), maxLastWords-len(f.data))]...)
	return len(data), nil
}

// trained is what a training made, staged.
type trained struct {
	staged     blob.Staged
	digest     string
	evaluation *mistral.Evaluation // nil when there was nothing to measure it on
}

func (t *trained) discard() {
	if t != nil {
		t.staged.Discard()
	}
}

// train has a job's model made by a child, and records checkpoints on the way. The caller
// discards what was staged.
func (q *Queue) train(ctx context.Context, j *store.Job) (*trained, error) {
	base, err := q.baseModel(j)
	if err != nil {
		return nil, err
	}
	folder, err := q.takeFolder(j.Lease())
	if err != nil {
		return nil, err
	}
	begun := q.now()
	p, err := startProcess(ctx, q.trainingMemory)
	if err != nil {
		return nil, err
	}
	p.assign(q.assignment(j, base, folder))
	f := &follower{queue: q, job: j, recorder: q.newCheckpointRecorder(ctx, j), messages: json.NewDecoder(p.output), output: p.output}
	made, err := f.follow(ctx)
	if err != nil && !errors.As(err, new(*failure)) {
		_ = p.command.Process.Kill() // nobody listens any longer
	}
	died := p.end()
	q.logger.InfoContext(ctx, "training's process ended", slog.String("job", j.ID), slog.Int64("peak_memory_bytes", p.peakMemory()),
		slog.Float64("seconds", q.now().Sub(begun).Seconds()), slog.Float64("processor_seconds", p.processorTime().Seconds()))
	if died != nil && (err == nil || errors.Is(err, errSilent)) {
		err = died
	}
	if err != nil {
		made.discard()
		return nil, err
	}
	if f.resumedAt == 0 {
		size := classifier.Size{
			Examples:  f.result.Samples,
			TextBytes: f.result.TextBytes,
			Targets:   engineTargets(j.Targets),
			Validated: len(j.ValidationInputs()) > 0,
		}
		q.learnPace(ctx, classifier.Work(size, workHyperparameters(*j.Hyperparameters.TrainingSteps, j.Requested.Hyperparameters)), p.processorTime())
	}
	return made, nil
}

func (q *Queue) assignment(j *store.Job, base *basemodels.Model, folder string) *assignment {
	return &assignment{
		BlobDirectory:   q.directory,
		Folder:          folder,
		BaseModel:       base.Flag,
		BaseDigest:      base.Digest,
		Encoders:        q.encoders.Of(base.Name),
		Environment:     networkEnvironment(),
		JobID:           j.ID,
		Inputs:          j.Inputs,
		InputType:       j.InputType,
		Targets:         j.Targets,
		Hyperparameters: j.Hyperparameters,
		Requested:       j.Requested,
	}
}

// follower takes in what a child tells.
type follower struct {
	queue     *Queue
	job       *store.Job
	recorder  *checkpointRecorder
	messages  *json.Decoder
	output    io.Reader
	resumedAt int // step
	result    trainedMessage
}

// errSilent is what a child's death looks like at first.
var errSilent = errors.New("the process that trains has nothing more to say")

// follow returns what was made if the child exits with 0, or a *failure, errSilent, or what
// is wrong with the disk.
func (f *follower) follow(ctx context.Context) (*trained, error) {
	defer f.recorder.write()
	for {
		var m message
		if err := f.messages.Decode(&m); err != nil {
			return nil, fmt.Errorf("%w: %w", errSilent, err)
		}
		switch {
		case m.ResumedAtStep > 0:
			f.resumedAt = m.ResumedAtStep
			f.recorder.resumed(m.ResumedAtStep)
		case m.Checkpoint != nil:
			f.recorder.reached(*m.Checkpoint)
		case m.Warning != "":
			f.queue.logger.WarnContext(ctx, m.Warning, slog.String("job", f.job.ID))
		case m.Failure != nil:
			return nil, m.Failure
		case m.Trained != nil:
			f.result = *m.Trained
			return f.stageModel()
		}
	}
}

// stageModel writes to disk the model that follows the last message and its line break.
func (f *follower) stageModel() (*trained, error) {
	staged, err := f.queue.blobs.Stage()
	if err != nil {
		return nil, err
	}
	made := &trained{staged: staged, evaluation: f.result.Evaluation}
	model := io.MultiReader(f.messages.Buffered(), f.output)
	if _, err = io.CopyN(io.Discard, model, 1); err == nil {
		_, err = io.Copy(staged, model)
	}
	if err == nil {
		made.digest, err = staged.Sync()
	}
	return made, err
}
