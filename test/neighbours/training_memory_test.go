package neighbours

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestTrainingMemory does not grow with the rows: who uploads four times as many, of the same
// words, has no more than a tenth more memory taken from the others.
func TestTrainingMemory(t *testing.T) {
	const (
		once   = 1 << 18 // rows: from there on all that is bounded is full
		growth = 1.1
	)
	n := start(t)
	validation := n.hostile.mustUpload("validation.jsonl", fewWords(1000))
	peak := func(rows int) int64 {
		request := jobRequest(n.hostile.mustUpload(fmt.Sprintf("%d.jsonl", rows), fewWords(rows)))
		request.ValidationFiles, request.Hyperparameters.Quality = []string{validation.ID}, new("fast")
		if _, err := n.hostile.train(t.Context(), request); err != nil {
			t.Fatal(err)
		}
		return lastTrainingPeak(n.process.Log(t))
	}
	few, many := peak(once), peak(4*once)
	t.Logf("%d rows took %d MiB, %d rows %d MiB", once, few>>20, 4*once, many>>20)
	if few == 0 || float64(many) > growth*float64(few) {
		t.Errorf("%d rows took %d bytes of memory, and %d rows %d", once, few, 4*once, many)
	}
}

// lastTrainingPeak is what a log tells of the training that ended last; 0: nothing.
func lastTrainingPeak(log []string) int64 {
	for _, line := range slices.Backward(log) {
		var ended struct {
			Peak int64 `json:"peak_memory_bytes"`
		}
		if json.Unmarshal([]byte(line), &ended) == nil && ended.Peak > 0 {
			return ended.Peak
		}
	}
	return 0
}

// fewWords are rows of forty labels and some thousand words, the same whatever their number.
func fewWords(number int) string {
	var text strings.Builder
	for i := range number {
		fmt.Fprintf(&text, `{"text": "do %d, then %d", "labels": {"intent": "label_%d"}}`+"\n", i%40, i/40%1000, i%40)
	}
	return text.String()
}
