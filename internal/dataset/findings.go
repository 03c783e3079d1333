package dataset

import (
	"fmt"
	"sync"
)

// Findings are what there is to know of samples before they are trained on. They name
// where samples are, and targets and labels, never what is classified.
type Findings struct {
	Duplicates     int // samples that repeat the input and the labels of another
	Contradictions int // samples that repeat the input of another, but not its labels

	Bytes    Lengths // of the inputs of all valid samples
	TooLong  int     // inputs of more than LongInputBytes
	Examined int     // samples that all below is about: those that are kept, or 8192 to 16384 of more
	Words    Lengths // of their inputs

	NearDuplicates NearDuplicates
	SuspectCount   int
	Suspects       []LabelSuspect // those first whose labels are the least likely
}

// LongInputBytes is about what the 16384 tokens of an English text have that the
// protocol's hosted service reads. This project's factory reads texts whole.
const LongInputBytes = 64 << 10

// warnings are what of the findings is worth a look before training.
func (f *Findings) warnings() (found []Warning) {
	warn := func(reason WarningReason, format string, args ...any) {
		found = append(found, Warning{Reason: reason, Detail: fmt.Sprintf(format, args...)})
	}
	for _, split := range []Split{Validation, Test} { // into which the same never comes
		repeats := f.NearDuplicates.Splits[split]
		if 100*repeats.Near > manyNearPercent*repeats.Examined {
			warn(Leakage, "of %d samples of %s, %d are nearly the same as one of Train: but for a word, or one in ten",
				repeats.Examined, split, repeats.Near)
		}
	}
	repeats := f.NearDuplicates.Splits[Train]
	if 100*repeats.Near > manyNearPercent*repeats.Examined {
		warn(NearDuplicateSamples, "of %d samples of Train, %d are nearly the same as another: but for a word, or one in ten", repeats.Examined, repeats.Near)
	}
	if 100*f.SuspectCount > manySuspectsPercent*f.Examined {
		warn(SuspectLabels, "of %d samples, %d have a label that those of similar ones speak against", f.Examined, f.SuspectCount)
	}
	if f.TooLong > 0 {
		warn(LongInputs, "inputs of more than %d bytes, about 16384 tokens, of which a hosted service reads no more: %d", LongInputBytes, f.TooLong)
	}
	return found
}

// What is not worth a warning is in most data: people ask for the same in nearly the same
// words, and no labels are without errors.
const (
	manyNearPercent     = 10
	manySuspectsPercent = 3
)

// inspector looks at the samples as they pass.
type inspector struct {
	origins  origins
	bytes    lengthCounts
	words    lengthCounts
	tooLong  int
	reader   wordReader
	examined examined
}

func newInspector() inspector {
	return inspector{examined: newExamined(maxExamined)}
}

// read looks at a sample that was read and hashed.
func (i *inspector) read(sample *Sample, hasher *inputHasher, input uint64, labels []*labelCensus) origin {
	from := i.origins.of(sample)
	length := inputBytes(sample)
	i.bytes.add(length)
	if length > LongInputBytes {
		i.tooLong++
	}
	if i.examined.takes(input) {
		words, count := i.reader.read(sample, hasher)
		i.examined.add(input, from, words, count, labels)
	}
	return from
}

// place notes which file a sample is in.
func (i *inspector) place(split int, e *entry) {
	i.examined.place(e.input, e.from, split)
}

// findings compares the samples that are in files.
func (i *inspector) findings(census *Census) Findings {
	found := Findings{Bytes: i.bytes.result(), TooLong: i.tooLong}
	for row := range i.examined.rows {
		if i.examined.rows[row].split != unplaced {
			found.Examined++
			i.words.add(int(i.examined.rows[row].count))
		}
	}
	found.Words = i.words.result()
	vocabulary := newVocabulary(&i.examined)
	var near sync.WaitGroup // beside the suspects, where there is a second processor
	near.Go(func() { found.NearDuplicates = newNearDuplicates(&i.examined, vocabulary).find(&i.origins) })
	i.findSuspects(census, vocabulary, &found)
	near.Wait()
	return found
}

func (i *inspector) findSuspects(census *Census, vocabulary *vocabulary, found *Findings) {
	labels, names := census.numbered(), census.names()
	for _, target := range census.targets {
		if target.multi {
			continue
		}
		suspects, count := i.examined.suspects(target, vocabulary, labels, maxScores/len(census.targets))
		found.SuspectCount += count
		for _, suspect := range suspects {
			found.Suspects = append(found.Suspects, LabelSuspect{
				Sample:     i.origins.position(i.examined.rows[suspect.row].from),
				Target:     target.name,
				Given:      names[suspect.given],
				Suggested:  names[suspect.suggested],
				Confidence: suspect.confidence,
			})
		}
	}
}
