package factory

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// maxScores bounds an answer, to some 100 MB: a request of 32 MB can have millions
// of inputs.
const maxScores = 1 << 22

// classifyRequest is a body of POST /v1/classifications.
type classifyRequest struct {
	Model    string            `json:"model"`
	Input    oneOrMany[string] `json:"input"`
	Metadata jsontext.Value    `json:"metadata"`
	Scores   scoring           `json:"scores"`
}

// classifyChatRequest is a body of POST /v1/chat/classifications.
type classifyChatRequest struct {
	Model  string                  `json:"model"`
	Input  oneOrMany[conversation] `json:"input"`
	Scores scoring                 `json:"scores"`
}

// scoring is what the scores of a multi_class target are. It extends the protocol.
type scoring string

const (
	normalized  scoring = "normalized"  // they sum to 1, as the protocol has it; the default
	independent scoring = "independent" // each is the probability that the label applies
)

type conversation struct {
	Messages []message `json:"messages"`
}

type message struct {
	Role    string          `json:"role"`
	Content mistral.Content `json:"content"`
	Others  jsontext.Value  `json:",embed"` // tool calls and the like: SDKs send them
}

// oneOrMany is a list that may be written as its only element. Unlike the
// client's, it decodes in one pass and knows where an error is.
type oneOrMany[T any] []T

// UnmarshalJSONFrom implements json.UnmarshalerFrom. Null is as good as absent.
func (l *oneOrMany[T]) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	switch decoder.PeekKind() {
	case 'n':
		return decoder.SkipValue()
	case '[':
		*l = oneOrMany[T]{}
		return json.UnmarshalDecode(decoder, (*[]T)(l))
	}
	var single T
	err := json.UnmarshalDecode(decoder, &single)
	*l = oneOrMany[T]{single}
	return err
}

func (f *Factory) classify(r *http.Request, tenant string) (any, error) {
	var request classifyRequest
	if err := decodeBody(r, &request, closedObject); err != nil {
		return nil, err
	}
	if err := checkClassification(request.Model, request.Input != nil, request.Scores); err != nil {
		return nil, err
	}
	return f.classifyInputs(r.Context(), tenant, request.Model, request.Scores, len(request.Input), func(i int, inputType dataset.InputType) string {
		return textFor(inputType, request.Input[i])
	})
}

func (f *Factory) classifyChat(r *http.Request, tenant string) (any, error) {
	var request classifyChatRequest
	if err := decodeBody(r, &request, closedObject); err != nil {
		return nil, err
	}
	if err := checkClassification(request.Model, request.Input != nil, request.Scores); err != nil {
		return nil, err
	}
	for i, conversation := range request.Input {
		if err := checkMessages(conversation.Messages, i); err != nil {
			return nil, err
		}
	}
	return f.classifyInputs(r.Context(), tenant, request.Model, request.Scores, len(request.Input), func(i int, inputType dataset.InputType) string {
		return chatFor(inputType, request.Input[i].Messages)
	})
}

func checkClassification(model string, input bool, scores scoring) error {
	switch {
	case model == "":
		return invalidField("missing", "Field required", "model")
	case !input:
		return invalidField("missing", "Field required", "input")
	case scores != "" && scores != normalized && scores != independent:
		return invalidValue("Input should be normalized or independent.", "scores")
	}
	return nil
}

func checkMessages(messages []message, input int) error {
	if len(messages) == 0 {
		return invalidField("missing", "Field required", "input", input, "messages")
	}
	for i, message := range messages {
		switch message.Role {
		case "system", "user", "assistant", "tool":
		default:
			return invalidValue("Input should be system, user, assistant or tool.", "input", input, "messages", i, "role")
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
			contents[i] = string(message.Content)
		}
		return strings.Join(contents, "\n")
	}
	turns := make([]classifier.Message, len(messages))
	for i, message := range messages {
		turns[i] = classifier.Message{Role: message.Role, Content: string(message.Content)}
	}
	return classifier.RenderChat(turns)
}

// classifyInputs has one result for each input, in their order.
func (f *Factory) classifyInputs(ctx context.Context, tenant, modelID string, scores scoring, inputs int, text func(int, dataset.InputType) string) (any, error) {
	found, err := f.findClassifier(ctx, tenant, modelID)
	if err != nil {
		return nil, err
	}
	if most := maxScores / countLabels(found.targets); inputs > most {
		return nil, invalidField("too_long", fmt.Sprintf("List should have at most %d items for this model", most), "input")
	}
	loaded, err := f.models.get(found.digest)
	if err != nil {
		return nil, err
	}
	answer := newClassificationAnswer(modelID, found.targets, nil)
	if scores == independent {
		answer = newClassificationAnswer(modelID, found.targets, loaded.Thresholds())
	}
	var given [][]float64
	var labels [][]int
	for i := range inputs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if input := text(i, found.inputType); scores == independent {
			given = loaded.Probabilities(input, given)
			labels = decide(loaded, given, labels)
		} else {
			given = loaded.Classify(input, given)
		}
		answer.add(given, labels)
	}
	f.metrics.classified.Add(float64(inputs))
	return answer.end(), nil
}

// decide has the labels of each target that apply. It reuses what it is given.
func decide(model *classifier.Model, probabilities [][]float64, labels [][]int) [][]int {
	if labels == nil {
		labels = make([][]int, len(probabilities))
	}
	for t := range labels {
		labels[t] = model.Decide(t, probabilities[t], labels[t])
	}
	return labels
}

func countLabels(targets []mistral.ClassifierTarget) (labels int) {
	for _, target := range targets {
		labels += len(target.Labels)
	}
	return labels
}

func (f *Factory) findClassifier(ctx context.Context, tenant, id string) (model, error) {
	if f.isBaseModel(id) {
		return model{}, invalidValue("The model is no classifier: train one from it.", "model")
	}
	found, err := f.store.model(ctx, tenant, id)
	switch {
	case errors.Is(err, errNotFound):
		return model{}, notFoundAs(err, noSuchModel)
	case err == nil && found.archived:
		return model{}, &problem{Status: http.StatusNotFound, Detail: "The model is archived; unarchive it to classify with it."}
	}
	return found, err
}
