package dataset

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// WarningReason is a stable code for what to look at before training.
type WarningReason string

// What valid samples may suffer from.
const (
	DuplicateSamples     WarningReason = "DuplicateSamples"
	ContradictingLabels  WarningReason = "ContradictingLabels" // of equal inputs
	DroppedLabels        WarningReason = "DroppedLabels"       // for MinSamplesPerLabel, or as only validation samples had them
	FewSamples           WarningReason = "FewSamples"          // to train a label on
	UntrainedLabels      WarningReason = "UntrainedLabels"     // that only test samples have
	UnmeasuredLabels     WarningReason = "UnmeasuredLabels"    // that no validation or no test sample has, where there shall be such
	Imbalance            WarningReason = "Imbalance"
	SimilarLabels        WarningReason = "SimilarLabels"        // as of typing errors
	OddNames             WarningReason = "OddNames"             // of labels, as programs write them that were not asked to
	NearDuplicateSamples WarningReason = "NearDuplicateSamples" // in what is to train on
	Leakage              WarningReason = "Leakage"              // of what is to train on into what is to validate or test
	SuspectLabels        WarningReason = "SuspectLabels"        // that those of similar samples speak against
	LongInputs           WarningReason = "LongInputs"           // that a server may cut
)

// Warning is something that valid data is better without. It may name targets
// and labels, never what is classified.
type Warning struct {
	Reason WarningReason
	Detail string
}

const (
	fewSamples     = 10 // below it a label is hardly learned, and hardly measured
	imbalanceRatio = 50 // beyond it accuracy hardly tells whether the rare label is learned
	typingRatio    = 10 // as many times more samples has a label than a mistyped one of it
	typingLength   = 5  // shorter words that differ by a letter are different words
)

// warnings looks at what the files have.
func (p *preparer) warnings() []Warning {
	var found []Warning
	warn := func(reason WarningReason, format string, args ...any) {
		found = append(found, Warning{Reason: reason, Detail: fmt.Sprintf(format, args...)})
	}
	if count := p.repeats.duplicates; count > 0 && !p.preparation.DropDuplicates {
		warn(DuplicateSamples, "samples that repeat the input and the labels of another: %d", count)
	}
	if count := p.repeats.contradictions; count > 0 {
		warn(ContradictingLabels, "samples that repeat the input of another, but not its labels: %d", count)
	}
	found = append(found, p.prepared.Findings.warnings()...)
	for _, target := range p.prepared.Report.Targets {
		kept := labelCounts(p.prepared.Targets, target.Name)
		if dropped := missing(target.Labels, kept); dropped.count > 0 {
			warn(DroppedLabels, "target %s: no sample is left of %s", quote(target.Name), dropped)
		}
		if len(kept) == 0 {
			continue
		}
		learned := labelCounts(p.files[train].targets, target.Name)
		if untrained := missing(kept, learned); untrained.count > 0 {
			warn(UntrainedLabels, "target %s: no sample to train on has %s", quote(target.Name), untrained)
		}
		if unmeasured := missing(kept, labelCounts(p.files[validation].targets, target.Name)); unmeasured.count > 0 && p.preparation.ValidationPercent > 0 {
			warn(UnmeasuredLabels, "target %s: no validation sample has %s", quote(target.Name), unmeasured)
		}
		if unmeasured := missing(kept, labelCounts(p.files[test].targets, target.Name)); unmeasured.count > 0 && p.preparation.TestPercent > 0 {
			warn(UnmeasuredLabels, "target %s: no test sample has %s", quote(target.Name), unmeasured)
		}
		if rare := few(learned); rare.count > 0 {
			warn(FewSamples, "target %s: there are fewer than %d samples to train on of %s", quote(target.Name), fewSamples, rare)
		}
		if common, rare := extremes(learned); common.Samples > imbalanceRatio*rare.Samples {
			warn(Imbalance, "target %s: %s has %d samples to train on, %s has %d",
				quote(target.Name), quote(common.Name), common.Samples, quote(rare.Name), rare.Samples)
		}
		if pairs := similar(kept); pairs.count > 0 {
			warn(SimilarLabels, "target %s: %s", quote(target.Name), pairs)
		}
		if several := joined(kept); several.count > 0 {
			warn(OddNames, "target %s: labels that are others, joined: %s. A separator takes them apart", quote(target.Name), several)
		}
		for kind, labels := range odd(kept) {
			if labels.count > 0 {
				warn(OddNames, "target %s: labels that look like %s: %s", quote(target.Name), oddNames[kind].what, labels)
			}
		}
	}
	return found
}

func labelCounts(targets []Target, name string) []LabelCount {
	for i := range targets {
		if targets[i].Name == name {
			return targets[i].Labels
		}
	}
	return nil
}

// missing returns the names of the labels that the others, which are sorted as
// they are, do not have.
func missing(labels, others []LabelCount) (found names) {
	for _, label := range labels {
		if !hasLabel(others, label.Name) {
			found.add(label.Name)
		}
	}
	return found
}

// hasLabel reports whether a label of the name is among the labels, which are sorted.
func hasLabel(labels []LabelCount, name string) bool {
	_, ok := slices.BinarySearchFunc(labels, name, func(label LabelCount, name string) int { return cmp.Compare(label.Name, name) })
	return ok
}

func few(labels []LabelCount) (found names) {
	for _, label := range labels {
		if label.Samples < fewSamples {
			found.add(label.Name)
		}
	}
	return found
}

// extremes returns the labels with the most and the fewest samples.
func extremes(labels []LabelCount) (common, rare LabelCount) {
	for i, label := range labels {
		if i == 0 || label.Samples > common.Samples {
			common = label
		}
		if i == 0 || label.Samples < rare.Samples {
			rare = label
		}
	}
	return common, rare
}

// similar returns pairs of labels that seem to mean one.
func similar(labels []LabelCount) (pairs names) {
	words := make([]string, len(labels))
	for i, label := range labels {
		words[i] = string(appendFolded(nil, label.Name))
	}
	for i, a := range labels {
		for j, b := range labels[:i] {
			rare, common := min(a.Samples, b.Samples), max(a.Samples, b.Samples)
			if words[i] == words[j] || common >= typingRatio*rare && oneLetterApart(words[i], words[j]) {
				pairs.add(b.Name, a.Name)
			}
		}
	}
	return pairs
}

// oneLetterApart reports whether a letter more, less or another makes one word
// the other, or two that change places. Digits are not mistyped but counted.
func oneLetterApart(a, b string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	if len(b) < typingLength || len(a)-len(b) >= utf8.UTFMax {
		return false
	}
	start := 0
	for start < len(b) && a[start] == b[start] {
		start++
	}
	end := 0
	for end < len(b)-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	if len(a)-end-start > 2*utf8.UTFMax {
		return false
	}
	restA, restB := []rune(a[start:len(a)-end]), []rune(b[start:len(b)-end])
	if slices.ContainsFunc(restA, unicode.IsDigit) || slices.ContainsFunc(restB, unicode.IsDigit) {
		return false
	}
	swapped := len(restA) == 2 && len(restB) == 2 && restA[0] == restB[1] && restA[1] == restB[0]
	return len(restA) <= 1 && len(restB) <= 1 || swapped
}

const (
	listedNames = 3
	quotedRunes = 40
)

// names are the first of many, and how many there are.
type names struct {
	listed []string
	count  int
}

// add adds a name, or several that belong together.
func (n *names) add(together ...string) {
	if n.count >= listedNames {
		n.count++
		return
	}
	quoted := make([]string, len(together))
	for i, name := range together {
		quoted[i] = quote(name)
	}
	n.addWords(strings.Join(quoted, " and "))
}

// addWords adds something that is no name.
func (n *names) addWords(words string) {
	if n.count++; n.count <= listedNames {
		n.listed = append(n.listed, words)
	}
}

func (n names) String() string {
	listed := strings.Join(n.listed, ", ")
	if more := n.count - len(n.listed); more > 0 {
		return fmt.Sprintf("%s and %d more", listed, more)
	}
	return listed
}

// quote quotes a name, shortened if it is long.
func quote(name string) string {
	if utf8.RuneCountInString(name) > quotedRunes {
		name = string([]rune(name)[:quotedRunes]) + "…"
	}
	return fmt.Sprintf("%q", name)
}
