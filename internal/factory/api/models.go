package api

import (
	"fmt"
	"net/http"

	"github.com/classifier-factory/classifier-factory/internal/factory/basemodels"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
	"github.com/classifier-factory/classifier-factory/internal/factory/training"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	noSuchModel = "No model matches the given query."

	owner            = "classifier-factory"
	maxContextLength = 32768 // the protocol's default; the engine has no such limit
	rootVersion      = "1"

	// baseDescription says which engine a well-known name stands for here.
	baseDescription = "On this server the name stands for its own engine: linear classifiers on word and character n-grams, trained from scratch on CPUs. No language model runs."
	// wordsDescription says what a table of word vectors adds to it.
	wordsDescription = baseDescription + " Beside these it knows what words mean by a table of word vectors, which helps where examples are few."
	// embeddingsDescription says what an encoder adds, and where texts go.
	embeddingsDescription = "On this server the name stands for its own engine: linear classifiers on word and character n-grams, trained on CPUs, and on the vectors that an encoder makes of texts. Texts that are trained on or classified are sent to the encoder at %s."

	maxNameBytes        = 256
	maxDescriptionBytes = 4096
)

func (s *Server) listModels(r *http.Request, tenant string) (any, error) {
	tuned, err := s.store.Models(r.Context(), tenant)
	if err != nil {
		return nil, err
	}
	id, provider, asking := r.URL.Query().Get("model"), r.URL.Query().Get("provider"), callerOf(r.Context())
	wanted := func(card *mistral.Model) bool {
		return (id == "" || card.ID == id) && (provider == "" || card.OwnedBy == provider) && asking.mayUse(card.ID)
	}
	cards := func(yield func(mistral.Model, error) bool) {
		for i := range s.config.BaseModels {
			if base := s.baseCard(&s.config.BaseModels[i]); wanted(&base) && !yield(base, nil) {
				return
			}
		}
		for found, err := range tuned {
			if err != nil {
				yield(mistral.Model{}, err)
				return
			}
			if own := card(&found); wanted(&own) && !yield(own, nil) {
				return
			}
		}
	}
	return newList(s, r, mistral.ModelList{Object: mistral.ObjectList}, cards), nil
}

func (s *Server) getModel(r *http.Request, tenant string) (any, error) {
	id := r.PathValue("model_id")
	if !callerOf(r.Context()).mayUse(id) {
		return nil, errOtherModel
	}
	if base := s.config.BaseModels.Find(id); base != nil {
		return s.baseCard(base), nil
	}
	found, err := s.store.Model(r.Context(), tenant, id)
	return card(&found), notFoundAs(err, noSuchModel)
}

func (s *Server) deleteModel(r *http.Request, tenant string) (any, error) {
	id := r.PathValue("model_id")
	if s.isBaseModel(id) {
		return nil, &problem{Status: http.StatusForbidden, Detail: "A base model cannot be deleted."}
	}
	err := s.store.DeleteModel(r.Context(), tenant, id)
	return mistral.DeletedModel{ID: id, Object: mistral.ObjectModel, Deleted: true}, notFoundAs(err, noSuchModel)
}

func (s *Server) updateModel(r *http.Request, tenant string) (any, error) {
	var request mistral.UpdateModelRequest
	if err := decodeBody(r, &request); err != nil {
		return nil, err
	}
	if request.Name != nil && len(*request.Name) > maxNameBytes {
		return nil, invalidValue("The name is too long.", "name")
	}
	if request.Description != nil && len(*request.Description) > maxDescriptionBytes {
		return nil, invalidValue("The description is too long.", "description")
	}
	updated, err := s.store.UpdateModel(r.Context(), tenant, r.PathValue("model_id"), func(m *store.Model) {
		if request.Name != nil {
			m.Name = request.Name
		}
		if request.Description != nil {
			m.Description = request.Description
		}
	})
	return detailedCard(&updated), notFoundAs(err, noSuchModel)
}

func (s *Server) archiveModel(r *http.Request, tenant string) (any, error) {
	return s.setArchived(r, tenant, true)
}

func (s *Server) unarchiveModel(r *http.Request, tenant string) (any, error) {
	return s.setArchived(r, tenant, false)
}

func (s *Server) setArchived(r *http.Request, tenant string, archived bool) (any, error) {
	id := r.PathValue("model_id")
	_, err := s.store.UpdateModel(r.Context(), tenant, id, func(m *store.Model) { m.Archived = archived })
	return mistral.ArchivedModel{ID: id, Object: mistral.ObjectModel, Archived: archived}, notFoundAs(err, noSuchModel)
}

func (s *Server) isBaseModel(id string) bool {
	return s.config.BaseModels.Find(id) != nil
}

func (s *Server) baseCard(base *basemodels.Model) mistral.Model {
	description, limits := baseDescription, training.Limits()
	switch base.Kind {
	case basemodels.Words:
		description = wordsDescription
	case basemodels.Embeddings:
		description = fmt.Sprintf(embeddingsDescription, base.Host())
	}
	limits.FileBytes = maxFileBytes
	return mistral.Model{
		ID:               base.Name,
		Object:           mistral.ObjectModel,
		Type:             mistral.ModelTypeBase,
		Created:          s.opened.Unix(),
		OwnedBy:          owner,
		Capabilities:     mistral.ModelCapabilities{FineTuning: true},
		Description:      &description,
		MaxContextLength: maxContextLength,
		Aliases:          []string{},
		ClassifierLimits: &limits,
		BaseModel: &mistral.BaseModel{
			Kind:      string(base.Kind),
			Languages: base.Languages,
			Dimension: int64(base.Dimension()),
			Digest:    base.Digest,
			Host:      base.Host(),
		},
	}
}

// card is how a model is listed.
func card(m *store.Model) mistral.Model {
	return mistral.Model{
		ID:               m.ID,
		Object:           mistral.ObjectModel,
		Type:             mistral.ModelTypeFineTuned,
		Created:          m.CreatedAt,
		OwnedBy:          owner,
		Capabilities:     mistral.ModelCapabilities{Classification: true},
		Name:             m.Name,
		Description:      m.Description,
		MaxContextLength: maxContextLength,
		Aliases:          []string{},
		Job:              m.JobID,
		Root:             m.Root,
		Archived:         &m.Archived,
	}
}

// detailedCard is how a model's update shows it.
func detailedCard(m *store.Model) mistral.ClassifierModel {
	return mistral.ClassifierModel{
		ID:                m.ID,
		Object:            mistral.ObjectModel,
		Created:           m.CreatedAt,
		OwnedBy:           owner,
		WorkspaceID:       store.WorkspaceID(m.Tenant),
		Root:              m.Root,
		RootVersion:       rootVersion,
		Archived:          m.Archived,
		Name:              m.Name,
		Description:       m.Description,
		Capabilities:      mistral.ModelCapabilities{Classification: true},
		MaxContextLength:  maxContextLength,
		Aliases:           []string{},
		Job:               m.JobID,
		ClassifierTargets: m.Targets,
		ModelType:         mistral.JobTypeClassifier,
	}
}
