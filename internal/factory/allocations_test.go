//go:build !race

package factory

import "testing"

// TestClassifyAllocatesPerRequest, not per text.
func TestClassifyAllocatesPerRequest(t *testing.T) {
	s := startServer(t, nil)
	model := s.train("rows.jsonl", manyIntents())
	few, many := testing.AllocsPerRun(20, s.classification(model, 100)), testing.AllocsPerRun(20, s.classification(model, 1000))
	if perText := (many - few) / 900; perText > 0.05 {
		t.Errorf("%.2f allocations per text: %.0f for 100 and %.0f for 1000", perText, few, many)
	}
}
