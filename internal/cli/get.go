package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	timeduration "k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// listed is an object in the list.
type listed struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Ready     string `json:"ready"`
	State     string `json:"state"`
	Progress  string `json:"progress,omitempty"`
	Score     string `json:"score,omitempty"`
	Next      advice `json:"next"`

	created metav1.Time
}

func (c *command) getCommand() *cobra.Command {
	var (
		form output
		all  bool
	)
	cmd := &cobra.Command{
		Use:   "get",
		Short: "List datasets and training jobs, and who has to act for each to go on",
		Example: `  kubectl classifier get
  kubectl classifier get -A -o json`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := form.check(); err != nil {
				return err
			}
			cluster, err := c.cluster()
			if err != nil {
				return err
			}
			if all {
				cluster.namespace = ""
			}
			datasets, jobs := &classifierv1alpha1.ClassifierDatasetList{}, &classifierv1alpha1.ClassifierTrainingJobList{}
			for _, list := range []client.ObjectList{datasets, jobs} {
				err := cluster.List(cmd.Context(), list, client.InNamespace(cluster.namespace))
				if meta.IsNoMatchError(err) {
					return errNotInstalled
				}
				if err != nil {
					return err
				}
			}
			rows := listOf(datasets.Items, jobs.Items)
			if printed, err := form.print(c.Out, rows); printed {
				return err
			}
			if len(rows) == 0 {
				printf(c.ErrOut, "there are no datasets and no training jobs here\n")
				return nil
			}
			return table(c.Out, cells(rows, all, time.Now()))
		},
	}
	cmd.Flags().BoolVarP(&all, "all-namespaces", "A", false, "List those of all namespaces.")
	form.addTo(cmd)
	return cmd
}

func listOf(datasets []classifierv1alpha1.ClassifierDataset, jobs []classifierv1alpha1.ClassifierTrainingJob) []listed {
	rows := []listed{} // not null in JSON
	for i := range datasets {
		told := datasetStory(&datasets[i])
		rows = append(rows, listed{Kind: kindDataset, Namespace: told.Namespace, Name: told.Name, State: told.State, Next: told.Next,
			Ready:   string(condition(datasets[i].Status.Conditions, classifierv1alpha1.ConditionReady).Status),
			created: datasets[i].CreationTimestamp})
	}
	for i := range jobs {
		job := &jobs[i]
		told := jobStory(job, datasetsNamed(datasets, job))
		row := listed{Kind: kindJob, Namespace: told.Namespace, Name: told.Name, State: told.State, Next: told.Next, Score: string(job.Status.Score),
			Ready:   string(condition(job.Status.Conditions, classifierv1alpha1.ConditionReady).Status),
			created: job.CreationTimestamp}
		if job.Status.Progress != nil {
			row.Progress = fmt.Sprintf("%d%%", job.Status.Progress.Percent)
		}
		rows = append(rows, row)
	}
	return rows
}

// datasetsNamed are those of all datasets that a job names, in its order.
func datasetsNamed(all []classifierv1alpha1.ClassifierDataset, job *classifierv1alpha1.ClassifierTrainingJob) (named []classifierv1alpha1.ClassifierDataset) {
	for _, name := range datasetNames(job) {
		if at := slices.IndexFunc(all, func(d classifierv1alpha1.ClassifierDataset) bool {
			return d.Namespace == job.Namespace && d.Name == name
		}); at >= 0 {
			named = append(named, all[at])
		}
	}
	return named
}

func cells(rows []listed, withNamespace bool, now time.Time) [][]string {
	all := [][]string{{"NAME", "READY", "STATUS", "PROGRESS", "SCORE", "AGE", "NEXT"}}
	for _, row := range rows {
		next := "-"
		if row.Ready != string(metav1.ConditionTrue) && row.Next.Who != nobody {
			next = string(row.Next.Who)
		}
		all = append(all, []string{(subject{kind: row.Kind, name: row.Name}).resource(), row.Ready, row.State,
			orElse(row.Progress, "-"), orElse(row.Score, "-"), timeduration.HumanDuration(now.Sub(row.created.Time)), next})
	}
	if withNamespace {
		all[0] = append([]string{"NAMESPACE"}, all[0]...)
		for i, row := range rows {
			all[i+1] = append([]string{row.Namespace}, all[i+1]...)
		}
	}
	for _, row := range all {
		for i := range row {
			row[i] = strings.TrimSpace(printable(row[i]))
		}
	}
	return all
}
