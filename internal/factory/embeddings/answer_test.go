package embeddings

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
)

// answers are what servers answer to two texts, and what is said of it; nothing of what
// can be used.
var answers = []struct{ reason, answer, want string }{
	{"as documented", `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-1e-3]},{"object":"embedding","index":1,"embedding":[1,2]}],"model":"m","usage":{"prompt_tokens":1,"total_tokens":1}}`, ""},
	{"in another order", `{"data":[{"embedding":[1,2],"index":1},{"index":0,"embedding":[0.5,-1e-3]}]}`, ""},
	{"one is missing", `{"data":[{"index":0,"embedding":[1]}]}`, "fewer"},
	{"one too many", `{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1]},{"index":2,"embedding":[1]}]}`, "more than the 2"},
	{"an index twice", `{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}`, "which vector is of which text"},
	{"an index beyond", `{"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[1]}]}`, "which vector is of which text"},
	{"no index", `{"data":[{"embedding":[1]},{"embedding":[1]}]}`, "which vector is of which text"},
	{"different lengths", `{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1,2]}]}`, "different lengths"},
	{"no numbers at all", `{"data":[{"index":0,"embedding":[]},{"index":1,"embedding":[]}]}`, "fewer"},
	{"null for a vector", `{"data":[{"index":0,"embedding":null},{"index":1,"embedding":[1]}]}`, "no lists of numbers"},
	{"null for a number", `{"data":[{"index":0,"embedding":[null]},{"index":1,"embedding":[1]}]}`, "no lists of numbers"},
	{"words for numbers", `{"data":[{"index":0,"embedding":["NaN"]},{"index":1,"embedding":[1]}]}`, "no lists of numbers"},
	{"a vector for each token", `{"data":[{"index":0,"embedding":[[1,2],[3,4]]},{"index":1,"embedding":[1]}]}`, "no lists of numbers"},
	{"base64, which was not asked for", `{"data":[{"index":0,"embedding":"AACAPw=="},{"index":1,"embedding":"AACAPw=="}]}`, "no lists of numbers"},
	{"numbers beyond all", `{"data":[{"index":0,"embedding":[1e999]},{"index":1,"embedding":[1]}]}`, "sensible size"},
	{"large numbers", `{"data":[{"index":0,"embedding":[1e30]},{"index":1,"embedding":[1]}]}`, "sensible size"},
	{"a number that is none", `{"data":[{"index":0,"embedding":[NaN]}]}`, "no JSON"},
	{"an index that is a text", `{"data":[{"index":"0","embedding":[1]},{"index":1,"embedding":[1]}]}`, "no list of embeddings"},
	{"a list of texts", `{"data":["a","b"]}`, "no list of embeddings"},
	{"an error with the status 200", `{"error":{"message":"SECRET"}}`, "fewer"},
	{"a list", `[[1,2],[3,4]]`, "no list of embeddings"},
	{"a page", `<html>SECRET</html>`, "no JSON"},
	{"more numbers than any encoder has", `{"data":[{"index":0,"embedding":[` + strings.Repeat("0,", maxDimension) + `0]}]}`, "more than 4096 numbers"},
	{"more than an answer can have", `{"data":[],"more":"` + strings.Repeat("a", 2*maxDimension*maxNumberBytes+maxAroundBytes) + `"}`, "larger than any"},
}

func TestReadVectors(t *testing.T) {
	for _, test := range answers {
		t.Run(test.reason, func(t *testing.T) {
			vectors, err := readVectors(strings.NewReader(test.answer), 2)
			if test.want == "" {
				if err != nil || fmt.Sprint(vectors) != "[[0.5 -0.001] [1 2]]" {
					t.Errorf("%v, %v", vectors, err)
				}
				return
			}
			if answer, ok := errors.AsType[*answerError](err); !ok || !strings.Contains(answer.reason, test.want) || strings.Contains(answer.reason, "SECRET") {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

// TestAnswersThatBreakOff are told from those that are of no use: to ask again may help.
func TestAnswersThatBreakOff(t *testing.T) {
	whole := answers[0].answer
	for end := range len(whole) {
		vectors, err := readVectors(strings.NewReader(whole[:end]), 2)
		if errors.As(err, new(*answerError)) || err == nil {
			t.Fatalf("%q: %v, %v", whole[:end], vectors, err)
		}
		if _, err := readVectors(io.MultiReader(strings.NewReader(whole[:end]), broken{}), 2); errors.As(err, new(*answerError)) || err == nil {
			t.Fatalf("%q and an error: %v", whole[:end], err)
		}
	}
}

// broken is a connection.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func FuzzReadVectors(f *testing.F) {
	for _, test := range answers {
		if len(test.answer) < 1000 {
			f.Add(test.answer, 2)
		}
	}
	f.Fuzz(func(t *testing.T, answer string, count int) {
		if count < 1 || count > 40 {
			t.Skip("nobody asks for so many, or for none")
		}
		vectors, err := readVectors(strings.NewReader(answer), count)
		if err != nil {
			return
		}
		if len(vectors) != count {
			t.Fatalf("%d vectors of %d", len(vectors), count)
		}
		for _, vector := range vectors {
			if len(vector) != len(vectors[0]) || len(vector) == 0 || len(vector) > maxDimension {
				t.Fatalf("vectors of %d and %d numbers", len(vector), len(vectors[0]))
			}
			for _, value := range vector {
				if !(math.Abs(float64(value)) <= largestNumber) {
					t.Fatalf("a number is %v", value)
				}
			}
		}
	})
}
