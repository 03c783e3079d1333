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
	json []byte
	// prefixes are what stands before each score of a result.
	prefixes [][]string
	results  int
}

func newClassificationAnswer(modelID string, targets []mistral.ClassifierTarget) *classificationAnswer {
	id := uuid.New()
	a := &classificationAnswer{json: []byte(`{"id":"` + hex.EncodeToString(id[:]) + `","model":` + quote(modelID) + `,"results":[`)}
	for t, target := range targets {
		before := `{`
		if t > 0 {
			before = `}},`
		}
		before += quote(target.Name) + `:{"scores":{`
		var prefixes []string
		for _, label := range target.Labels {
			prefixes = append(prefixes, before+quote(label)+`:`)
			before = `,`
		}
		a.prefixes = append(a.prefixes, prefixes)
	}
	return a
}

// add writes the result of one input.
func (a *classificationAnswer) add(scores [][]float64) {
	if a.results++; a.results > 1 {
		a.json = append(a.json, ',')
	}
	for t, prefixes := range a.prefixes {
		for i, prefix := range prefixes {
			a.json = append(a.json, prefix...)
			a.json = strconv.AppendFloat(a.json, scores[t][i], 'g', -1, 64)
		}
	}
	a.json = append(a.json, `}}}`...)
}

func (a *classificationAnswer) end() encoded {
	return append(a.json, `]}`...)
}

// quote writes a JSON string. What is no UTF-8 becomes the replacement character.
func quote(text string) string {
	quoted, _ := jsontext.AppendQuote(nil, text) // which it reports, too
	return string(quoted)
}
