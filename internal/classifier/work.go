package classifier

import "slices"

// What was measured of intents and emotions on one processor, in nanoseconds.
const (
	fixedWork    = 3e8 // a process that starts, and its files
	readingWork  = 400 // a byte that is read
	exampleWork  = 70  // a byte that a fit learns from
	labelWork    = 1.5 // a byte that a fit learns from, for each label
	wholeExample = 1000
	// restWork is what a byte beyond wholeExample takes of one before: of long texts fewer
	// n-grams are taken.
	restWork = 0.1
)

// Work is about how many seconds of one processor a training of that size takes.
func Work(s Size, h Hyperparameters) float64 {
	labels, most := 0, 0
	for _, target := range s.Targets {
		labels += len(target.Labels)
		most = max(most, len(target.Labels))
	}
	schedule := newSchedule(max(s.Examples, 1), most, s.TextBytes, h)
	passes := float64(schedule.updates) / float64(max(s.Examples, 1))
	if (int64(s.Examples)+int64(labels))*int64(labels) <= maxRepeatedWeights {
		passes = float64(schedule.descents)*passes + hingesPasses(newHeads(s.Targets))
	}
	learned := passes * (exampleWork + labelWork*float64(labels)) * (s.models() + s.folds())
	return (fixedWork + s.learnedBytes()*(readingWork+learned)) / 1e9
}

// hingesPasses are those of support vector machines.
func hingesPasses(heads []head) (passes float64) {
	if slices.ContainsFunc(heads, head.isSingleClass) {
		passes += hingePasses
	}
	if slices.ContainsFunc(heads, head.hasNBSVM) {
		passes += nbsvmPasses
	}
	return passes
}

// learnedBytes are those of the texts, the ends of long ones for less.
func (s Size) learnedBytes() float64 {
	whole := min(float64(s.TextBytes), wholeExample*float64(s.Examples))
	return whole + restWork*(float64(s.TextBytes)-whole)
}

// models are those that are fitted: a second one where examples are held out.
func (s Size) models() float64 {
	if s.Validated || s.Examples < fewestToDivide {
		return 1
	}
	return 2
}

// folds are how often little data is fitted again to be calibrated, when there are no
// validation examples.
func (s Size) folds() float64 {
	if s.Validated || s.Examples >= heldOutShare*enoughUnseen {
		return 0
	}
	return min(heldOutShare*enoughUnseen/float64(max(s.Examples, 1)), heldOutShare) - s.models() + 1
}
