package serving

import (
	"encoding/hex"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
)

// answerPart is how much of an answer is written at a time.
const answerPart = 64 << 10

// classificationAnswer is written by hand: encoding/json takes four times as long
// for the scores as the engine does.
type classificationAnswer struct {
	w       io.Writer
	written int64
	json    []byte // not written yet
	targets []targetAnswer
	results int
}

// targetAnswer is what does not change from result to result.
type targetAnswer struct {
	scores     []string // what stands before each score
	thresholds string   // what stands between scores and labels
	labels     []string
}

func newTargetAnswers(model *classifier.Model) []targetAnswer {
	thresholds := model.Thresholds()
	var answers []targetAnswer
	for t, target := range model.Targets() {
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
		answer.thresholds = quoteThresholds(answer.labels, thresholds[t])
		answers = append(answers, answer)
	}
	return answers
}

// maxBytes is the most that the target takes of a result.
func (a *targetAnswer) maxBytes() int {
	const number = len("-2.2250738585072014e-308")
	size := len(a.thresholds) + len(`},"labels":[],"in_scope":},`) + number
	for i := range a.labels {
		size += len(a.scores[i]) + number + len(a.labels[i]) + len(`,`)
	}
	return size
}

// quoteThresholds is nothing for a target that has none.
func quoteThresholds(labels []string, thresholds []float64) string {
	if thresholds == nil {
		return ""
	}
	members := make([]string, len(labels))
	for i, label := range labels {
		members[i] = label + `:` + strconv.FormatFloat(thresholds[i], 'g', -1, 64)
	}
	return `,"thresholds":{` + strings.Join(members, `,`) + `}`
}

func newClassificationAnswer(w io.Writer, modelID string, model *loadedModel, results int) *classificationAnswer {
	id := uuid.New()
	begin := `{"id":"` + hex.EncodeToString(id[:]) + `","model":` + quote(modelID) + `,"results":[`
	room := min(results*model.resultBytes, answerPart+model.resultBytes)
	a := &classificationAnswer{w: w, targets: model.answers, json: make([]byte, 0, len(begin)+room+len(`]}`))}
	a.json = append(a.json, begin...)
	return a
}

// add writes the result of one input by target: scores by label, and what else was asked
// for.
func (a *classificationAnswer) add(r *result) error {
	if a.results++; a.results > 1 {
		a.json = append(a.json, ',')
	}
	a.json = append(a.json, '{')
	for t, target := range a.targets {
		for i, before := range target.scores {
			a.json = append(a.json, before...)
			a.json = strconv.AppendFloat(a.json, r.scores[t][i], 'g', -1, 64)
		}
		a.json = append(a.json, '}')
		if r.labels != nil {
			a.addLabels(target, r.labels[t])
		}
		if r.scope != nil {
			a.addScope(r.scope[t])
		}
		a.json = append(a.json, '}')
	}
	a.json = append(a.json, '}')
	if len(a.json) < answerPart {
		return nil
	}
	return a.flush()
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

// addScope writes null for NaN.
func (a *classificationAnswer) addScope(share float64) {
	a.json = append(a.json, `,"in_scope":`...)
	if math.IsNaN(share) {
		a.json = append(a.json, "null"...)
		return
	}
	a.json = strconv.AppendFloat(a.json, share, 'g', 3, 64)
}

func (a *classificationAnswer) end() (int64, error) {
	a.json = append(a.json, `]}`...)
	err := a.flush()
	return a.written, err
}

func (a *classificationAnswer) flush() error {
	n, err := a.w.Write(a.json)
	a.written += int64(n)
	a.json = a.json[:0]
	return err
}

// quote writes a JSON string. What is no UTF-8 becomes the replacement character.
func quote(text string) string {
	quoted, _ := jsontext.AppendQuote(nil, text) // which it reports, too
	return string(quoted)
}
