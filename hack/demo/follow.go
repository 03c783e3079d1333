package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	followInterval = 30 * time.Millisecond
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
			fmt.Printf("%8s  training loss %s %s\n", "", curve(job.Status.LossHistory), ends(job.Status.LossHistory))
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
		isLoss, isQuality := strings.HasSuffix(metric.Name, "_loss"), strings.HasSuffix(metric.Name, "/f1_macro")
		if !isLoss && !isQuality {
			continue
		}
		line += fmt.Sprintf("  %s %s", metric.Name, metric.Value)
	}
	return line
}

// curve draws the training loss from its first to its last step.
func curve(history []classifierv1alpha1.LossPoint) string {
	bars := []rune("▁▂▃▄▅▆▇█")
	highest := 1e-9 // not 0, to divide by
	for _, point := range history {
		highest = max(highest, number(point.Train))
	}
	var drawn strings.Builder
	for _, point := range history {
		drawn.WriteRune(bars[int(number(point.Train)/highest*float64(len(bars)-1))])
	}
	return drawn.String()
}

func ends(history []classifierv1alpha1.LossPoint) string {
	if len(history) == 0 {
		return ""
	}
	return fmt.Sprintf("%s -> %s", history[0].Train, history[len(history)-1].Train)
}

func number(decimal classifierv1alpha1.Decimal) float64 {
	value, err := strconv.ParseFloat(string(decimal), 64)
	if err != nil {
		return 0
	}
	return value
}

// top gives the highest scores.
func top(scores mistral.Scores, count int) mistral.Scores {
	sorted := slices.Clone(scores)
	slices.SortFunc(sorted, func(a, b mistral.Score) int { return cmp.Compare(b.Score, a.Score) })
	return sorted[:min(count, len(sorted))]
}
