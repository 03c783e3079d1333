package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/factory/basemodels"
	"github.com/classifier-factory/classifier-factory/internal/factory/serving"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// classifyRequest is a body of POST /v1/classifications.
type classifyRequest struct {
	Model    string          `json:"model"`
	Input    texts           `json:"input"`
	Metadata jsontext.Value  `json:"metadata"`
	Scores   serving.Scoring `json:"scores"`
	InScope  bool            `json:"in_scope"`
}

// classifyChatRequest is a body of POST /v1/chat/classifications.
type classifyChatRequest struct {
	Model   string          `json:"model"`
	Input   conversations   `json:"input"`
	Scores  serving.Scoring `json:"scores"`
	InScope bool            `json:"in_scope"`
}

func (s *Server) classify(r *http.Request, tenant string, turn *turn) (any, error) {
	var request classifyRequest
	if err := decodeBody(r, &request, closedObject); err != nil {
		return nil, err
	}
	if err := checkClassification(request.Model, request.Input.given, request.Input.len(), request.Scores); err != nil {
		return nil, err
	}
	return s.classifyInputs(r.Context(), tenant, serving.Request{
		ModelID: request.Model,
		Scores:  request.Scores,
		InScope: request.InScope,
		Pause:   turn.pause,
		Inputs:  request.Input.len(),
		Text: func(i int, inputType dataset.InputType) string {
			turn.pass()
			return textFor(inputType, request.Input.at(i))
		},
	})
}

func (s *Server) classifyChat(r *http.Request, tenant string, turn *turn) (any, error) {
	var request classifyChatRequest
	if err := decodeBody(r, &request, closedObject); err != nil {
		return nil, err
	}
	if err := checkClassification(request.Model, request.Input.given, len(request.Input.list), request.Scores); err != nil {
		return nil, err
	}
	for i, conversation := range request.Input.list {
		if err := checkMessages(conversation.Messages, append(request.Input.location(i), "messages")); err != nil {
			return nil, err
		}
	}
	return s.classifyInputs(r.Context(), tenant, serving.Request{
		ModelID: request.Model,
		Scores:  request.Scores,
		InScope: request.InScope,
		Pause:   turn.pause,
		Inputs:  len(request.Input.list),
		Text: func(i int, inputType dataset.InputType) string {
			turn.pass()
			return chatFor(inputType, request.Input.list[i].Messages)
		},
	})
}

func checkClassification(model string, given bool, inputs int, scores serving.Scoring) error {
	switch {
	case model == "":
		return invalidField("missing", "Field required", "model")
	case !given:
		return invalidField("missing", "Field required", "input")
	case inputs == 0:
		return emptyList("input")
	case scores != "" && scores != serving.Normalized && scores != serving.Independent:
		return invalidValue("Input should be normalized or independent.", "scores")
	}
	return nil
}

// checkMessages asks of a conversation what is asked of one to train on.
func checkMessages(messages []message, place []any) error {
	switch {
	case messages == nil:
		return invalidField("missing", "Field required", place...)
	case len(messages) == 0:
		return emptyList(place...)
	}
	for i, message := range messages {
		switch message.Role {
		case "system", "user", "assistant", "tool":
		default:
			return invalidValue("Input should be system, user, assistant or tool.", append(place, i, "role")...)
		}
		switch {
		case message.Content.kind == 0 && message.Role != "assistant": // which may call tools instead
			return invalidField("missing", "Field required", append(place, i, "content")...)
		case message.Content.kind == 'n' && message.Role == "system":
			return invalidField("string_type", "Input should be a valid string", append(place, i, "content")...)
		}
	}
	return nil
}

// textFor is a text as the model was trained to read it: to one that was trained
// on conversations it is what a user says.
func textFor(inputType dataset.InputType, text string) string {
	if inputType == dataset.InputText {
		return text
	}
	return classifier.RenderChat([]classifier.Message{{Role: "user", Content: text}})
}

// chatFor is a conversation as the model was trained to read it: one that was
// trained on texts has never seen the names of roles.
func chatFor(inputType dataset.InputType, messages []message) string {
	if inputType == dataset.InputText {
		contents := make([]string, len(messages))
		for i, message := range messages {
			contents[i] = message.Content.text
		}
		return joinLines(contents)
	}
	turns := make([]classifier.Message, len(messages))
	for i, message := range messages {
		turns[i] = classifier.Message{Role: message.Role, Content: message.Content.text}
	}
	return classifier.RenderChat(turns)
}

// classifyInputs has one result for each input, in their order.
func (s *Server) classifyInputs(ctx context.Context, tenant string, request serving.Request) (any, error) {
	found, err := s.findClassifier(ctx, tenant, request.ModelID)
	if err != nil {
		return nil, err
	}
	answer, err := s.models.Classification(ctx, found, request)
	if large, ok := errors.AsType[*serving.AnswerTooLargeError](err); ok {
		return nil, invalidField("too_long", fmt.Sprintf("The %d inputs would be answered with up to %d bytes, and an answer has at most %d. Send at most %d in a request.",
			large.Inputs, large.Bytes, large.MaxBytes, large.MaxInputs), "input")
	}
	if many, ok := errors.AsType[*serving.TooManyInputsError](err); ok {
		return nil, invalidField("too_long", fmt.Sprintf("The model's base model is asked about at most %d inputs at once. Send no more in a request.", many.MaxInputs), "input")
	}
	if err != nil {
		return nil, s.loadProblem(ctx, tenant, request.ModelID, err)
	}
	return answer, nil
}

func (s *Server) findClassifier(ctx context.Context, tenant, id string) (store.ServedModel, error) {
	if !callerOf(ctx).mayUse(id) {
		return store.ServedModel{}, errOtherModel
	}
	if s.isBaseModel(id) {
		return store.ServedModel{}, invalidValue("The model is no classifier: train one from it.", "model")
	}
	found, err := s.models.Find(ctx, tenant, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		err = invalidModel(id)
	case err == nil && found.Archived:
		err = &problem{Status: http.StatusNotFound, Detail: "The model is archived; unarchive it to classify with it."}
	}
	return found, err
}

// loadProblem explains why a model cannot be loaded. It may have been deleted since
// it was found.
func (s *Server) loadProblem(ctx context.Context, tenant, id string, err error) error {
	if _, ok := errors.AsType[*classifier.VersionError](err); ok {
		return invalidValue("The model was made by another version of the factory, and its file cannot be read by this one. Train the model again.", "model")
	}
	if other, ok := errors.AsType[*basemodels.NotOfferedError](err); ok {
		return invalidValue(other.Error(), "model")
	}
	if silent, ok := errors.AsType[*serving.RepresentationError](err); ok {
		answer := &problem{Status: http.StatusServiceUnavailable, Detail: fmt.Sprintf("The base model %s of the model cannot be asked. Try again later.", silent.Name)}
		if silent.Answered() {
			answer = &problem{Status: http.StatusBadGateway, Detail: fmt.Sprintf("What the base model %s of the model was asked, it refused, or it answered what is of no use; the server's log says more.", silent.Name)}
		}
		return fmt.Errorf("%w: %w", answer, err)
	}
	if _, gone := s.findClassifier(ctx, tenant, id); gone != nil {
		return gone
	}
	return damagedAs(err, "model", id, "Train the model again")
}
