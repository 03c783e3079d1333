package training

import (
	"context"
	"errors"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// seed is the same for every job, so that the same job makes the same model.
const seed = 1

// trained is what a job makes.
type trained struct {
	model      *classifier.Model
	evaluation *mistral.Evaluation // nil when there was nothing to measure it on
}

// train makes a job's model, recording checkpoints on the way, and measures it.
func (q *Queue) train(ctx context.Context, j *store.Job) (*trained, error) {
	started := q.now()
	rows := q.trainingRows(j)
	training, err := q.readExamples(ctx, rows, j.TrainingInputs(), j.Targets)
	if err != nil {
		return nil, err
	}
	defer training.Close()
	validation, err := q.readExamples(ctx, q.validationRows(j, j.InputType, j.Targets), j.ValidationInputs(), j.Targets)
	if err != nil {
		return nil, err
	}
	defer validation.Close()
	recorder := q.newCheckpointRecorder(ctx, j)
	made, err := classifier.Train(ctx, training, validation, classifier.Options{
		Targets:         engineTargets(j.Targets),
		Hyperparameters: engineHyperparameters(j),
		Seed:            seed,
		OnCheckpoint:    recorder.reached,
	})
	recorder.write()
	if err != nil {
		return nil, err
	}
	h := mistral.Hyperparameters{TrainingSteps: j.Hyperparameters.TrainingSteps, Epochs: j.Requested.Hyperparameters.Epochs}
	q.learnPace(ctx, trainingWork(h, training.Len(), rows.bytes), q.now().Sub(started))
	evaluation, err := evaluate(ctx, made.Measurable, j.Targets, made.Unseen)
	return &trained{made.Model, evaluation}, err
}

func engineTargets(targets []mistral.ClassifierTarget) []classifier.Target {
	converted := make([]classifier.Target, len(targets))
	for i, target := range targets {
		converted[i] = classifier.Target{
			Name:   target.Name,
			Labels: target.Labels,
			Loss:   classifier.LossFunction(target.LossFunction),
			Weight: target.Weight,
		}
	}
	return converted
}

// engineHyperparameters has epochs only if they were asked for: those that the
// job shows otherwise follow from steps that were meant for another engine.
func engineHyperparameters(j *store.Job) classifier.Hyperparameters {
	h := classifier.Hyperparameters{
		Steps:          int(*j.Hyperparameters.TrainingSteps),
		LearningRate:   *j.Hyperparameters.LearningRate,
		WeightDecay:    *j.Hyperparameters.WeightDecay,
		WarmupFraction: *j.Hyperparameters.WarmupFraction,
	}
	if epochs := j.Requested.Hyperparameters.Epochs; epochs != nil {
		h.Epochs = *epochs
	}
	return h
}

// readExamples reads the rows that validation has accepted. The caller closes what it
// returns.
func (q *Queue) readExamples(ctx context.Context, r *rows, inputs []store.Input, targets []mistral.ClassifierTarget) (*classifier.Corpus, error) {
	corpus, err := classifier.NewCorpus(q.scratch)
	if err != nil {
		return nil, err
	}
	index := newLabelIndex(targets)
	var full error // the disk, most likely
	err = r.read(ctx, inputs, func(sample *dataset.Sample, input store.Input) {
		if full == nil {
			full = corpus.Add(newExample(sample, input, index))
		}
	})
	if err = errors.Join(full, err); err != nil {
		corpus.Close()
		return nil, err
	}
	return corpus, nil
}

// newExample is valid as long as the sample.
func newExample(sample *dataset.Sample, input store.Input, index labelIndex) classifier.Example {
	example := classifier.Example{Text: sampleText(sample), Weight: input.Weight, Labels: make([][]int, len(index))}
	for _, labels := range sample.Labels {
		target := index[labels.Target]
		indices := make([]int, len(labels.Labels))
		for i, label := range labels.Labels {
			indices[i] = target.labels[label]
		}
		example.Labels[target.position] = indices
	}
	return example
}

func sampleText(sample *dataset.Sample) string {
	if sample.InputType() == dataset.InputText {
		return sample.Text
	}
	messages := make([]classifier.Message, len(sample.Messages))
	for i, message := range sample.Messages {
		messages[i] = classifier.Message(message)
	}
	return classifier.RenderChat(messages)
}

// stageModel writes a model to disk.
func (q *Queue) stageModel(model *classifier.Model) (staged blob.Staged, digest string, err error) {
	if staged, err = q.blobs.Stage(); err != nil {
		return nil, "", err
	}
	if _, err = model.WriteTo(staged); err == nil {
		digest, err = staged.Sync()
	}
	if err != nil {
		staged.Discard()
		return nil, "", err
	}
	return staged, digest, nil
}

// keepModel makes a model last together with its evaluation and its job's success.
func (q *Queue) keepModel(ctx context.Context, j *store.Job, made *trained) error {
	staged, digest, err := q.stageModel(made.model)
	if err != nil {
		return err
	}
	defer staged.Discard()
	err = q.store.KeepModel(ctx, j.ID, staged, digest, made.evaluation, q.now())
	// If the job was cancelled meanwhile, nothing refers to the model.
	return errors.Join(err, q.store.ReleaseBlobs(ctx, digest), q.store.ReleaseInputs(ctx, j))
}
