package mistral

import (
	"context"
	"net/http"
)

// Values that a model's fields have on the wire.
const (
	ObjectModel = "model"

	ModelTypeBase      = "base"
	ModelTypeFineTuned = "fine-tuned"

	// ClassifierModelPrefix starts the ID of every fine-tuned classifier:
	// ft:classifier:<base model>:<8 hex>:<YYYYMMDD>:<first 8 hex of the job's ID>.
	ClassifierModelPrefix = "ft:classifier:"
)

// Model is a model's card.
type Model struct {
	ID               string            `json:"id"`
	Object           string            `json:"object"`
	Type             string            `json:"type"`
	Created          int64             `json:"created"`
	OwnedBy          string            `json:"owned_by"`
	Capabilities     ModelCapabilities `json:"capabilities"`
	Name             *string           `json:"name"`
	Description      *string           `json:"description"`
	MaxContextLength int64             `json:"max_context_length"`
	Aliases          List[string]      `json:"aliases"`
	// ClassifierLimits are a base model's, at servers that tell them.
	ClassifierLimits *ClassifierLimits `json:"classifier_limits,omitempty"`
	// BaseModel says what a base model is, at servers that tell it.
	BaseModel *BaseModel `json:"base_model,omitempty"`
	// The following are a fine-tuned model's.
	Job      string `json:"job,omitempty"`
	Root     string `json:"root,omitempty"` // the base model
	Archived *bool  `json:"archived,omitempty"`
}

// ClassifierLimits are how much a classifier can be trained on. The protocol does not
// have them; a number that is not above 0 is no limit.
type ClassifierLimits struct {
	Targets         int64 `json:"targets"`
	LabelsPerTarget int64 `json:"labels_per_target"`
	Labels          int64 `json:"labels"`  // of all targets
	Samples         int64 `json:"samples"` // of all training files
	FileBytes       int64 `json:"file_bytes"`
}

// BaseModel is what models learn beside their examples. The protocol does not have it.
type BaseModel struct {
	Kind      string   `json:"kind"`                // "engine": nothing; "words": a table of word vectors; "embeddings": an encoder
	Languages []string `json:"languages,omitempty"` // if they are known
	Dimension int64    `json:"dimension,omitempty"` // of the vectors
	Digest    string   `json:"digest,omitempty"`    // of the table
	Host      string   `json:"host,omitempty"`      // that texts are sent to
}

// ModelCapabilities say what a model can be asked for. All are written, because
// an SDK takes an absent completion_chat for true.
type ModelCapabilities struct {
	CompletionChat  bool `json:"completion_chat"`
	CompletionFIM   bool `json:"completion_fim"`
	FunctionCalling bool `json:"function_calling"`
	FineTuning      bool `json:"fine_tuning"`
	Classification  bool `json:"classification"`
}

// ModelList is every model that the key sees.
type ModelList struct {
	Object string      `json:"object"`
	Data   List[Model] `json:"data"`
}

// DeletedModel answers a model's deletion.
type DeletedModel struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Deleted bool   `json:"deleted"`
}

// ArchivedModel answers a model's archiving and its undoing.
type ArchivedModel struct {
	ID       string `json:"id"`
	Object   string `json:"object"`
	Archived bool   `json:"archived"`
}

// UpdateModelRequest renames a fine-tuned model. A nil field is left as it is.
type UpdateModelRequest struct {
	Name        *string `json:"name,omitempty"`
	Description *string `json:"description,omitempty"`
}

// ClassifierModel answers a model's update: a card of another shape, which
// alone shows the classifier's targets.
type ClassifierModel struct {
	ID                string                 `json:"id"`
	Object            string                 `json:"object"`
	Created           int64                  `json:"created"`
	OwnedBy           string                 `json:"owned_by"`
	WorkspaceID       string                 `json:"workspace_id"`
	Root              string                 `json:"root"`
	RootVersion       string                 `json:"root_version"`
	Archived          bool                   `json:"archived"`
	Name              *string                `json:"name"`
	Description       *string                `json:"description"`
	Capabilities      ModelCapabilities      `json:"capabilities"`
	MaxContextLength  int64                  `json:"max_context_length"`
	Aliases           List[string]           `json:"aliases"`
	Job               string                 `json:"job"`
	ClassifierTargets List[ClassifierTarget] `json:"classifier_targets"`
	ModelType         string                 `json:"model_type"`
}

func (m *Model) complete() bool           { return m.ID != "" }
func (l *ModelList) complete() bool       { return l.Data != nil || l.Object == ObjectList }
func (m *DeletedModel) complete() bool    { return m.ID != "" }
func (m *ArchivedModel) complete() bool   { return m.ID != "" }
func (m *ClassifierModel) complete() bool { return m.ID != "" }

// ListModels returns the models that the key sees.
func (c *Client) ListModels(ctx context.Context) (*ModelList, error) {
	return send[ModelList](ctx, c, request{
		operation: "ListModels",
		method:    http.MethodGet,
		path:      []string{"models"},
		limit:     maxModelsBytes,
	})
}

// GetModel returns a model's card.
func (c *Client) GetModel(ctx context.Context, id string) (*Model, error) {
	return send[Model](ctx, c, request{
		operation: "GetModel",
		method:    http.MethodGet,
		path:      []string{"models", id},
	})
}

// UpdateModel renames a fine-tuned model.
func (c *Client) UpdateModel(ctx context.Context, id string, update UpdateModelRequest) (*ClassifierModel, error) {
	return send[ClassifierModel](ctx, c, request{
		operation: "UpdateModel",
		method:    http.MethodPatch,
		path:      []string{"fine_tuning", "models", id},
		body:      update,
	})
}

// DeleteModel deletes a fine-tuned model.
func (c *Client) DeleteModel(ctx context.Context, id string) error {
	_, err := send[DeletedModel](ctx, c, request{
		operation: "DeleteModel",
		method:    http.MethodDelete,
		path:      []string{"models", id},
	})
	return err
}

// ArchiveModel takes a fine-tuned model out of use.
func (c *Client) ArchiveModel(ctx context.Context, id string) (*ArchivedModel, error) {
	return send[ArchivedModel](ctx, c, request{
		operation: "ArchiveModel",
		method:    http.MethodPost,
		path:      []string{"fine_tuning", "models", id, "archive"},
	})
}

// UnarchiveModel takes a fine-tuned model into use again.
func (c *Client) UnarchiveModel(ctx context.Context, id string) (*ArchivedModel, error) {
	return send[ArchivedModel](ctx, c, request{
		operation: "UnarchiveModel",
		method:    http.MethodDelete,
		path:      []string{"fine_tuning", "models", id, "archive"},
	})
}
