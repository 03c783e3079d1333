package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/parts"
	"github.com/classifier-factory/classifier-factory/internal/samples"
)

const (
	// maxLabelsShown of each target: more than a screen has are no picture.
	maxLabelsShown = 20
	labelBarWidth  = 30
	labelNameWidth = 28
)

// linted is what came of a manifest, or of a file of samples.
type linted struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	File    string `json:"file"`
	Valid   bool   `json:"valid"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
	// Report is what the operator writes to the ConfigMap of spec.report.
	Report json.RawMessage `json:"report,omitempty"`

	status *classifierv1alpha1.ClassifierDatasetStatus
}

func (c *command) lintCommand() *cobra.Command {
	var form output
	cmd := &cobra.Command{
		Use:   "lint FILE...",
		Short: "Check manifests and data before they are applied, without a cluster",
		Long: `Check manifests and data before they are applied, without a cluster, by the operator's own rules.

Manifests (.yaml, .yml, - for standard input) are held against the schema, as the API server would.
The samples of each ClassifierDataset, inline or in ConfigMaps among the manifests, are read,
validated and prepared as the operator would with its flags' defaults, and reported on. Any other
FILE is samples: beside the manifest of one dataset they are read as its spec says, in place of
its source; without one, each is a dataset of its own without options. Nothing is shown of a sample
but where it is.

Exit codes: 0 all is valid; 1 a file could not be read, or data is missing; 2 something is invalid.`,
		Example: `  kubectl classifier lint train.jsonl
  kubectl classifier lint dataset.yaml part-0.csv part-1.csv
  kubectl kustomize config/samples/quickstart | kubectl classifier lint -`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			if err := form.check(); err != nil {
				return err
			}
			all, err := readFiles(cmd.Context(), c.In, arguments)
			if err != nil {
				return err
			}
			results, err := all.lint(cmd.Context())
			if err != nil {
				return err
			}
			if printed, err := form.print(c.Out, results); err != nil {
				return err
			} else if !printed {
				c.tellLinted(results)
			}
			if slices.ContainsFunc(results, func(one linted) bool { return !one.Valid }) {
				return exit(exitNotGood)
			}
			return nil
		},
	}
	form.addTo(cmd)
	return cmd
}

// lint looks at everything.
func (f *found) lint(ctx context.Context) ([]linted, error) {
	if len(f.data) > 0 && len(f.datasets) > 1 {
		return nil, fmt.Errorf("there are %d datasets, and it is not said of which %s is; give the manifest of one", len(f.datasets), f.data[0])
	}
	if len(f.datasets)+len(f.jobs)+len(f.data) == 0 {
		return nil, fmt.Errorf("the files have no object of %s", classifierv1alpha1.GroupVersion)
	}
	var results []linted
	for i := range f.datasets {
		one, err := f.lintDataset(ctx, &f.datasets[i])
		if err != nil {
			return nil, err
		}
		results = append(results, one)
	}
	if len(f.datasets) == 0 {
		for _, file := range f.data {
			alone := &found{data: []string{file}}
			one, err := alone.lintDataset(ctx, &foundDataset{file: file})
			if err != nil {
				return nil, err
			}
			results = append(results, one)
		}
	}
	for _, job := range f.jobs {
		results = append(results, admitted(linted{Kind: kindJob, Name: job.name, File: job.file}, job.refused))
	}
	return results, nil
}

// admitted is what is known of an object by its schema alone.
func admitted(one linted, refused error) linted {
	if refused != nil {
		one.Reason, one.Message = "Refused", "an API server refuses it: "+strings.ReplaceAll(strings.TrimSpace(refused.Error()), "\n", "; ")
		return one
	}
	one.Valid, one.Reason, one.Message = true, classifierv1alpha1.ReasonValid, "an API server accepts it"
	return one
}

func (f *found) lintDataset(ctx context.Context, of *foundDataset) (linted, error) {
	one := linted{Kind: kindDataset, Name: orElse(of.Name, of.file), File: of.file}
	if of.refused != nil {
		return admitted(one, of.refused), nil
	}
	all, err := f.partsOf(of)
	if err != nil {
		return one, fmt.Errorf("ClassifierDataset %s: %w", one.Name, err)
	}
	content := parts.Of(all)
	defer func() { _ = content.Close() }()
	limits := dataset.DefaultLimits()
	reader := dataset.NewPartsReader(content, samples.Options(&of.Spec), scratch{}, limits)
	prepared, err := dataset.Prepare(ctx, reader, samples.Preparation(of.Spec.Preparation), scratch{}, limits)
	if err = errors.Join(err, reader.Close()); err != nil {
		return one, fmt.Errorf("%s: %w", one.Name, err)
	}
	defer func() { _ = prepared.Close() }()
	verdict := samples.Judge(prepared)
	one.Valid, one.Reason, one.Message = verdict.Good, verdict.Reason, verdict.Message
	one.status = &classifierv1alpha1.ClassifierDatasetStatus{}
	samples.Describe(prepared, of.Spec.Preparation.Split, one.status)
	one.Report, err = samples.EncodeReport(prepared, one.status)
	return one, err
}

func (c *command) tellLinted(results []linted) {
	style := styleOf(c.Out)
	for i, one := range results {
		if i > 0 {
			printf(c.Out, "\n")
		}
		mark := style.good("✓")
		if !one.Valid {
			mark = style.bad("✗")
		}
		printf(c.Out, "%s %s %s: %s: %s\n", mark, one.Kind, style.bold(printable(one.Name)), one.Reason, printable(one.Message))
		if one.status != nil {
			c.tellSamples(one.status, style)
		}
	}
}

// tellSamples says of samples what a person looks at before training.
func (c *command) tellSamples(status *classifierv1alpha1.ClassifierDatasetStatus, style style) {
	counts, report := status.Samples, status.Report
	printf(c.Out, "  %d samples: %d invalid, %d left out as duplicates, %d dropped, %d filtered; %d repeat another, %d contradict one\n",
		counts.Total, counts.Invalid, counts.Duplicate, counts.Dropped, counts.Filtered, report.Duplicate, report.Contradicting)
	if report.Words != nil {
		printf(c.Out, "  words: %d to %d, half have %d or fewer, 95 %% have %d or fewer\n", report.Words.Min, report.Words.Max, report.Words.Median, report.Words.P95)
	}
	for _, warning := range status.Warnings {
		printf(c.Out, "  %s %s: %s\n", style.busy("!"), warning.Reason, printable(warning.Message))
	}
	for _, reason := range report.Invalid {
		printf(c.Out, "  %s %s: %d samples\n", style.bad("✗"), reason.Reason, reason.Samples)
	}
	for _, invalid := range status.InvalidSamples {
		printf(c.Out, "    %s: %s: %s\n", place(invalid.Part, invalid.Line), invalid.Reason, printable(invalid.Detail))
	}
	for _, target := range status.Targets {
		printf(c.Out, "  %s (%s, %d labels)\n", style.bold(printable(target.Name)), target.Type, target.LabelCount)
		c.tellLabels(&target)
	}
	for _, suspect := range report.Suspects {
		printf(c.Out, "  ? %s: %s is %s, similar ones are %s\n", place(suspect.Part, suspect.Line),
			printable(suspect.Target), printable(suspect.Given), printable(suspect.Suggested))
	}
}

// tellLabels draws how many samples each label has, the most first.
func (c *command) tellLabels(target *classifierv1alpha1.TargetStatus) {
	labels := slices.Clone(target.Labels)
	slices.SortStableFunc(labels, func(a, b classifierv1alpha1.LabelStatus) int { return int(b.Samples - a.Samples) })
	for i, label := range labels {
		if i == maxLabelsShown {
			printf(c.Out, "    and %d more, the rarest with %d samples\n", int(target.LabelCount)-i, labels[len(labels)-1].Samples)
			return
		}
		split := ""
		if label.Train != nil {
			split = fmt.Sprintf("  train %d", *label.Train)
		}
		if label.Validation != nil {
			split += fmt.Sprintf(", validation %d", *label.Validation)
		}
		if label.Test != nil {
			split += fmt.Sprintf(", test %d", *label.Test)
		}
		share := float64(label.Samples) / float64(max(labels[0].Samples, 1))
		printf(c.Out, "    %-*s %s %6d%s\n", labelNameWidth, cutTo(printable(label.Name), labelNameWidth), bar(share, labelBarWidth), label.Samples, split)
	}
}

func place(part string, line int64) string {
	if part == "" {
		return fmt.Sprintf("line %d", line)
	}
	return fmt.Sprintf("%s, line %d", printable(part), line)
}
