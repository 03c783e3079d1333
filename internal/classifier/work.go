package classifier

import (
	"math"
	"slices"
)

// What was measured of intents, emotions, documents and conversations on one processor, in
// nanoseconds.
const (
	fixedWork   = 2e8 // a process that starts, and its files
	readingWork = 400 // a byte: n-grams are taken a few times
	tableWork   = 40  // a weight: counts, their logarithms, mixing

	// A fit takes so much of an example, of each of its features, more where the weights do not
	// fit a processor's cache, of each label, and of each feature for each label.
	descentWork, hingeWork = 2300, 4000
	featureWork, missWork  = 6, 70
	labelWork              = 48
	pairWork, nbsvmPair    = 0.5, 1.0

	cachedWeights = 1 << 20
	// A text has so many features for each byte up to shortBytes, and beyond.
	shortFeatures, longFeatures = 2.5, 0.12
	shortBytes                  = 400
	// Vocabularies grow by Heaps' law. What occurs once counts where examples are few.
	usualVocabulary, vocabularyGrowth, rareVocabulary = 14, 0.6, 3
)

// Work is about how many seconds of one processor a training of that size takes.
func Work(s Size, h Hyperparameters) float64 {
	w := newWorkload(s, h)
	nanoseconds := fixedWork + readingWork*w.readBytes() + w.fits()*(w.fit()+tableWork*w.weights()) + w.curve()
	return nanoseconds / 1e9
}

// workload is what is known of a training before its texts are read.
type workload struct {
	size                     Size
	examples, labels, most   int // labels of all targets, and of the one that has most
	hyperparameters          Hyperparameters
	features, vocabularySize float64 // of an example, of all
}

func newWorkload(s Size, h Hyperparameters) *workload {
	w := &workload{size: s, examples: max(s.Examples, 1), hyperparameters: h}
	for _, target := range s.Targets {
		w.labels += len(target.Labels)
		w.most = max(w.most, len(target.Labels))
	}
	w.labels = max(w.labels, 1)
	bytes := float64(s.TextBytes) / float64(w.examples)
	w.features = shortFeatures*min(bytes, shortBytes) + longFeatures*max(bytes-shortBytes, 0)
	w.vocabularySize = usualVocabulary * math.Pow(float64(s.TextBytes), vocabularyGrowth)
	if s.Examples < rareFromDocuments {
		w.vocabularySize *= rareVocabulary
	}
	w.vocabularySize = min(w.vocabularySize, slots, maxWeights/float64(w.labels))
	return w
}

// readBytes are those of the texts, the ends of long ones for less: of these fewer n-grams
// are taken.
func (w *workload) readBytes() float64 {
	whole := min(float64(w.size.TextBytes), mostCharacters*float64(w.examples))
	return whole + (float64(w.size.TextBytes)-whole)/4
}

func (w *workload) weights() float64 { return w.vocabularySize * float64(w.labels) }

// repeated tells whether there is likely to be memory for several fits.
func (w *workload) repeated() bool {
	return max(w.vocabularySize, float64(w.examples+w.labels))*float64(w.labels) <= maxRepeatedWeights
}

// fits are how often weights are fitted to about all examples.
func (w *workload) fits() float64 { return w.size.models() + w.size.folds() }

// fit is one time, by all that a mean is of.
func (w *workload) fit() float64 {
	schedule := newSchedule(w.examples, w.most, w.size.TextBytes, w.hyperparameters)
	if !w.repeated() {
		return float64(schedule.updates) * w.update()
	}
	work := float64(schedule.descents*schedule.updates) * w.update()
	heads := newHeads(w.size.Targets)
	if slices.ContainsFunc(heads, head.isSingleClass) {
		work += hingePasses * w.pass(pairWork)
	}
	if slices.ContainsFunc(heads, head.hasNBSVM) {
		work += nbsvmPasses * w.pass(nbsvmPair)
	}
	return work
}

// update is one of a descent, which leaves a part of the features out.
func (w *workload) update() float64 {
	kept := w.features * (1 - droppedShare(w.examples, w.labels))
	return descentWork + labelWork*float64(w.labels) + featureWork*w.features + kept*w.feature(pairWork)
}

// pass is one of a support vector machine over all examples.
func (w *workload) pass(pairWork float64) float64 {
	return float64(w.examples) * (hingeWork + w.features*(featureWork+w.feature(pairWork)))
}

// feature is what its weights take.
func (w *workload) feature(pairWork float64) float64 {
	missed := 1 - min(cachedWeights/w.weights(), 1)
	return missWork*missed + pairWork*float64(w.labels)
}

// curve is that of the learning curve, if it is drawn.
func (w *workload) curve() (work float64) {
	if !w.size.Validated && w.examples < heldOutShare*fewestForCurve || !w.repeated() || !w.hyperparameters.Quality.hasCurve() {
		return 0
	}
	for _, oneOf := range curveParts {
		part := curveSchedule(max(w.examples/oneOf, 1), w.most, w.size.TextBytes/int64(oneOf), w.hyperparameters)
		work += float64(part.updates) * w.update()
	}
	return work
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
	missing := heldOutShare*enoughUnseen/float64(max(s.Examples, 1)) - s.models() + 1
	return math.Ceil(min(missing, heldOutShare-s.models()+1))
}
