package dataset

// Limits bound what is accepted, so that hostile data costs neither memory nor
// time. Start from DefaultLimits.
type Limits struct {
	SourceBytes       int64 // as they are stored, compressed or not
	DecompressedBytes int64 // of all files together
	CompressionRatio  int64 // decompressed bytes for each stored one; the first MiB is free
	LineBytes         int   // of a row, without its line end
	Depth             int   // nested objects and arrays of a row, the row's own object included
	Samples           int
	Targets           int
	LabelsPerTarget   int
	LabelBytes        int   // of a label, and of a target's name
	FileBytes         int64 // of a prepared file
}

// DefaultLimits are far above what classifiers are trained on.
func DefaultLimits() Limits {
	return Limits{
		SourceBytes:       5 << 30, // ten of the largest files: they may be sampled down
		DecompressedBytes: 5 << 30,
		CompressionRatio:  200,     // ten times that of labelled texts
		LineBytes:         1 << 20, // 16 times an English text of 16384 tokens, the longest a hosted model reads
		Depth:             64,
		Samples:           10_000_000, // of 50 bytes make the largest file
		Targets:           20,         // what a dataset's status lists
		LabelsPerTarget:   4096,
		LabelBytes:        256,
		FileBytes:         512 << 20, // the protocol's largest
	}
}
