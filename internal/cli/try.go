package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// classifyTimeout is many times what a model takes that has to be loaded first.
const classifyTimeout = time.Minute

// tried is what a model said of a text.
type tried struct {
	Text    string                    `json:"text"`
	Targets map[string]mistral.Scores `json:"targets"`
}

func (c *command) tryCommand() *cobra.Command {
	var (
		form    output
		address string
		top     int
	)
	cmd := &cobra.Command{
		Use:   `try NAME "TEXT"...`,
		Short: "Classify texts with the model of a training job",
		Long: `Classify texts with the model of a training job, at the address and with the key of the Secret
that the job has published.

An address such as http://factory.team.svc:8080 is that of a Service of the cluster: it is
reached through a port that the API server forwards to a pod of it, for which one needs the right
to create pods/portforward there. Any other address is asked as it is. --url names another one
at which this machine reaches the same factory.`,
		Example: `  kubectl classifier try mail "Where is my invoice?"
  kubectl classifier try mail "Where is my invoice?" "It crashes" -o json
  kubectl classifier try mail --url http://127.0.0.1:8080 "Where is my invoice?"`,
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: c.completeJobs(1),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			if err := form.check(); err != nil {
				return err
			}
			cluster, name, err := c.clusterAndJob(arguments[0])
			if err != nil {
				return err
			}
			secret, err := cluster.published(cmd.Context(), name)
			if err != nil {
				return err
			}
			answers, err := cluster.classify(cmd.Context(), secret, address, arguments[1:])
			if err != nil {
				return err
			}
			if printed, err := form.print(c.Out, answers); printed {
				return err
			}
			return c.tellTried(answers, targetNames(secret), top)
		},
	}
	cmd.Flags().StringVar(&address, "url", "", "Address of the factory as this machine reaches it. Default: the Secret's.")
	cmd.Flags().IntVar(&top, "top", 3, "How many labels to show of each target.")
	form.addTo(cmd)
	return cmd
}

// published is the Secret of a job whose model can be asked.
func (c *cluster) published(ctx context.Context, name string) (*corev1.Secret, error) {
	job, err := c.job(ctx, name)
	if err != nil {
		return nil, err
	}
	if job.Status.Binding == nil {
		return nil, fmt.Errorf("%s has published no model yet; kubectl classifier explain %s says why", name, name)
	}
	secret, err := c.secret(ctx, job.Status.Binding.Name)
	switch {
	case err != nil:
		return nil, err
	case secret == nil:
		return nil, fmt.Errorf("the Secret %s was deleted; to have it written again: kubectl classifier retry %s", job.Status.Binding.Name, name)
	case len(secret.Data["api-key"]) == 0:
		return nil, fmt.Errorf("the Secret %s has no api-key: spec.output.apiKey is None, or the factory mints none; classify with a key of your own at %s, model %s",
			secret.Name, secret.Data["uri"], secret.Data["model"])
	}
	return secret, nil
}

// classify asks the model of a Secret.
func (c *cluster) classify(ctx context.Context, secret *corev1.Secret, address string, texts []string) ([]tried, error) {
	ctx, cancel := context.WithTimeout(ctx, classifyTimeout)
	defer cancel()
	asking, end, err := c.client(ctx, mistral.Config{BaseURL: string(secret.Data["uri"]), Key: mistral.NewKey(string(secret.Data["api-key"]))}, address)
	if err != nil {
		return nil, err
	}
	defer end()
	answer, err := asking.Classify(ctx, mistral.ClassifyRequest{Model: string(secret.Data["model"]), Input: texts})
	if err != nil {
		return nil, unanswered(err, address != "")
	}
	if len(answer.Results) != len(texts) {
		return nil, fmt.Errorf("the factory gave %d answers to %d texts", len(answer.Results), len(texts))
	}
	var all []tried
	for i, text := range texts {
		one := tried{Text: text, Targets: map[string]mistral.Scores{}}
		for target, scores := range answer.Results[i] {
			one.Targets[target] = scores.Scores
		}
		all = append(all, one)
	}
	return all, nil
}

// unanswered says what else can be done when no answer came.
func unanswered(err error, given bool) error {
	if failed, ok := errors.AsType[*mistral.Error](err); ok && failed.StatusCode == 0 && !given {
		return fmt.Errorf("%w; if this machine reaches the factory at another address, such as by kubectl port-forward, say so with --url", err)
	}
	return err
}

// targetNames are the targets in the order that the Secret has them in.
func targetNames(secret *corev1.Secret) (names []string) {
	var targets []mistral.ClassifierTarget
	if json.Unmarshal(secret.Data["targets"], &targets) != nil {
		return nil
	}
	for _, target := range targets {
		names = append(names, target.Name)
	}
	return names
}

func (c *command) tellTried(answers []tried, names []string, top int) error {
	style := styleOf(c.Out)
	for i, one := range answers {
		if i > 0 {
			printf(c.Out, "\n")
		}
		printf(c.Out, "%q\n", one.Text)
		for _, name := range names {
			scores := slices.Clone(one.Targets[name])
			slices.SortStableFunc(scores, func(a, b mistral.Score) int { return cmp.Compare(b.Score, a.Score) })
			printf(c.Out, "  %s\n", style.bold(printable(name)))
			for _, score := range scores[:min(max(top, 0), len(scores))] {
				printf(c.Out, "    %5.1f %%  %s  %s\n", 100*score.Score, bar(score.Score, 20), printable(score.Label))
			}
		}
	}
	return nil
}
