package mistral

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// Values that a job's fields have on the wire.
const (
	ObjectJob         = "job"
	ObjectJobMetadata = "job.metadata"

	JobTypeClassifier = "classifier"
	JobTypeCompletion = "completion"

	LossSingleClass = "single_class" // exactly one label a row
	LossMultiClass  = "multi_class"  // a list of labels a row

	IntegrationWandb = "wandb"

	EventStatusUpdated = "status-updated"
	// EventIntegrationFailed extends the protocol: the rest of a training is not reported.
	EventIntegrationFailed = "integration-failed"

	// MaxSuffixLength is the longest suffix that the service accepts, in characters.
	MaxSuffixLength = 18
)

// JobStatus is a job's state. It is an open set: a server may send others.
type JobStatus string

// The states that the protocol names.
const (
	JobQueued                JobStatus = "QUEUED"
	JobStarted               JobStatus = "STARTED"
	JobValidating            JobStatus = "VALIDATING"
	JobValidated             JobStatus = "VALIDATED"
	JobRunning               JobStatus = "RUNNING"
	JobFailedValidation      JobStatus = "FAILED_VALIDATION"
	JobFailed                JobStatus = "FAILED"
	JobSuccess               JobStatus = "SUCCESS"
	JobCancelled             JobStatus = "CANCELLED"
	JobCancellationRequested JobStatus = "CANCELLATION_REQUESTED"
)

// Finished reports whether the job will never change again. A cancellation that
// is only requested is not finished.
func (s JobStatus) Finished() bool {
	switch s {
	case JobSuccess, JobFailed, JobFailedValidation, JobCancelled:
		return true
	}
	return false
}

// CreateJobRequest asks for a classifier to be trained.
type CreateJobRequest struct {
	Model           string             `json:"model"`
	JobType         string             `json:"job_type"`
	TrainingFiles   List[TrainingFile] `json:"training_files"`
	ValidationFiles []string           `json:"validation_files,omitempty"`
	Hyperparameters Hyperparameters    `json:"hyperparameters"`
	Suffix          *string            `json:"suffix,omitempty"`
	Integrations    []Integration      `json:"integrations,omitempty"`
	// AutoStart is always written: the service says that it will be required.
	AutoStart bool `json:"auto_start"`
	// InvalidSampleSkipPercentage is a fraction, 0 to 0.5, whatever its name says.
	InvalidSampleSkipPercentage float64            `json:"invalid_sample_skip_percentage"`
	ClassifierTargets           []ClassifierTarget `json:"classifier_targets,omitempty"`
}

// TrainingFile is a file and how often its rows count.
type TrainingFile struct {
	FileID string  `json:"file_id"`
	Weight float64 `json:"weight"`
}

// UnmarshalJSON also accepts a plain file ID, which old SDKs and the documentation's
// examples send, and takes an absent weight for 1.
func (f *TrainingFile) UnmarshalJSON(data []byte) error {
	if data = bytes.TrimSpace(data); len(data) > 0 && data[0] == '"' {
		f.Weight = 1
		return json.Unmarshal(data, &f.FileID)
	}
	type plain TrainingFile
	decoded := plain{Weight: 1}
	if err := json.Unmarshal(data, &decoded); err != nil {
		return err
	}
	*f = TrainingFile(decoded)
	return nil
}

// Hyperparameters of a classifier. In a request, nil leaves the choice to the server.
type Hyperparameters struct {
	TrainingSteps  *int64   `json:"training_steps,omitempty"`  // ≥ 1
	LearningRate   *float64 `json:"learning_rate,omitempty"`   // peak, 1e-8 to 1
	WeightDecay    *float64 `json:"weight_decay,omitempty"`    // 0 to 1
	WarmupFraction *float64 `json:"warmup_fraction,omitempty"` // of the steps, 0 to 1
	Epochs         *float64 `json:"epochs,omitempty"`          // > 0
	SequenceLength *int64   `json:"seq_len,omitempty"`         // tokens, ≥ 100
	// LabelNames extends the protocol: whether the names of labels may be learned from.
	LabelNames *bool `json:"label_names,omitempty"`
	// Quality extends the protocol: how much time the training may take to be a little better.
	Quality *string `json:"quality,omitempty"`
}

// Integration reports a job's metrics to Weights & Biases.
type Integration struct {
	Type    string `json:"type"`
	Project string `json:"project"`
	// APIKey is only ever sent; no server returns it.
	APIKey  string  `json:"api_key,omitempty"`
	Name    *string `json:"name"`
	RunName *string `json:"run_name"`
	URL     *string `json:"url"` // null until the run starts
	// Error extends the protocol: why nothing is reported, or nothing more.
	Error *string `json:"error,omitempty"`
}

// UnmarshalJSON takes an absent type for IntegrationWandb, the only one.
func (i *Integration) UnmarshalJSON(data []byte) error {
	type plain Integration
	decoded := plain{Type: IntegrationWandb}
	if err := json.Unmarshal(data, &decoded); err != nil {
		return err
	}
	*i = Integration(decoded)
	return nil
}

// ClassifierTarget is one question that the classifier answers about a text.
type ClassifierTarget struct {
	Name   string       `json:"name"`
	Labels List[string] `json:"labels"`
	Weight float64      `json:"weight"`
	// LossFunction is LossSingleClass or LossMultiClass; empty in a request leaves it to the data.
	LossFunction string `json:"loss_function,omitempty"`
}

// UnmarshalJSON takes an absent weight for 1.
func (t *ClassifierTarget) UnmarshalJSON(data []byte) error {
	type plain ClassifierTarget
	decoded := plain{Weight: 1}
	if err := json.Unmarshal(data, &decoded); err != nil {
		return err
	}
	*t = ClassifierTarget(decoded)
	return nil
}

// Job is a training job as a list and the creation show it.
type Job struct {
	ID              string            `json:"id"`
	Object          string            `json:"object"`
	JobType         string            `json:"job_type"`
	AutoStart       bool              `json:"auto_start"`
	Model           string            `json:"model"`
	Status          JobStatus         `json:"status"`
	CreatedAt       int64             `json:"created_at"`     // Unix seconds
	ModifiedAt      int64             `json:"modified_at"`    // Unix seconds
	TrainingFiles   List[string]      `json:"training_files"` // IDs only, unlike in the request
	ValidationFiles List[string]      `json:"validation_files"`
	Hyperparameters Hyperparameters   `json:"hyperparameters"`
	FineTunedModel  *string           `json:"fine_tuned_model"` // null until SUCCESS
	Suffix          *string           `json:"suffix"`
	Integrations    List[Integration] `json:"integrations"`
	TrainedTokens   *int64            `json:"trained_tokens"`
	Metadata        *JobMetadata      `json:"metadata"`
}

// DetailedJob is a training job as its own route, start and cancel show it.
type DetailedJob struct {
	Job
	ClassifierTargets List[ClassifierTarget] `json:"classifier_targets"` // empty before validation
	// Events come oldest or newest first, by server: order them by CreatedAt.
	Events      List[Event]      `json:"events"`
	Checkpoints List[Checkpoint] `json:"checkpoints"` // newest first
	// Evaluation extends the protocol: the service does not say how good a model is.
	Evaluation *Evaluation `json:"evaluation,omitempty"`
}

// Evaluation is a model's quality on the validation samples.
type Evaluation struct {
	Targets List[TargetEvaluation] `json:"targets"`
}

// TargetEvaluation is how well one target is answered.
type TargetEvaluation struct {
	Name    string `json:"name"`
	Samples int64  `json:"samples"` // that say something of the target
	// Metrics by scikit-learn's names, such as accuracy, f1_macro and cohen_kappa. One
	// that is undefined is absent.
	Metrics map[string]float64    `json:"metrics"`
	Labels  List[LabelEvaluation] `json:"labels"`
	// ConfusionMatrix has a row for each true label and a column for each predicted one,
	// in the order of Labels. It is absent for multi_class targets and for very many labels.
	ConfusionMatrix [][]int64 `json:"confusion_matrix,omitempty"`
	// LearningCurve has how good models are that were trained in a short way on parts of the
	// rows, from the smallest part to all, and Outlook what that says of more rows.
	LearningCurve []CurvePoint `json:"learning_curve,omitempty"`
	Outlook       string       `json:"outlook,omitempty"`
}

// CurvePoint is how good a model of some rows is.
type CurvePoint struct {
	Rows    int64   `json:"rows"`
	F1Micro float64 `json:"f1_micro"` // where a sample has one label, the accuracy
}

// LabelEvaluation is how well one label is told from the others.
type LabelEvaluation struct {
	Name      string  `json:"name"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
	Support   int64   `json:"support"` // samples that have the label
	// Threshold is the probability from which a multi_class label is taken to apply.
	Threshold *float64 `json:"threshold,omitempty"`
}

// Event is something that happened to a job. Data is free-form; a failure's
// reason is nowhere else.
type Event struct {
	Name      string          `json:"name"`
	Data      json.RawMessage `json:"data"`
	CreatedAt int64           `json:"created_at"`
}

// StatusUpdate is an Event's data when its name is EventStatusUpdated.
type StatusUpdate struct {
	Status JobStatus `json:"status"`
	Error  string    `json:"error,omitempty"` // a sentence of the server's

	// The rest extends the protocol: why it failed, in words that are safe to show, and how it goes on.
	Code           string  `json:"code,omitempty"`            // such as InvalidJSON
	Lines          []int64 `json:"lines,omitempty"`           // of the first invalid samples
	InvalidSamples int64   `json:"invalid_samples,omitempty"` // in all
	ResumedAtStep  int64   `json:"resumed_at_step,omitempty"` // of a training that was interrupted and goes on
}

// IntegrationFailure is an Event's data when its name is EventIntegrationFailed.
type IntegrationFailure struct {
	Integration int    `json:"integration"` // from 0, as the job lists them
	Code        string `json:"code"`        // such as KeyLost
	Error       string `json:"error"`       // a sentence of the server's
}

// Checkpoint is a job's quality at a step.
type Checkpoint struct {
	Metrics    CheckpointMetrics `json:"metrics"`
	StepNumber int64             `json:"step_number"`
	CreatedAt  int64             `json:"created_at"`
}

// CheckpointMetrics are losses. The service sends 0 for what it did not evaluate.
type CheckpointMetrics struct {
	TrainLoss *float64 `json:"train_loss"`
	ValidLoss *float64 `json:"valid_loss"`
	// ValidMeanTokenAccuracy is no accuracy: the service sends 2^valid_loss under this name.
	ValidMeanTokenAccuracy *float64 `json:"valid_mean_token_accuracy"`
}

// JobMetadata is filled when a job has been validated.
type JobMetadata struct {
	ExpectedDurationSeconds *int64   `json:"expected_duration_seconds"`
	Cost                    *float64 `json:"cost"`
	CostCurrency            *string  `json:"cost_currency"`
	TrainTokensPerStep      *int64   `json:"train_tokens_per_step"`
	TrainTokens             *int64   `json:"train_tokens"`
	DataTokens              *int64   `json:"data_tokens"`
	EstimatedStartTime      *int64   `json:"estimated_start_time"` // Unix seconds
}

// LegacyJobMetadata answers a creation with dry_run=true, which creates nothing.
type LegacyJobMetadata struct {
	JobMetadata
	Object        string   `json:"object"`
	Deprecated    bool     `json:"deprecated"`
	Details       string   `json:"details"`
	Epochs        *float64 `json:"epochs"`
	TrainingSteps *int64   `json:"training_steps"`
}

// JobList is one page of jobs.
type JobList struct {
	Data   List[Job] `json:"data"`
	Object string    `json:"object"`
	Total  int64     `json:"total"`
}

// complete holds for a DetailedJob too.
func (j *Job) complete() bool     { return isID(j.ID) }
func (l *JobList) complete() bool { return l.Data != nil || l.Object == ObjectList }

// JobFilter narrows a list of jobs. Zero fields are left to the server.
type JobFilter struct {
	Page         int    // from 0
	PageSize     int    // the service's default is 100
	Model        string // the base model
	Status       JobStatus
	Suffix       string
	CreatedAfter time.Time
}

func (f JobFilter) query() url.Values {
	query := pageQuery(f.Page, f.PageSize)
	setQuery(query, "model", f.Model)
	setQuery(query, "status", string(f.Status))
	setQuery(query, "suffix", f.Suffix)
	if !f.CreatedAfter.IsZero() {
		query.Set("created_after", f.CreatedAfter.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	return query
}

// CreateJob creates a job. The protocol has no idempotency key: after an error
// with an unknown outcome, look for the job before creating another.
func (c *Client) CreateJob(ctx context.Context, job CreateJobRequest) (*Job, error) {
	var secrets []string
	for _, integration := range job.Integrations {
		secrets = append(secrets, integration.APIKey)
	}
	return send[Job](ctx, c, request{
		operation: "CreateJob",
		method:    http.MethodPost,
		path:      []string{"fine_tuning", "jobs"},
		body:      job,
		secrets:   secrets,
	})
}

// ListJobs returns one page of jobs.
func (c *Client) ListJobs(ctx context.Context, filter JobFilter) (*JobList, error) {
	return send[JobList](ctx, c, request{
		operation: "ListJobs",
		method:    http.MethodGet,
		path:      []string{"fine_tuning", "jobs"},
		query:     filter.query(),
	})
}

// GetJob returns a job with its targets, events and checkpoints.
func (c *Client) GetJob(ctx context.Context, id string) (*DetailedJob, error) {
	return send[DetailedJob](ctx, c, request{
		operation: "GetJob",
		method:    http.MethodGet,
		path:      []string{"fine_tuning", "jobs", id},
	})
}

// StartJob starts a job that is VALIDATED. Its status becomes QUEUED again.
func (c *Client) StartJob(ctx context.Context, id string) (*DetailedJob, error) {
	return send[DetailedJob](ctx, c, request{
		operation: "StartJob",
		method:    http.MethodPost,
		path:      []string{"fine_tuning", "jobs", id, "start"},
	})
}

// CancelJob asks for a job to end. It may go on for a while as
// CANCELLATION_REQUESTED.
func (c *Client) CancelJob(ctx context.Context, id string) (*DetailedJob, error) {
	return send[DetailedJob](ctx, c, request{
		operation: "CancelJob",
		method:    http.MethodPost,
		path:      []string{"fine_tuning", "jobs", id, "cancel"},
	})
}
