package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

func (c *command) explainCommand() *cobra.Command {
	var form output
	cmd := &cobra.Command{
		Use:   "explain NAME",
		Short: "Say why an object is as it is, and the one thing to do next",
		Long: `Say why a training job, or a dataset (cds/NAME), is as it is: walk from the source over the
dataset, the upload, the job and the model to the Secret, and say the one thing to do next, and
who has to do it.`,
		Example: `  kubectl classifier explain mail
  kubectl classifier explain cds/mail -o json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: c.completeJobs(1),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			if err := form.check(); err != nil {
				return err
			}
			kind, name, err := kindAndName(arguments[0])
			if err != nil {
				return err
			}
			cluster, err := c.cluster()
			if err != nil {
				return err
			}
			told, err := cluster.story(cmd.Context(), kind, name)
			if err != nil {
				return err
			}
			if printed, err := form.print(c.Out, told); printed {
				return err
			}
			told.tell(c.Out, styleOf(c.Out), widthOf(c.Out))
			return nil
		},
	}
	form.addTo(cmd)
	return cmd
}

// story reads all that the story of an object is made of.
func (c *cluster) story(ctx context.Context, kind, name string) (*story, error) {
	if kind == kindDataset {
		dataset := &classifierv1alpha1.ClassifierDataset{}
		if err := c.get(ctx, name, dataset); err != nil {
			return nil, c.gone(ctx, kind, name, err)
		}
		told := datasetStory(dataset)
		told.adviseOnDeletion(dataset, time.Now())
		return told, nil
	}
	job, err := c.job(ctx, name)
	if err != nil {
		return nil, c.gone(ctx, kind, name, err)
	}
	datasets, err := c.datasetsOf(ctx, job)
	if err != nil {
		return nil, err
	}
	told := jobStory(job, datasets)
	err = c.checkSecret(ctx, job, told)
	told.adviseOnDeletion(job, time.Now())
	return told, err
}

// gone is the error of an object that is not there, with what its deletion left.
func (c *cluster) gone(ctx context.Context, kind, name string, err error) error {
	if !apierrors.IsNotFound(err) {
		return err
	}
	events := &corev1.EventList{}
	if c.List(ctx, events, client.InNamespace(c.namespace), client.MatchingFields{
		"involvedObject.kind": kind, "involvedObject.name": name, "reason": classifierv1alpha1.ReasonDeletionIncomplete,
	}) == nil && len(events.Items) > 0 {
		left := adviceOn(classifierv1alpha1.ReasonDeletionIncomplete, subject{})
		return fmt.Errorf("%w; when it was deleted, something remained: %s. Next, for %s: %s", err, events.Items[0].Message, left.Who, left.Do)
	}
	return err
}

// datasetsOf are the datasets of a job that there are, in its order.
func (c *cluster) datasetsOf(ctx context.Context, job *classifierv1alpha1.ClassifierTrainingJob) ([]classifierv1alpha1.ClassifierDataset, error) {
	var datasets []classifierv1alpha1.ClassifierDataset
	for _, name := range datasetNames(job) {
		dataset := classifierv1alpha1.ClassifierDataset{}
		switch err := c.get(ctx, name, &dataset); {
		case err == nil:
			datasets = append(datasets, dataset)
		case !apierrors.IsNotFound(err):
			return nil, err
		}
	}
	return datasets, nil
}

// datasetNames are those that a job names, each once.
func datasetNames(job *classifierv1alpha1.ClassifierTrainingJob) (names []string) {
	for _, dataset := range job.Spec.Training.Datasets {
		names = append(names, dataset.Name)
	}
	for _, dataset := range job.Spec.Training.ValidationDatasets {
		if !slices.Contains(names, dataset.Name) {
			names = append(names, dataset.Name)
		}
	}
	return names
}

// checkSecret looks whether the Secret that the status names still is there. Who may not
// read Secrets is told so, and all else.
func (c *cluster) checkSecret(ctx context.Context, job *classifierv1alpha1.ClassifierTrainingJob, told *story) error {
	last := &told.Steps[len(told.Steps)-1]
	if job.Status.Binding == nil || last.State != stepDone {
		return nil
	}
	secret, err := c.secret(ctx, job.Status.Binding.Name)
	switch {
	case apierrors.IsForbidden(err):
		last.Text += " (you may not read it)"
		return nil
	case err != nil:
		return err
	case secret == nil:
		last.State, last.Text = stepBusy, fmt.Sprintf("%s was deleted; it is written again within ten minutes", job.Status.Binding.Name)
		told.Next = advice{you, told.subject.about("to have it at once: {look}")}
	}
	return nil
}

// tell prints the story, in lines of a width; 0: however long they are. What is to be
// done is not broken, because commands in it are copied.
func (s *story) tell(to io.Writer, style style, width int) {
	const beforeText, beforeNote = 14, 4
	printf(to, "%s %s in namespace %s: %s\n\n", s.Kind, style.bold(s.Name), s.Namespace, s.State)
	for _, step := range s.Steps {
		mark := map[stepState]string{stepDone: style.good("✓"), stepBusy: style.busy("●"), stepStuck: style.bad("✗"), stepAhead: "○"}[step.State]
		printf(to, "  %s %-9s %s\n", mark, step.Name, indented(step.Text, beforeText, width))
	}
	if len(s.Notes) > 0 {
		printf(to, "\n")
	}
	for _, note := range s.Notes {
		printf(to, "  ! %s\n", indented(note, beforeNote, width))
	}
	printf(to, "\n%s (%s): %s\n", style.bold("Next"), s.Next.Who, printable(s.Next.Do))
}

// indented is a text whose lines but the first begin so far to the right.
func indented(text string, indent, width int) string {
	if width > indent {
		width -= indent
	}
	return strings.Join(wrap(printable(text), width), "\n"+strings.Repeat(" ", indent))
}
