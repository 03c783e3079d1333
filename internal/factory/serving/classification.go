package serving

import (
	"context"
	"fmt"
	"io"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// Scoring is what the scores of a multi_class target are. It extends the protocol.
type Scoring string

// What scores can be.
const (
	Normalized  Scoring = "normalized"  // they sum to 1, as the protocol has it; the default
	Independent Scoring = "independent" // each is the probability that the label applies
)

// maxAnswerBytes is the most that an answer may have. Inputs and labels multiply: without
// a limit some kilobytes of empty texts are answered with gigabytes.
const maxAnswerBytes = 256 << 20

// AnswerTooLargeError says how many inputs a model can be asked about at once.
type AnswerTooLargeError struct {
	Inputs, MaxInputs int
	Bytes, MaxBytes   int64 // of the answer, at most
}

func (e *AnswerTooLargeError) Error() string {
	return fmt.Sprintf("%d inputs would be answered with up to %d bytes, and an answer has at most %d: send %d inputs or fewer in a request", e.Inputs, e.Bytes, e.MaxBytes, e.MaxInputs)
}

// classification is an answer that is made while it is written: a short request can
// have a very long one.
type classification struct {
	modelID string
	model   *loadedModel
	scores  Scoring
	inputs  int
	text    func(int) string
	vectors *vectors // nil when the model needs none
}

// Classification begins one of a model that was found: a result for each input, in
// their order. text has them as the model was trained to read them; pause is called before
// something else than a processor is waited for, and what it returns when that is over.
func (m *Models) Classification(ctx context.Context, found store.ServedModel, modelID string, scores Scoring, inputs int, text func(int, dataset.InputType) string, pause func() (resume func())) (io.WriterTo, error) {
	model, err := m.cache.get(found.Digest)
	if err != nil {
		return nil, err
	}
	if most := max(maxAnswerBytes/model.resultBytes, 1); inputs > most {
		return nil, &AnswerTooLargeError{Inputs: inputs, MaxInputs: most, Bytes: int64(inputs) * int64(model.resultBytes), MaxBytes: maxAnswerBytes}
	}
	c := &classification{
		modelID: modelID,
		model:   model,
		scores:  scores,
		inputs:  inputs,
		text:    func(i int) string { return text(i, found.InputType) },
	}
	if c.vectors, err = m.represent(ctx, model.BaseModel(), inputs, c.text, pause); err != nil {
		return nil, err
	}
	m.classified.Add(float64(inputs))
	return c, nil
}

// WriteTo implements io.WriterTo.
func (c *classification) WriteTo(w io.Writer) (int64, error) {
	answer := newClassificationAnswer(w, c.modelID, c.model, c.inputs)
	var scores [][]float64
	var labels [][]int
	for i := range c.inputs {
		if c.scores == Independent {
			scores = c.model.ProbabilitiesDense(c.text(i), c.vectors.at(i), scores)
			labels = decide(c.model.Model, scores, labels)
		} else {
			scores = c.model.ClassifyDense(c.text(i), c.vectors.at(i), scores)
		}
		if err := answer.add(scores, labels); err != nil {
			return answer.written, err
		}
	}
	return answer.end()
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
