package dataset

// Limits bound what is accepted, so that hostile data costs neither memory nor
// time. Start from DefaultLimits.
type Limits struct {
	LineBytes       int // of a row, without its line end
	Depth           int // nested objects and arrays of a row, the row's own object included
	Samples         int
	Targets         int
	LabelsPerTarget int
	LabelBytes      int // of a label, and of a target's name
}

// DefaultLimits are far above what classifiers are trained on.
func DefaultLimits() Limits {
	return Limits{
		LineBytes:       1 << 20, // 16 times an English text of 16384 tokens, the longest a hosted model reads
		Depth:           64,
		Samples:         10_000_000, // a 512 MB file, the protocol's largest, of rows of 50 bytes
		Targets:         64,
		LabelsPerTarget: 4096,
		LabelBytes:      256,
	}
}
