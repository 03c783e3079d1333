package dataset

import "math/bits"

// Lengths says how long inputs are. Median and P95 are within a sixteenth.
type Lengths struct {
	Min, Median, P95, Max int
}

// lengthCounts counts lengths: each up to exactLengths by itself, longer ones by their
// first five bits.
type lengthCounts struct {
	counts   [exactLengths + 48*16]int
	total    int
	min, max int
}

const exactLengths = 256

func (l *lengthCounts) add(length int) {
	if l.total == 0 || length < l.min {
		l.min = length
	}
	l.max = max(l.max, length)
	l.total++
	l.counts[min(lengthBucket(length), len(l.counts)-1)]++
}

func lengthBucket(length int) int {
	if length < exactLengths {
		return length
	}
	shift := bits.Len(uint(length)) - 5
	return exactLengths + 16*(shift-4) + length>>shift&15
}

// lengthOf is the least length of a bucket.
func lengthOf(bucket int) int {
	if bucket < exactLengths {
		return bucket
	}
	bucket -= exactLengths
	return (16 + bucket%16) << (bucket/16 + 4)
}

func (l *lengthCounts) result() Lengths {
	return Lengths{Min: l.min, Median: l.quantile(50), P95: l.quantile(95), Max: l.max}
}

// quantile is the length that so many of a hundred inputs do not exceed.
func (l *lengthCounts) quantile(percent int) int {
	wanted := (l.total*percent + 99) / 100
	for bucket, count := range l.counts {
		if wanted -= count; count > 0 && wanted <= 0 {
			return min(max(lengthOf(bucket), l.min), l.max)
		}
	}
	return l.max
}

// inputBytes is the length of what a sample classifies.
func inputBytes(sample *Sample) int {
	length := len(sample.Text)
	for i := range sample.Messages {
		length += len(sample.Messages[i].Content)
	}
	return length
}
