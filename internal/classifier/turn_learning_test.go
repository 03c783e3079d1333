package classifier

import "testing"

func TestConversationsAreSampled(t *testing.T) {
	const labels = 12
	for _, test := range []struct {
		reason          string
		examples, words int
		least, most     int
	}{
		{"a few are all taken", 3000, 10, 3000, 3000},
		{"of many, some", 100_000, 10, maxConversations / 3, maxConversations},
		{"of long ones, fewer", 5000, maxTurnFeatures / 1000, 300, 1000},
	} {
		t.Run(test.reason, func(t *testing.T) {
			l := &turnLearner{oneOf: 1}
			turns := []turn{{words: vector{make([]uint32, test.words), make([]float32, test.words)}}}
			for i := range int32(test.examples) {
				if number := conversationNumber(i); number%l.oneOf == 0 {
					l.add(number, [][]int{{int(i) % labels}}, turns)
				}
			}
			if n := len(l.conversations); n < test.least || n > test.most {
				t.Fatalf("%d conversations", n)
			}
			var ofFold [turnFolds]int
			var ofLabel [labels]int
			for _, c := range l.conversations {
				ofFold[c.fold()]++
				ofLabel[c.labels[0][0]]++
			}
			for fold, count := range ofFold {
				if count < len(l.conversations)/turnFolds/2 {
					t.Errorf("fold %d has %d of %d", fold, count, len(l.conversations))
				}
			}
			for label, count := range ofLabel {
				if count < len(l.conversations)/labels/2 {
					t.Errorf("label %d has %d of %d", label, count, len(l.conversations))
				}
			}
		})
	}
}
