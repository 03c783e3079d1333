package training

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/factory/basemodels"
	"github.com/classifier-factory/classifier-factory/internal/factory/embeddings"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// codeBaseModelGone is that of a job whose base model was there when it was created.
const codeBaseModelGone = "BaseModelGone"

// baseModel is that of a job.
func (q *Queue) baseModel(j *store.Job) (*basemodels.Model, error) {
	base := q.baseModels.Find(j.Model)
	if base == nil {
		return nil, &store.InvalidDataError{
			Message: fmt.Sprintf("The base model %s is not offered by this server any more.", j.Model),
			Update:  mistral.StatusUpdate{Code: codeBaseModelGone},
		}
	}
	return base, nil
}

// dimension is that of a base model's vectors, which an encoder is asked for. A job whose
// encoder is away is told so at once, and keeps no others from their validation.
func dimension(ctx context.Context, base *basemodels.Model) (int, error) {
	_, pinned, err := base.Represented(ctx, embeddings.Impatient)
	return pinned.Dimension, explainEncoder(base.Name, err)
}

// baseModel is the one that the server has, too.
func (c *child) baseModel(ctx context.Context) (classifier.Representation, classifier.BaseModel, error) {
	for name, value := range c.assigned.Environment {
		if err := os.Setenv(name, value); err != nil {
			return nil, classifier.BaseModel{}, err
		}
	}
	models, err := basemodels.Open([]string{c.assigned.BaseModel}, c.assigned.Encoders)
	if err != nil {
		return nil, classifier.BaseModel{}, err
	}
	base := &models[0]
	if base.Digest != c.assigned.BaseDigest {
		return nil, classifier.BaseModel{}, errors.New("the file of the base model has changed since the factory was started: start it again")
	}
	representation, pinned, err := base.Represented(ctx, embeddings.Patient)
	return representation, pinned, explainEncoder(base.Name, err)
}

// explainEncoder says what whoever looks at a job can do about an encoder.
func explainEncoder(name string, err error) error {
	if silent, ok := errors.AsType[*embeddings.Error](err); ok {
		return &store.BaseModelError{Message: fmt.Sprintf("The base model %s: %v. Create the job again when that is mended.", name, silent)}
	}
	if changed, ok := errors.AsType[*embeddings.ChangedError](err); ok {
		return &store.BaseModelError{Message: fmt.Sprintf("The base model %s: %v. Create the job again.", name, changed)}
	}
	return err
}

// networkEnvironment is what of the environment says how others are reached. It goes where
// the environment of a process is not seen.
func networkEnvironment() map[string]string {
	environment := map[string]string{}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"} {
		if value, ok := os.LookupEnv(name); ok {
			environment[name] = value
		}
	}
	return environment
}
