package training

import (
	"errors"
	"fmt"

	"github.com/classifier-factory/classifier-factory/internal/factory/basemodels"
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

// baseModel is the one that the server has, too.
func (c *child) baseModel() (*basemodels.Model, error) {
	models, err := basemodels.Open([]string{c.assigned.BaseModel})
	if err != nil {
		return nil, err
	}
	if models[0].Digest != c.assigned.BaseDigest {
		return nil, errors.New("the file of the base model has changed since the factory was started: start it again")
	}
	return &models[0], nil
}
