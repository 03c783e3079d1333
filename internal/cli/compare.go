package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// compared is a fact of two jobs. Change is that of numbers.
type compared struct {
	Name   string `json:"name"`
	A      string `json:"a"`
	B      string `json:"b"`
	Change string `json:"change,omitempty"`
}

func (c *command) compareCommand() *cobra.Command {
	var form output
	cmd := &cobra.Command{
		Use:   "compare A B",
		Short: "Show two trainings side by side: data, parameters, metrics",
		Long: `Show two trainings side by side: what was trained on what, how long it took, and all that was
measured. Scores of different validation data say little of which model is better; a note says
when they are.`,
		Example:           `  kubectl classifier compare mail mail-2`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: c.completeJobs(2),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			if err := form.check(); err != nil {
				return err
			}
			cluster, err := c.cluster()
			if err != nil {
				return err
			}
			var jobs [2]*classifierv1alpha1.ClassifierTrainingJob
			for i, argument := range arguments {
				name, err := jobName(argument)
				if err != nil {
					return err
				}
				if jobs[i], err = cluster.job(cmd.Context(), name); err != nil {
					return err
				}
			}
			facts := compare(jobs[0], jobs[1])
			if printed, err := form.print(c.Out, facts); printed {
				return err
			}
			rows := [][]string{{"", jobs[0].Name, jobs[1].Name, "CHANGE"}}
			for _, fact := range facts {
				rows = append(rows, []string{printable(fact.Name), printable(orElse(fact.A, "-")), printable(orElse(fact.B, "-")), fact.Change})
			}
			if err := table(c.Out, rows); err != nil {
				return err
			}
			if digestsOf(jobs[0], classifierv1alpha1.SplitValidation) != digestsOf(jobs[1], classifierv1alpha1.SplitValidation) {
				printf(c.Out, "\n! They were validated on different samples: their scores are not of the same question.\n")
			}
			return nil
		},
	}
	form.addTo(cmd)
	return cmd
}

// compare lists the facts of two jobs, those first that say what they are.
func compare(a, b *classifierv1alpha1.ClassifierTrainingJob) []compared {
	facts := []compared{
		{Name: "state", A: a.Status.State, B: b.Status.State},
		{Name: "base model", A: a.Spec.Training.Model, B: b.Spec.Training.Model},
		{Name: "trained on", A: inputsOf(a, classifierv1alpha1.SplitTrain), B: inputsOf(b, classifierv1alpha1.SplitTrain)},
		{Name: "validated on", A: inputsOf(a, classifierv1alpha1.SplitValidation), B: inputsOf(b, classifierv1alpha1.SplitValidation)},
		{Name: "steps", A: stepsOf(a), B: stepsOf(b)},
		{Name: "took", A: duration(a), B: duration(b)},
		{Name: "cost", A: costOf(a), B: costOf(b)},
		{Name: "score", A: string(a.Status.Score), B: string(b.Status.Score)},
	}
	first, second := metricsOf(a), metricsOf(b)
	var names []string
	for _, metrics := range []map[string]string{first, second} {
		for name := range metrics {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	for _, name := range names {
		facts = append(facts, compared{Name: name, A: first[name], B: second[name]})
	}
	for i := range facts {
		facts[i].Change = change(facts[i].A, facts[i].B)
	}
	return facts
}

func metricsOf(job *classifierv1alpha1.ClassifierTrainingJob) map[string]string {
	metrics := map[string]string{}
	if job.Status.Progress != nil {
		for _, metric := range job.Status.Progress.Metrics {
			metrics[metric.Name] = metric.Value
		}
	}
	return metrics
}

// change is what b has more than a, if both are numbers.
func change(a, b string) string {
	before, err := strconv.ParseFloat(a, 64)
	if err != nil {
		return ""
	}
	after, err := strconv.ParseFloat(b, 64)
	if err != nil || before == after {
		return ""
	}
	return fmt.Sprintf("%+.4g", after-before)
}

func stepsOf(job *classifierv1alpha1.ClassifierTrainingJob) string {
	if job.Status.Progress == nil {
		return ""
	}
	return strconv.FormatInt(job.Status.Progress.Step, 10)
}

func costOf(job *classifierv1alpha1.ClassifierTrainingJob) string {
	if job.Status.Cost == nil {
		return ""
	}
	return string(job.Status.Cost.Amount) + " " + job.Status.Cost.Currency
}

// inputsOf are the files that a job reads as a split, each as dataset@digest.
func inputsOf(job *classifierv1alpha1.ClassifierTrainingJob, split classifierv1alpha1.Split) string {
	var inputs []string
	for _, input := range job.Status.Inputs {
		if input.Split == split {
			inputs = append(inputs, fmt.Sprintf("%s@%.8s", input.Dataset, strings.TrimPrefix(input.Digest, "sha256:")))
		}
	}
	return strings.Join(inputs, ", ")
}

func digestsOf(job *classifierv1alpha1.ClassifierTrainingJob, split classifierv1alpha1.Split) string {
	var digests []string
	for _, input := range job.Status.Inputs {
		if input.Split == split {
			digests = append(digests, input.Digest)
		}
	}
	slices.Sort(digests)
	return strings.Join(digests, " ")
}
