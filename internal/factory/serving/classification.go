package serving

import (
	"context"
	"fmt"
	"io"
	"math"

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

// Request is what a model is asked.
type Request struct {
	ModelID string // that the answer names
	Scores  Scoring
	// InScope asks how much each input is like those that the model was trained for. It
	// extends the protocol.
	InScope bool
	Inputs  int
	// Text has the inputs as the model was trained to read them.
	Text func(int, dataset.InputType) string
	// Pause is called before something else than a processor is waited for, and what it
	// returns when that is over.
	Pause func() (resume func())
}

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
	Request
	model   *loadedModel
	text    func(int) string
	vectors *vectors // nil when the model needs none
}

// Classification begins one of a model that was found: a result for each input, in
// their order.
func (m *Models) Classification(ctx context.Context, found store.ServedModel, request Request) (io.WriterTo, error) {
	model, err := m.cache.get(found.Digest)
	if err != nil {
		return nil, err
	}
	if most := max(maxAnswerBytes/model.resultBytes, 1); request.Inputs > most {
		return nil, &AnswerTooLargeError{Inputs: request.Inputs, MaxInputs: most, Bytes: int64(request.Inputs) * int64(model.resultBytes), MaxBytes: maxAnswerBytes}
	}
	c := &classification{
		Request: request,
		model:   model,
		text:    func(i int) string { return request.Text(i, found.InputType) },
	}
	if c.vectors, err = m.represent(ctx, model.BaseModel(), request.Inputs, c.text, request.Pause); err != nil {
		return nil, err
	}
	m.classified.Add(float64(request.Inputs))
	return c, nil
}

// WriteTo implements io.WriterTo.
func (c *classification) WriteTo(w io.Writer) (int64, error) {
	answer := newClassificationAnswer(w, c.ModelID, c.model, c.Inputs)
	var r result
	for i := range c.Inputs {
		c.classify(c.text(i), c.vectors.at(i), &r)
		if err := answer.add(&r); err != nil {
			return answer.written, err
		}
	}
	return answer.end()
}

// result is what is said of an input, by target.
type result struct {
	scores, probabilities [][]float64
	labels                [][]int   // that apply; nil: nobody asked
	scope                 []float64 // nil: nobody asked
}

func (c *classification) classify(text string, vector []float32, r *result) {
	if c.Scores == Independent || c.InScope {
		r.probabilities = c.model.ProbabilitiesDense(text, vector, r.probabilities)
	}
	if c.InScope {
		r.scope = inScope(c.model.Model, r.probabilities, r.scope)
	}
	if c.Scores == Independent {
		r.scores = r.probabilities
		r.labels = decide(c.model.Model, r.probabilities, r.labels)
		return
	}
	if c.InScope && !c.model.isMultiClass() {
		r.scores = r.probabilities // which are the same
		return
	}
	r.scores = c.model.ClassifyDense(text, vector, r.scores)
}

// inScope has for each target a share, or NaN if the model cannot tell. It reuses what it
// is given.
func inScope(model *classifier.Model, probabilities [][]float64, scope []float64) []float64 {
	scope = scope[:0]
	for t := range probabilities {
		share, known := model.InScope(t, probabilities[t])
		if !known {
			share = math.NaN()
		}
		scope = append(scope, share)
	}
	return scope
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
