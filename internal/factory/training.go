package factory

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
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
func (f *Factory) train(ctx context.Context, j *job) (*trained, error) {
	started := f.now()
	rows := f.trainingRows(j)
	training, err := readExamples(ctx, rows, j.trainingInputs(), j.targets)
	if err != nil {
		return nil, err
	}
	defer training.Close()
	validation, err := readExamples(ctx, f.validationRows(j, j.inputType, j.targets), j.validationInputs(), j.targets)
	if err != nil {
		return nil, err
	}
	defer validation.Close()
	made, err := classifier.Train(ctx, training, validation, classifier.Options{
		Targets:         engineTargets(j.targets),
		Hyperparameters: engineHyperparameters(j),
		Seed:            seed,
		OnCheckpoint:    func(checkpoint classifier.Checkpoint) { f.recordCheckpoint(ctx, j, checkpoint) },
	})
	if err != nil {
		return nil, err
	}
	h := mistral.Hyperparameters{TrainingSteps: j.Hyperparameters.TrainingSteps, Epochs: j.requested.Hyperparameters.Epochs}
	f.learnPace(ctx, trainingWork(h, training.Len(), rows.bytes), f.now().Sub(started))
	evaluation, err := evaluate(ctx, made.Measurable, j.targets, made.Unseen)
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
func engineHyperparameters(j *job) classifier.Hyperparameters {
	h := classifier.Hyperparameters{
		Steps:          int(*j.Hyperparameters.TrainingSteps),
		LearningRate:   *j.Hyperparameters.LearningRate,
		WeightDecay:    *j.Hyperparameters.WeightDecay,
		WarmupFraction: *j.Hyperparameters.WarmupFraction,
	}
	if epochs := j.requested.Hyperparameters.Epochs; epochs != nil {
		h.Epochs = *epochs
	}
	return h
}

// readExamples reads the rows that validation has accepted. The caller closes what it
// returns.
func readExamples(ctx context.Context, r *rows, inputs []input, targets []mistral.ClassifierTarget) (*classifier.Corpus, error) {
	corpus, err := classifier.NewCorpus(r.blobs.incoming)
	if err != nil {
		return nil, err
	}
	index := newLabelIndex(targets)
	var full error // the disk, most likely
	err = r.read(ctx, inputs, func(sample *dataset.Sample, input input) {
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
func newExample(sample *dataset.Sample, input input, index labelIndex) classifier.Example {
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

// recordCheckpoint does not stop a training that it cannot record.
func (f *Factory) recordCheckpoint(ctx context.Context, j *job, reached classifier.Checkpoint) {
	recorded := mistral.Checkpoint{StepNumber: int64(reached.Step), CreatedAt: f.now().Unix()}
	recorded.Metrics.TrainLoss = &reached.TrainLoss
	if reached.Evaluated {
		recorded.Metrics.ValidLoss = &reached.ValidLoss
	}
	if err := f.store.addCheckpoint(context.WithoutCancel(ctx), j.ID, recorded); err != nil {
		f.logger.WarnContext(ctx, "checkpoint not recorded", slog.String("job", j.ID), slog.Any("error", err))
	}
}

// stageModel writes a model to disk.
func (f *Factory) stageModel(model *classifier.Model) (staged *stagedBlob, digest string, err error) {
	if staged, err = f.store.blobs.stage(); err != nil {
		return nil, "", err
	}
	if _, err = model.WriteTo(staged); err == nil {
		digest, err = staged.sync()
	}
	if err != nil {
		staged.discard()
		return nil, "", err
	}
	return staged, digest, nil
}

// keepModel makes a model last together with its evaluation and its job's success.
func (f *Factory) keepModel(ctx context.Context, j *job, made *trained) error {
	staged, digest, err := f.stageModel(made.model)
	if err != nil {
		return err
	}
	defer staged.discard()
	err = f.store.nameBlob(ctx, staged, digest, func(tx *sql.Tx) error {
		return updateJob(ctx, tx, j.ID, func(j *job) error {
			kept := newModel(j, digest, f.now())
			if !j.succeed(kept.id, f.now()) {
				return nil
			}
			if err := insertModel(ctx, tx, kept); err != nil {
				return err
			}
			return insertEvaluation(ctx, tx, j.ID, made.evaluation)
		})
	})
	// If the job was cancelled meanwhile, nothing refers to the model.
	return errors.Join(err, f.store.releaseBlobs(ctx, digest), f.releaseInputs(ctx, j))
}
