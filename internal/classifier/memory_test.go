package classifier

import "testing"

func TestMemoryNeeded(t *testing.T) {
	const mebibyte = 1 << 20
	target := func(labels int) []Target { return []Target{{Labels: make([]string, labels), Loss: SingleClass}} }
	for _, test := range []struct {
		reason      string
		size        Size
		least, most int64 // mebibytes
	}{
		{"a handful of rows takes what is fixed", Size{Examples: 10, TextBytes: 500, Targets: target(3)}, 56, 57},
		{"two labels are few weights", Size{Examples: 16_000_000, TextBytes: 500 * mebibyte, Targets: target(2), Validated: true}, 56, 60},
		{"many labels are the more weights", Size{Examples: 1_000_000, TextBytes: 500 * mebibyte, Targets: target(10_000), Validated: true}, 320, 400},
		{"held-out examples take weights of their own", Size{Examples: 1_000_000, TextBytes: 500 * mebibyte, Targets: target(10_000)}, 600, 704},
		{"the most fits, and NB-SVM, take the most of all", Size{Examples: 40_000, TextBytes: 500 * mebibyte, Targets: target(50), Quality: QualityBest}, 600, 696},
		{"several fits take several times the weights", Size{Examples: 9000, TextBytes: 500_000, Targets: target(77), Validated: true}, 200, 240},
	} {
		t.Run(test.reason, func(t *testing.T) {
			got := MemoryNeeded(test.size)
			if got < test.least*mebibyte || got > test.most*mebibyte {
				t.Errorf("%d MiB, want %d to %d", got/mebibyte, test.least, test.most)
			}
			test.size.Examples, test.size.TextBytes = 4*test.size.Examples, 4*test.size.TextBytes
			if more := MemoryNeeded(test.size); test.size.TextBytes > mebibyte*1000 && more != got {
				t.Errorf("four times the rows need %d MiB instead of %d", more/mebibyte, got/mebibyte)
			}
		})
	}
}
