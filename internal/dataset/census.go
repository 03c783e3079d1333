package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// TargetType tells how a target's labels are written, and thus learned.
type TargetType string

// The target types. A target has one.
const (
	SingleLabel TargetType = "SingleLabel" // exactly one label a row: a string
	MultiLabel  TargetType = "MultiLabel"  // one or more labels a row: a list
)

// Target is what a dataset has of a target.
type Target struct {
	Name   string
	Type   TargetType
	Labels []LabelCount // by name
}

// LabelCount is how many samples have a label.
type LabelCount struct {
	Name    string
	Samples int
}

// Census counts the labels of a dataset, and finds rows that contradict those before.
type Census struct {
	limits    Limits
	inputType InputType
	samples   int
	targets   []*targetCensus // in the order in which they were first seen
	labels    uint32          // of all targets
	row       []*labelCensus  // the labels of the row last added; while it is being added, nil: not seen before
}

type targetCensus struct {
	number uint64 // from 0
	name   string
	multi  bool
	labels map[string]*labelCensus
}

type labelCensus struct {
	number  uint32 // from 0, over all targets
	target  *targetCensus
	hash    uint64 // of the target's and the label's name
	samples int
}

// NewCensus returns an empty census.
func NewCensus(limits Limits) *Census {
	return &Census{limits: limits}
}

// Add counts the sample, or says by an *InvalidSampleError why it contradicts
// earlier ones, and then counts nothing of it.
func (c *Census) Add(sample *Sample) error {
	if reason, detail := c.check(sample); reason != "" {
		return &InvalidSampleError{Part: sample.Part, Line: sample.Line, Reason: reason, Detail: detail, Bytes: sample.Bytes}
	}
	c.samples++
	c.inputType = sample.InputType()
	known := c.row
	for i := range sample.Labels {
		labels := &sample.Labels[i]
		c.count(labels, known[:len(labels.Labels)])
		known = known[len(labels.Labels):]
	}
	return nil
}

// check looks the sample's labels up and leaves them in c.row.
func (c *Census) check(sample *Sample) (Reason, string) {
	if c.samples == c.limits.Samples {
		return TooManySamples, fmt.Sprintf("the dataset has more than %d samples", c.limits.Samples)
	}
	if c.samples > 0 && sample.InputType() != c.inputType {
		return MixedInput, "the row has the other one of text and messages than the rows before"
	}
	c.row = c.row[:0]
	targets := len(c.targets)
	for i := range sample.Labels {
		labels := &sample.Labels[i]
		target := c.target(labels.Target)
		if target == nil {
			targets++
			target = &targetCensus{multi: labels.Multi}
		}
		if target.multi != labels.Multi {
			return MixedTarget, "a target's labels are a string in some rows and a list in others"
		}
		if !c.lookUp(target, labels.Labels) {
			return TooManyLabels, fmt.Sprintf("a target has more than %d labels", c.limits.LabelsPerTarget)
		}
	}
	if targets > c.limits.Targets {
		return TooManyTargets, fmt.Sprintf("the dataset has more than %d targets", c.limits.Targets)
	}
	return "", ""
}

// lookUp appends the target's labels to c.row and reports whether those that
// are new still fit.
func (c *Census) lookUp(target *targetCensus, labels []string) bool {
	count := len(target.labels)
	for _, name := range labels {
		label := target.labels[name]
		if label == nil {
			count++
		}
		c.row = append(c.row, label)
	}
	return count <= c.limits.LabelsPerTarget
}

// count adds one sample to the labels, of which known are those of the census.
func (c *Census) count(labels *TargetLabels, known []*labelCensus) {
	for i, label := range known {
		if label == nil {
			label = c.add(labels, labels.Labels[i])
			known[i] = label
		}
		label.samples++
	}
}

// add makes place for a label that was not seen before.
func (c *Census) add(labels *TargetLabels, name string) *labelCensus {
	target := c.target(labels.Target)
	if target == nil {
		target = &targetCensus{number: uint64(len(c.targets)), name: strings.Clone(labels.Target), multi: labels.Multi, labels: map[string]*labelCensus{}}
		c.targets = append(c.targets, target)
	}
	label := &labelCensus{number: c.labels, target: target, hash: hashLabel(target.name, name)}
	c.labels++
	target.labels[strings.Clone(name)] = label
	return label
}

func hashLabel(target, label string) uint64 {
	sum := sha256.Sum256(append(binary.AppendUvarint(nil, uint64(len(target))), target+label...))
	return binary.BigEndian.Uint64(sum[:])
}

func (c *Census) target(name string) *targetCensus {
	for _, target := range c.targets {
		if target.name == name {
			return target
		}
	}
	return nil
}

// InputType is that of the samples, empty when there are none.
func (c *Census) InputType() InputType { return c.inputType }

// Samples is how many were added.
func (c *Census) Samples() int { return c.samples }

// Targets are in the order in which they were first seen.
func (c *Census) Targets() []Target {
	return c.targetsCounted(func(label *labelCensus) int { return label.samples })
}

// targetsCounted counts the labels by samples. Those that it counts 0 of are left
// out, and so are targets without labels.
func (c *Census) targetsCounted(samples func(*labelCensus) int) []Target {
	targets := make([]Target, 0, len(c.targets))
	for _, counted := range c.targets {
		target := Target{Name: counted.name, Type: SingleLabel, Labels: make([]LabelCount, 0, len(counted.labels))}
		if counted.multi {
			target.Type = MultiLabel
		}
		for name, label := range counted.labels {
			if count := samples(label); count > 0 {
				target.Labels = append(target.Labels, LabelCount{Name: name, Samples: count})
			}
		}
		slices.SortFunc(target.Labels, func(a, b LabelCount) int { return strings.Compare(a.Name, b.Name) })
		if len(target.Labels) > 0 {
			targets = append(targets, target)
		}
	}
	return targets
}

// Check returns an *InvalidDatasetError when nothing can be learned from the samples.
func (c *Census) Check() error {
	if problem := problemOf(c.samples, c.Targets()); problem != nil {
		return problem
	}
	return nil
}

// problemOf says why nothing can be learned from so many samples with the labels
// of the targets. It returns nil when something can.
func problemOf(samples int, targets []Target) *InvalidDatasetError {
	if samples == 0 {
		return &InvalidDatasetError{Reason: NoSamples, Detail: "there is no valid sample"}
	}
	for i, target := range targets {
		if len(target.Labels) < 2 {
			return &InvalidDatasetError{Reason: TooFewLabels,
				Detail: fmt.Sprintf("target %d of %d has the same label in all samples; a target needs two labels or more", i+1, len(targets))}
		}
	}
	return nil
}

// names returns the names of the labels of all targets by their numbers.
func (c *Census) names() []string {
	names := make([]string, c.labels)
	for _, target := range c.targets {
		for name, label := range target.labels {
			names[label.number] = name
		}
	}
	return names
}

// numbered returns the labels of all targets by their numbers.
func (c *Census) numbered() []*labelCensus {
	labels := make([]*labelCensus, c.labels)
	for _, target := range c.targets {
		for _, label := range target.labels {
			labels[label.number] = label
		}
	}
	return labels
}
