package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"
)

// Preparation is what happens to samples between reading and training. The zero
// Preparation passes valid samples through, in their order and byte for byte.
//
// Inputs are the same if nothing distinguishes them but case, white space,
// punctuation and how Unicode encodes their characters.
//
// With anything else than SkipInvalid and MaxInvalidPercent the samples are
// written in the order of a hash of their input and the seed. The files are thus
// the same whatever the order of the source, if no row contradicts another: of
// those the first is valid.
type Preparation struct {
	// SkipInvalid leaves invalid samples out, as long as there are no more than
	// MaxInvalidPercent of all, and no more bytes in them. Without it one is too many.
	SkipInvalid       bool
	MaxInvalidPercent int

	// DropDuplicates keeps one of the samples with the same input and equal labels:
	// that of which a hash of the row is smallest.
	DropDuplicates bool

	// MinSamplesPerLabel takes labels with fewer samples out of lists of labels,
	// and drops samples of which a target would be left without label. What a
	// label has is counted once, after duplicates and before anything is dropped.
	MinSamplesPerLabel int

	// MaxSamplesPerLabel drops samples of which every label has as many already.
	// With one label a sample that is exact; a sample kept for the sake of a rare
	// label also counts for, and may exceed, a common one.
	MaxSamplesPerLabel int

	// ValidationPercent and TestPercent of the inputs are set aside. Each input
	// has the same chance, so that each label of each target has about the same
	// share of every split. No input moves because others come or go, and samples with
	// the same input are never parted. What is to validate a label that no sample to
	// train on has is dropped.
	ValidationPercent, TestPercent int

	// Stratified sets inputs aside so that each label of each target has its share of
	// every split, and a sample in each of it if it has enough inputs. Inputs may move
	// when others come or go.
	Stratified bool

	Seed int64
}

// sorts reports whether the samples' order becomes that of their hashes.
func (p *Preparation) sorts() bool {
	return p.DropDuplicates || p.MinSamplesPerLabel > 1 || p.MaxSamplesPerLabel > 0 || p.ValidationPercent > 0 || p.TestPercent > 0
}

// ScratchBytes is about how much scratch it takes to prepare a source of a size: its
// files and, if samples are sorted, the sorted runs, in which a short row weighs
// its own size more for its key. Compressed sources and CSV take more.
func (p *Preparation) ScratchBytes(sourceBytes int64) int64 {
	if !p.sorts() {
		return sourceBytes
	}
	return sourceBytes + sourceBytes*2
}

// maxInvalid is how many of so many samples, or bytes, may be invalid.
func (p *Preparation) maxInvalid(read int64) int64 {
	if !p.SkipInvalid {
		return 0
	}
	return read * int64(p.MaxInvalidPercent) / 100
}

// Prepared is what a preparation made. Every sample that was read is in a file,
// or is counted by Duplicates, Dropped or the report's Invalid and Filtered.
type Prepared struct {
	// Report is of the samples as they were read. Its Problem says why there are
	// no files. SizeBytes and Digest, which are of the source's bytes, are left to
	// whoever reads them.
	Report     Report
	Targets    []Target // of the samples in the files
	Duplicates int      // samples left out for being one
	Dropped    int      // samples left out for the sake of samples per label, or that nothing can be validated on
	Warnings   []Warning
	Findings   Findings       // of the samples in the files
	Files      []PreparedFile // in the order of the splits; those without samples are left out
}

// Close removes the files.
func (p *Prepared) Close() error {
	var errs []error
	for _, file := range p.Files {
		errs = append(errs, scratchError(file.file.Close()))
	}
	p.Files = nil
	return errors.Join(errs...)
}

// Prepare reads everything once and prepares it, in bounded memory: what exceeds
// that goes to scratch. What is wrong with the data is in the report; the error
// is that of the reader, the context or the scratch. The Prepared has to be closed.
func Prepare(ctx context.Context, samples SampleReader, preparation Preparation, scratch Scratch, limits Limits) (*Prepared, error) {
	return newPreparer(ctx, preparation, scratch, limits).prepare(samples)
}

// preparer is a preparation at work.
type preparer struct {
	ctx          context.Context
	preparation  Preparation
	scratch      Scratch
	maxFileBytes int64
	census       *Census
	hasher       inputHasher
	repeats      repeats
	doubts       doubts
	inspector    inspector
	entry        entry // of the sample being read
	sorter       sorter
	selection    selection
	combinations *combinations // if the split is stratified

	maxCombinationsBytes int
	files                [len(splits)]splitWriter
	prepared             Prepared
}

func newPreparer(ctx context.Context, preparation Preparation, scratch Scratch, limits Limits) *preparer {
	return &preparer{
		ctx:          ctx,
		preparation:  preparation,
		scratch:      scratch,
		maxFileBytes: limits.FileBytes,
		census:       NewCensus(limits),
		hasher:       newInputHasher(preparation.Seed),
		inspector:    newInspector(),
		sorter:       sorter{scratch: scratch, maxBytes: sortBytes},
		selection:    selection{maxSamples: preparation.MaxSamplesPerLabel, decoder: newDecoder(limits)},

		maxCombinationsBytes: combinationsBytes,
	}
}

// prepare leaves no file open but those of what it returns.
func (p *preparer) prepare(samples SampleReader) (*Prepared, error) {
	err := errors.Join(p.run(samples), p.sorter.close(), p.combinations.close())
	if err != nil || p.prepared.Report.Problem != nil {
		err = errors.Join(err, closeAll(p.files[:]))
	}
	if err != nil {
		return nil, err
	}
	return &p.prepared, nil
}

func (p *preparer) run(samples SampleReader) error {
	report := &p.prepared.Report
	if err := report.collect(p.ctx, samples, p.census, p.take); err != nil {
		return err
	}
	report.refuseInvalid(&p.preparation)
	if report.Problem != nil {
		return nil
	}
	if p.preparation.sorts() {
		if err := p.arrange(); err != nil {
			return err
		}
	}
	p.describe()
	if report.Problem != nil {
		return nil
	}
	return p.finish()
}

// take writes a sample that was read, or puts it in for sorting.
func (p *preparer) take(sample *Sample) error {
	if p.prepared.Report.Invalid > 0 && !p.preparation.SkipInvalid {
		return nil // there will be no files
	}
	p.hasher.read(sample)
	p.doubts.add(sample)
	e := &p.entry
	e.input = p.hasher.input()
	p.repeats.add(e.input, p.census.row)
	e.from = p.inspector.read(sample, &p.hasher, e.input, p.census.row)
	e.row = sample.Raw
	e.labels = e.labels[:0]
	labels := uint64(0) // a sum of hashes, because the order of a list says nothing
	for _, label := range p.census.row {
		e.labels = append(e.labels, label.number)
		labels += label.hash
	}
	if !p.preparation.sorts() {
		return p.write(train, e)
	}
	order, split := p.hasher.hash()
	e.key = makeEntryKey(order, split, labels, xxhash.Sum64(sample.Raw))
	return p.sorter.add(e)
}

// write writes a sample to the file of a split.
func (p *preparer) write(split int, e *entry) error {
	p.inspector.place(split, e)
	return p.files[split].write(p.scratch, e)
}

// refuseInvalid makes a problem of more invalid samples than the preparation skips.
func (r *Report) refuseInvalid(preparation *Preparation) {
	if r.Ended {
		return // too early to tell
	}
	read, readBytes := int64(r.Samples+r.Invalid), r.Bytes+r.InvalidBytes
	most, mostBytes := preparation.maxInvalid(read), preparation.maxInvalid(readBytes)
	switch {
	case int64(r.Invalid) > most:
		r.Problem = &InvalidDatasetError{Reason: TooManyInvalid,
			Detail: fmt.Sprintf("%d of %d samples are invalid; at most %d may be", r.Invalid, read, most)}
	case r.InvalidBytes > mostBytes:
		r.Problem = &InvalidDatasetError{Reason: TooManyInvalid,
			Detail: fmt.Sprintf("%d of %d bytes are in invalid samples; at most %d may be", r.InvalidBytes, readBytes, mostBytes)}
	}
}

// arrange writes the samples that are kept, in the order of their keys.
func (p *preparer) arrange() error {
	if err := p.findRareLabels(); err != nil {
		return err
	}
	if err := p.stratify(); err != nil {
		return err
	}
	err := p.walkSplit(p.write)
	if err != nil || !slices.ContainsFunc(p.selection.labels, p.onlyValidates) {
		return err
	}
	return p.writeValidationAgain()
}

// writeValidationAgain leaves samples out that have a label which no sample to train
// on has: a model that was not taught it cannot be validated on it, and a factory
// refuses to try.
func (p *preparer) writeValidationAgain() error {
	writer := &p.files[validation]
	if err := writer.close(); err != nil {
		return err
	}
	*writer = splitWriter{}
	return p.walkSplit(func(split int, e *entry) error {
		if split != validation {
			return nil
		}
		for _, label := range e.labels {
			if p.files[train].samplesOf(p.selection.labels[label]) == 0 {
				p.prepared.Dropped++
				p.inspector.place(unplaced, e)
				return nil
			}
		}
		return writer.write(p.scratch, e)
	})
}

func (p *preparer) onlyValidates(label *labelCensus) bool {
	return p.files[validation].samplesOf(label) > 0 && p.files[train].samplesOf(label) == 0
}

// stratify decides in which splits the samples are, unless each decides it for itself.
func (p *preparer) stratify() (err error) {
	if !p.preparation.Stratified || p.preparation.ValidationPercent+p.preparation.TestPercent == 0 {
		return nil
	}
	if p.combinations, err = newCombinations(p.scratch, p.selection.labels, &p.preparation, p.maxCombinationsBytes); err != nil {
		return err
	}
	if err := p.walkKept(p.combinations.add); err != nil {
		return err
	}
	if err := p.combinations.finish(); err != nil {
		return err
	}
	stratify(p.combinations, &p.preparation)
	return nil
}

// walkSplit passes on the samples that the selection keeps, and the splits they are in.
func (p *preparer) walkSplit(use func(split int, e *entry) error) error {
	if p.combinations == nil {
		return p.walkKept(func(e *entry) error { return use(p.preparation.splitOf(e.key.split()), e) })
	}
	reader := p.combinations.reader()
	return p.walkKept(func(e *entry) error {
		split, err := reader.next(e)
		if err != nil {
			return err
		}
		return use(split, e)
	})
}

// walkKept passes on the samples that the selection keeps.
func (p *preparer) walkKept(use func(*entry) error) error {
	p.prepared.Dropped, p.selection.kept = 0, nil
	return p.walk(func(e *entry) error {
		kept, err := p.selection.keep(e)
		if err != nil {
			return err
		}
		if !kept {
			p.prepared.Dropped++
			return nil
		}
		return use(e)
	})
}

// walk passes on all samples but duplicates, if those are to be dropped.
func (p *preparer) walk(use func(*entry) error) error {
	p.prepared.Duplicates = 0
	var last entryKey
	first := true
	return p.sorter.walk(func(e *entry) error {
		if err := p.ctx.Err(); err != nil {
			return err
		}
		if len(e.labels) == 0 || slices.Max(e.labels) >= p.census.labels {
			return errAltered // and its labels would be out of range
		}
		if p.preparation.DropDuplicates && !first && bytes.Equal(e.key.sample(), last.sample()) {
			p.prepared.Duplicates++
			return nil
		}
		last, first = e.key, false
		return use(e)
	})
}

// findRareLabels tells the selection which labels have too few samples.
func (p *preparer) findRareLabels() error {
	p.selection.labels = p.census.numbered()
	if p.preparation.MinSamplesPerLabel <= 1 {
		return nil
	}
	samples := make([]int, len(p.selection.labels))
	for i, label := range p.selection.labels {
		samples[i] = label.samples
	}
	if p.preparation.DropDuplicates {
		clear(samples)
		err := p.walk(func(e *entry) error {
			for _, label := range e.labels {
				samples[label]++
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	p.selection.rare = make([]bool, len(samples))
	for i := range samples {
		p.selection.rare[i] = samples[i] < p.preparation.MinSamplesPerLabel
	}
	return nil
}

// describe says what the files have, or why they are of no use.
func (p *preparer) describe() {
	p.prepared.Targets = p.census.targetsCounted(func(label *labelCensus) (samples int) {
		for i := range p.files {
			samples += p.files[i].samplesOf(label)
		}
		return samples
	})
	for i := range p.files {
		p.files[i].targets = p.census.targetsCounted(p.files[i].samplesOf)
	}
	if problem := problemOf(p.files[train].samples, p.files[train].targets); problem != nil {
		problem.Detail = "in what the preparation leaves to train on " + problem.Detail
		p.prepared.Report.Problem = problem
		return
	}
	if problem := p.tooLarge(); problem != nil {
		p.prepared.Report.Problem = problem
		return
	}
	p.prepared.Findings = p.inspector.findings(p.census)
	p.prepared.Findings.Duplicates, p.prepared.Findings.Contradictions = p.repeats.duplicates, p.repeats.contradictions
	p.prepared.Warnings = p.warnings()
}

// tooLarge says which file nobody would take.
func (p *preparer) tooLarge() *InvalidDatasetError {
	for i := range p.files {
		if size := p.files[i].size; size > p.maxFileBytes {
			return &InvalidDatasetError{Reason: FileTooLarge,
				Detail: fmt.Sprintf("the %s file has %d bytes; it may have %d. Keep fewer samples, such as by maxSamplesPerLabel, or make several datasets of them", splits[i], size, p.maxFileBytes)}
		}
	}
	return nil
}

// finish hands the files over.
func (p *preparer) finish() error {
	var files []PreparedFile
	for i := range p.files {
		if p.files[i].samples == 0 {
			continue
		}
		file, err := p.files[i].finish(splits[i])
		if err != nil {
			return err
		}
		files = append(files, file)
	}
	p.prepared.Files = files
	return nil
}
