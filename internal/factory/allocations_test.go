//go:build !race

package factory

import (
	"runtime"
	"strings"
	"testing"
)

// TestClassifyAllocatesPerRequest, not per text.
func TestClassifyAllocatesPerRequest(t *testing.T) {
	s := startServer(t, nil)
	model := s.train("rows.jsonl", manyIntents())
	few, many := testing.AllocsPerRun(20, s.classification(model, 100)), testing.AllocsPerRun(20, s.classification(model, 1000))
	if perText := (many - few) / 900; perText > 0.05 {
		t.Errorf("%.2f allocations per text: %.0f for 100 and %.0f for 1000", perText, few, many)
	}
}

// TestLongAnswersTakeLittleMemory: with long labels a short request has a long one.
func TestLongAnswersTakeLittleMemory(t *testing.T) {
	s := startServer(t, nil)
	classify := s.classification(s.train("intents.jsonl", strings.NewReplacer("light", strings.Repeat("l", 256), "music", strings.Repeat("m", 256)).Replace(intents(20))), 50_000)
	classify()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	classify() // some 30 MB
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
		t.Errorf("%d bytes", took)
	}
}
