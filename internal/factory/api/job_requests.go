package api

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/factory/training"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// jobRequest is a body of POST /v1/fine_tuning/jobs. Scripts put dry_run into it
// although it belongs into the query.
type jobRequest struct {
	mistral.CreateJobRequest
	DryRun       bool     `json:"dry_run"`
	Repositories []unread `json:"repositories"`
}

// Lengths of a Weights & Biases key: 40 of old, 86 by now.
const (
	minWandbKeyLength = 40
	maxWandbKeyLength = 128
)

const (
	maxInputs = 1000 // files of a job
	maxWeight = 1e9  // of a file or target; the engine sums them

	maxIntegrations = 10
)

// readJobRequest reads a request, completes it with the protocol's defaults and
// checks it as far as that needs no files. It ignores members that it does not
// know: SDKs send some that only a completion job has.
func (s *Server) readJobRequest(r *http.Request) (*jobRequest, error) {
	q := newQuery(r)
	dryRun := q.boolean("dry_run", false)
	if q.problem != nil {
		return nil, q.problem
	}
	request := &jobRequest{}
	if err := decodeBody(r, request); err != nil {
		return nil, err
	}
	request.DryRun = request.DryRun || dryRun // one of them is enough: null and the default say nothing
	if request.JobType == "" {
		request.JobType = mistral.JobTypeClassifier
	}
	setDefault(&request.Hyperparameters.LearningRate, 1e-4)
	setDefault(&request.Hyperparameters.WeightDecay, 0.1)
	setDefault(&request.Hyperparameters.WarmupFraction, 0.05)
	return request, s.checkJobRequest(request)
}

func setDefault(value **float64, absent float64) {
	if *value == nil {
		*value = &absent
	}
}

func (s *Server) checkJobRequest(request *jobRequest) error {
	switch {
	case request.Model == "":
		return invalidField("missing", "Field required", "model")
	case request.JobType != mistral.JobTypeClassifier || s.config.BaseModels.Find(request.Model) == nil:
		return unprocessable("Model not available for this type of fine-tuning (%s). Available model(s) for %s: %s.",
			request.JobType, mistral.JobTypeClassifier, strings.Join(s.config.BaseModels.Names(), ", "))
	case len(request.Repositories) > 0:
		return invalidValue("This server trains on files alone: it reads no repositories.", "repositories")
	case len(request.TrainingFiles) == 0:
		return invalidValue("At least one training file or repository is required.", "job_in")
	case len(request.TrainingFiles)+len(request.ValidationFiles) > maxInputs:
		return invalidValue(fmt.Sprintf("A job cannot have more than %d files.", maxInputs), "job_in")
	case request.Suffix != nil && utf8.RuneCountInString(*request.Suffix) > mistral.MaxSuffixLength:
		return invalidField("string_too_long", "String should have at most 18 characters", "suffix")
	case request.InvalidSampleSkipPercentage < 0 || request.InvalidSampleSkipPercentage > 0.5:
		return outOfRange("0 and 0.5", "invalid_sample_skip_percentage")
	}
	return errors.Join(checkHyperparameters(request.Hyperparameters), checkIntegrations(request.Integrations),
		checkFiles(request), checkTargets(request.ClassifierTargets))
}

func outOfRange(limits string, location ...any) error {
	return invalidValue("Input should be between "+limits+".", location...)
}

func checkHyperparameters(h mistral.Hyperparameters) error {
	switch {
	case h.TrainingSteps != nil && (*h.TrainingSteps < 1 || *h.TrainingSteps > 1_000_000):
		return outOfRange("1 and 1000000", "hyperparameters", "training_steps")
	case *h.LearningRate < 1e-8 || *h.LearningRate > 1:
		return outOfRange("1e-8 and 1", "hyperparameters", "learning_rate")
	case *h.WeightDecay < 0 || *h.WeightDecay > 1:
		return outOfRange("0 and 1", "hyperparameters", "weight_decay")
	case *h.WarmupFraction < 0 || *h.WarmupFraction > 1:
		return outOfRange("0 and 1", "hyperparameters", "warmup_fraction")
	case h.Epochs != nil && (*h.Epochs <= 0 || *h.Epochs > 1_000_000):
		return invalidValue("Input should be greater than 0 and at most 1000000.", "hyperparameters", "epochs")
	case h.SequenceLength != nil && *h.SequenceLength < 100:
		return invalidValue("Input should be at least 100.", "hyperparameters", "seq_len")
	case h.Quality != nil && !slices.Contains(training.Qualities(), *h.Quality):
		return invalidValue("Input should be one of "+strings.Join(training.Qualities(), ", ")+".", "hyperparameters", "quality")
	}
	return nil
}

func checkIntegrations(integrations []mistral.Integration) error {
	if len(integrations) > maxIntegrations {
		return invalidField("too_long", fmt.Sprintf("List should have at most %d items", maxIntegrations), "integrations")
	}
	for i, integration := range integrations {
		switch {
		case integration.Type != mistral.IntegrationWandb:
			return invalidValue("Input should be wandb.", "integrations", i, "type")
		case integration.Project == "":
			return invalidField("missing", "Field required", "integrations", i, "project")
		case len(integration.APIKey) < minWandbKeyLength || len(integration.APIKey) > maxWandbKeyLength:
			return invalidValue("The key should have between 40 and 128 characters.", "integrations", i, "api_key")
		}
	}
	return nil
}

func checkFiles(request *jobRequest) error {
	for i, file := range request.TrainingFiles {
		if file.Weight <= 0 || file.Weight > maxWeight {
			return invalidValue("Input should be greater than 0 and at most 1e9.", "training_files", i, "weight")
		}
		if slices.Contains(request.ValidationFiles, file.FileID) {
			return invalidValue("The file is a validation file too.", "training_files", i, "file_id")
		}
		isSame := func(other mistral.TrainingFile) bool { return other.FileID == file.FileID }
		if slices.ContainsFunc(request.TrainingFiles[:i], isSame) {
			return invalidValue("The file is named twice. A weight makes its rows count more.", "training_files", i, "file_id")
		}
	}
	for i, id := range request.ValidationFiles {
		if slices.Contains(request.ValidationFiles[:i], id) {
			return invalidValue("The file is named twice.", "validation_files", i)
		}
	}
	return nil
}

func checkTargets(targets []mistral.ClassifierTarget) error {
	if most := dataset.DefaultLimits().Targets; len(targets) > most {
		return invalidField("too_long", fmt.Sprintf("List should have at most %d items", most), "classifier_targets")
	}
	for i, target := range targets {
		isSame := func(other mistral.ClassifierTarget) bool { return other.Name == target.Name }
		switch {
		case target.Name == "":
			return invalidField("missing", "Field required", "classifier_targets", i, "name")
		case slices.ContainsFunc(targets[:i], isSame):
			return invalidValue("The name is another target's too.", "classifier_targets", i, "name")
		case len(target.Labels) < 2:
			return invalidValue("A target needs at least two labels.", "classifier_targets", i, "labels")
		case hasDuplicates(target.Labels):
			return invalidValue("A label is listed twice.", "classifier_targets", i, "labels")
		case target.Weight < 0 || target.Weight > maxWeight:
			return outOfRange("0 and 1e9", "classifier_targets", i, "weight")
		case target.LossFunction != "" && target.LossFunction != mistral.LossSingleClass && target.LossFunction != mistral.LossMultiClass:
			return invalidValue("Input should be single_class or multi_class.", "classifier_targets", i, "loss_function")
		}
	}
	return nil
}

func hasDuplicates(labels []string) bool {
	seen := make(map[string]bool, len(labels))
	for _, label := range labels {
		if seen[label] {
			return true
		}
		seen[label] = true
	}
	return false
}

// fileFinder looks up a file of the tenant who asks for the job.
type fileFinder = func(id string) (store.File, error)

// findInputs looks the job's files up: training files first.
func findInputs(find fileFinder, request *jobRequest) ([]store.Input, error) {
	inputs := make([]store.Input, 0, len(request.TrainingFiles)+len(request.ValidationFiles))
	for i, training := range request.TrainingFiles {
		found, err := find(training.FileID)
		if err != nil {
			return nil, missingInput(err, "training_files", i)
		}
		inputs = append(inputs, newInput(found, training.Weight, false))
	}
	for i, id := range request.ValidationFiles {
		found, err := find(id)
		if err != nil {
			return nil, missingInput(err, "validation_files", i)
		}
		isSame := func(training store.Input) bool { return !training.Validation && training.Digest == found.Digest }
		if slices.ContainsFunc(inputs, isSame) {
			return nil, invalidValue("The file has the same content as a training file.", "validation_files", i)
		}
		inputs = append(inputs, newInput(found, 1, true))
	}
	return inputs, nil
}

func newInput(f store.File, weight float64, validation bool) store.Input {
	return store.Input{FileID: f.ID, Filename: f.Filename, Digest: f.Digest, Bytes: f.Bytes, Weight: weight, Validation: validation}
}

func missingInput(err error, list string, index int) error {
	if errors.Is(err, store.ErrNotFound) {
		return invalidValue("There is no such file.", list, index)
	}
	return err
}

// newJob is what a checked request asks for.
func newJob(request *jobRequest, inputs []store.Input, reported bool) store.Job {
	return store.Job{
		Job: mistral.Job{
			AutoStart:       request.AutoStart,
			Model:           request.Model,
			Hyperparameters: request.Hyperparameters,
			Suffix:          request.Suffix,
			Integrations:    keptIntegrations(request.Integrations, reported),
			Metadata:        &mistral.JobMetadata{Cost: new(float64)},
		},
		Inputs: inputs,
		Requested: store.RequestedTraining{
			Hyperparameters: request.Hyperparameters,
			Targets:         request.ClassifierTargets,
			SkipFraction:    request.InvalidSampleSkipPercentage,
		},
	}
}

// keptIntegrations are kept without their keys, and say if nothing will be reported.
func keptIntegrations(integrations []mistral.Integration, reported bool) []mistral.Integration {
	kept := append([]mistral.Integration{}, integrations...)
	for i := range kept {
		kept[i].APIKey, kept[i].URL, kept[i].Error = "", nil, nil
		if !reported {
			kept[i].Error = new(training.NothingReported)
		}
	}
	return kept
}

func integrationKeys(integrations []mistral.Integration) []mistral.Key {
	keys := make([]mistral.Key, len(integrations))
	for i, integration := range integrations {
		keys[i] = mistral.NewKey(integration.APIKey)
	}
	return keys
}
