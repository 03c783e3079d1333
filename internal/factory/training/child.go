package training

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/factory/basemodels"
	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// ChildCommand is the first and only argument of the process that trains.
const ChildCommand = "train"

// RunIfChild trains, and does not return, if that is what this process was started for.
func RunIfChild() {
	if len(os.Args) != 2 || os.Args[1] != ChildCommand {
		return
	}
	if err := runChild(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// assignment is what a child reads first. Its input stays open as long as its parent lives.
type assignment struct {
	BlobDirectory   string // unless the environment names a bucket
	Folder          string // for what the training puts aside, and for its state
	BaseModel       string // the flag that it is opened from
	BaseDigest      string // that it has then
	Encoders        basemodels.Encoders
	Environment     map[string]string // that an encoder is reached by
	JobID           string
	Inputs          []store.Input
	InputType       dataset.InputType
	Targets         []mistral.ClassifierTarget
	Hyperparameters mistral.Hyperparameters
	Requested       store.RequestedTraining
}

func (a *assignment) job() *store.Job {
	return &store.Job{
		Job:       mistral.Job{ID: a.JobID, Hyperparameters: a.Hyperparameters},
		Inputs:    a.Inputs,
		InputType: a.InputType,
		Targets:   a.Targets,
		Requested: a.Requested,
	}
}

// message is what a child writes, one thing at a time.
type message struct {
	ResumedAtStep int                    `json:",omitempty"`
	Checkpoint    *classifier.Checkpoint `json:",omitempty"`
	Warning       string                 `json:",omitempty"`
	Failure       *failure               `json:",omitempty"`
	Trained       *trainedMessage        `json:",omitempty"` // the model's bytes follow
}

// trainedMessage says what was made of which data.
type trainedMessage struct {
	Evaluation *mistral.Evaluation
	Samples    int
	TextBytes  int64
}

// runChild trains what it is assigned. What ends a training is a message, not an error. The
// model is whole if the process exits with 0.
func runChild(in io.Reader, out io.Writer) error {
	decoder := json.NewDecoder(in)
	var assigned assignment
	if err := decoder.Decode(&assigned); err != nil {
		return fmt.Errorf("factory %s is started by the factory, which says on its standard input what to train: %w", ChildCommand, err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, in)
		os.Exit(1) // the parent is gone, and nobody else wants the model
	}()
	c := &child{assigned: assigned, job: assigned.job(), messages: json.NewEncoder(out)}
	var made *made
	err := protect(func() (err error) {
		if c.blobs, err = blob.FromEnvironment(assigned.BlobDirectory).Dial(context.Background()); err != nil {
			return err
		}
		made, err = c.train(context.Background())
		return err
	})
	if err != nil {
		return c.messages.Encode(message{Failure: newFailure(err)})
	}
	if err := c.messages.Encode(message{Trained: &made.message}); err != nil {
		return err
	}
	_, err = made.model.WriteTo(out)
	return err
}

// child trains one job in a process of its own.
type child struct {
	assigned assignment
	job      *store.Job
	blobs    blob.Store
	messages *json.Encoder
}

// made is what a training makes.
type made struct {
	model   *classifier.Model
	message trainedMessage
}

// train makes the job's model and measures it.
func (c *child) train(ctx context.Context) (*made, error) {
	representation, base, err := c.baseModel(ctx)
	if err != nil {
		return nil, err
	}
	rows := trainingRows(c.blobs, c.job)
	training, err := c.readExamples(ctx, rows, c.job.TrainingInputs())
	if err != nil {
		return nil, err
	}
	defer training.Close()
	validation, err := c.readExamples(ctx, validationRows(c.blobs, c.job, c.job.InputType, c.job.Targets), c.job.ValidationInputs())
	if err != nil {
		return nil, err
	}
	defer validation.Close()
	trained, err := classifier.Train(ctx, training, validation, classifier.Options{
		Targets:         engineTargets(c.job.Targets),
		Hyperparameters: engineHyperparameters(c.job),
		Seed:            seed,
		Representation:  representation,
		BaseModel:       base,
		OnCheckpoint:    func(checkpoint classifier.Checkpoint) { c.tell(message{Checkpoint: &checkpoint}) },
		Resumption: &classifier.Resumption{
			Folder:   c.assigned.Folder,
			OnResume: func(step int) { c.tell(message{ResumedAtStep: step}) },
			OnError:  func(err error) { c.tell(message{Warning: err.Error()}) },
		},
	})
	if err != nil {
		return nil, explainEncoder(base.Name, err)
	}
	debug.FreeOSMemory() // what the training leaves is more than the rest needs
	evaluation, err := evaluate(ctx, trained, c.job.Targets)
	return &made{trained.Model, trainedMessage{evaluation, training.Len(), rows.bytes}}, err
}

// tell ends the process when nobody listens any longer.
func (c *child) tell(m message) {
	if err := c.messages.Encode(m); err != nil {
		os.Exit(1)
	}
}
