package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	followInterval = 100 * time.Millisecond
	followTimeout  = 2 * time.Minute
)

// follow prints each change of a training until its model is published.
func follow(ctx context.Context, cluster client.Client, name string, since time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, followTimeout)
	defer cancel()
	heading("ClassifierTrainingJob %s", name)
	printed := ""
	for {
		job := &classifierv1alpha1.ClassifierTrainingJob{}
		if err := cluster.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, job); err != nil {
			return err
		}
		if line := progress(job); line != printed {
			fmt.Printf("%6.1f s  %s\n", time.Since(since).Seconds(), line)
			printed = line
		}
		conditions := job.Status.Conditions
		switch {
		case meta.IsStatusConditionTrue(conditions, classifierv1alpha1.ConditionOutputPublished):
			fmt.Printf("%6.1f s  Finished: Secret %s has the ID of %s\n", time.Since(since).Seconds(), job.Status.Binding.Name, job.Status.Model.ID)
			return nil
		case meta.IsStatusConditionTrue(conditions, classifierv1alpha1.ConditionFailed):
			return fmt.Errorf("%s failed: %s", name, meta.FindStatusCondition(conditions, classifierv1alpha1.ConditionFailed).Message)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s did not end: %w", name, ctx.Err())
		case <-time.After(followInterval):
		}
	}
}

// progress is a line such as "RUNNING            ██████░░░░  60 %  loss 0.31".
func progress(job *classifierv1alpha1.ClassifierTrainingJob) string {
	state := "waiting"
	if ready := meta.FindStatusCondition(job.Status.Conditions, classifierv1alpha1.ConditionReady); ready != nil {
		state = ready.Reason
	}
	if job.Status.RemoteJob != nil {
		state = cmp.Or(job.Status.RemoteJob.State, state)
	}
	if job.Status.Progress == nil {
		return state
	}
	const width = 20
	percent := int(job.Status.Progress.Percent)
	full := percent * width / 100
	line := fmt.Sprintf("%-10s %s%s %3d %%", state, strings.Repeat("█", full), strings.Repeat("░", width-full), percent)
	for _, metric := range job.Status.Progress.Metrics {
		line += fmt.Sprintf("  %s %s", metric.Name, metric.Value)
	}
	return line
}

// top gives the highest scores.
func top(scores mistral.Scores, count int) mistral.Scores {
	sorted := slices.Clone(scores)
	slices.SortFunc(sorted, func(a, b mistral.Score) int { return cmp.Compare(b.Score, a.Score) })
	return sorted[:min(count, len(sorted))]
}
