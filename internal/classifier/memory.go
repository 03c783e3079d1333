package classifier

import "slices"

// Size is what the memory of a training depends on.
type Size struct {
	Examples  int   // for training
	TextBytes int64 // of them
	Targets   []Target
	Validated bool // whether there are validation examples
	Quality   Quality
	Dimension int // of the base model's vectors; zero when there are none
}

const (
	// fixedMemory is what every training takes: the samples that stay in memory, tables by
	// slot, buffers, calibration and the runtime.
	fixedMemory = 56 << 20
	// fixedDenseMemory is what every training with a base model takes beside.
	fixedDenseMemory = 48 << 20
	// slotsPerByte are more n-grams than a byte of text begins.
	slotsPerByte = 8
	// weightBytes are those of a weight in training; in a model it is one.
	weightBytes = 4
)

// MemoryNeeded is how many bytes of memory suffice for a training of that size, without
// the program and the caller's own. It does not grow with the examples once these have
// all the features that there can be.
func MemoryNeeded(s Size) int64 {
	labels := 0
	for _, target := range s.Targets {
		labels += len(target.Labels)
	}
	labels = max(labels, 1)
	features := min(slots, maxWeights/int64(labels), slotsPerByte*(s.TextBytes+int64(s.Examples)))
	models := int64(s.models())
	weights := models * onceFitted(features*int64(labels))
	if (int64(s.Examples)+int64(labels))*int64(labels) <= maxRepeatedWeights {
		// There may turn out to be few enough features to fit them repeatedly.
		repeated := min(features*int64(labels), maxRepeatedWeights)
		weights = max(weights, repeatedlyFitted(repeated, models, s))
	}
	return fixedMemory + weights + denseMemory(int64(s.Dimension), int64(labels), models)
}

// denseMemory are samples, texts and margins, the vectors of the labels' names, and the
// weights of each fit.
func denseMemory(dimension, labels, models int64) int64 {
	if dimension == 0 {
		return 0
	}
	return fixedDenseMemory + dimension*labels*weightBytes*(models+1)
}

// onceFitted is a descent's weights and what becomes of them.
func onceFitted(weights int64) int64 {
	return weights * (weightBytes + 1)
}

// repeatedlyFitted are the weights of all fits, naive Bayes and their mean, and the odds of
// NB-SVM.
func repeatedlyFitted(weights, models int64, s Size) int64 {
	fits, others := models*int64(s.Quality.descents()), int64(2)
	heads := newHeads(s.Targets)
	if slices.ContainsFunc(heads, head.isSingleClass) {
		fits += models
	}
	if slices.ContainsFunc(heads, head.hasNBSVM) {
		fits, others = fits+models, others+1
	}
	return weights * (weightBytes*(fits+others) + models)
}
