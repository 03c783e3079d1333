package factory

import (
	"encoding/hex"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// encoded is an answer that is JSON already.
type encoded []byte

// classificationAnswer is written by hand: encoding/json takes four times as long
// for the scores as the engine does.
type classificationAnswer struct {
	json    []byte
	targets []targetAnswer
	results int
}

// targetAnswer is what does not change from result to result.
type targetAnswer struct {
	scores     []string // what stands before each score
	thresholds string   // what stands between scores and labels
	labels     []string
}

// newClassificationAnswer begins an answer. The thresholds are by target and label;
// those of a target that has none are nil.
func newClassificationAnswer(modelID string, targets []mistral.ClassifierTarget, thresholds [][]float64) *classificationAnswer {
	id := uuid.New()
	a := &classificationAnswer{json: []byte(`{"id":"` + hex.EncodeToString(id[:]) + `","model":` + quote(modelID) + `,"results":[`)}
	for t, target := range targets {
		before := quote(target.Name) + `:{"scores":{`
		if t > 0 {
			before = `,` + before
		}
		var answer targetAnswer
		for _, label := range target.Labels {
			label = quote(label)
			answer.scores = append(answer.scores, before+label+`:`)
			answer.labels = append(answer.labels, label)
			before = `,`
		}
		if thresholds != nil && thresholds[t] != nil {
			answer.thresholds = `,"thresholds":{`
			for i, label := range answer.labels {
				if i > 0 {
					answer.thresholds += `,`
				}
				answer.thresholds += label + `:` + strconv.FormatFloat(thresholds[t][i], 'g', -1, 64)
			}
			answer.thresholds += `}`
		}
		a.targets = append(a.targets, answer)
	}
	return a
}

// add writes the result of one input: scores by target and label, and the labels
// that apply, by target, if they are asked for.
func (a *classificationAnswer) add(scores [][]float64, labels [][]int) {
	if a.results++; a.results > 1 {
		a.json = append(a.json, ',')
	}
	a.json = append(a.json, '{')
	for t, target := range a.targets {
		for i, before := range target.scores {
			a.json = append(a.json, before...)
			a.json = strconv.AppendFloat(a.json, scores[t][i], 'g', -1, 64)
		}
		a.json = append(a.json, '}')
		if labels != nil {
			a.addLabels(target, labels[t])
		}
		a.json = append(a.json, '}')
	}
	a.json = append(a.json, '}')
}

func (a *classificationAnswer) addLabels(target targetAnswer, labels []int) {
	a.json = append(a.json, target.thresholds...)
	a.json = append(a.json, `,"labels":[`...)
	for i, label := range labels {
		if i > 0 {
			a.json = append(a.json, ',')
		}
		a.json = append(a.json, target.labels[label]...)
	}
	a.json = append(a.json, ']')
}

func (a *classificationAnswer) end() encoded {
	return append(a.json, `]}`...)
}

// quote writes a JSON string. What is no UTF-8 becomes the replacement character.
func quote(text string) string {
	quoted, _ := jsontext.AppendQuote(nil, text) // which it reports, too
	return string(quoted)
}
