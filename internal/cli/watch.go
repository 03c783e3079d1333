package cli

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guptarohit/asciigraph"
	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

const (
	barWidth   = 40
	curveWidth = 56
	curveLines = 8
	lastEvents = 4
)

func (c *command) watchCommand() *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "watch NAME",
		Short: "Follow a training: progress, time to go, loss and the last events",
		Long: `Follow a training job until it is done, has failed, or needs somebody to act. On a terminal it
shows a bar, the time to go, the course of the loss and the last events; elsewhere a line for
each change.

` + exitCodes,
		Example:           `  kubectl classifier watch mail`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: c.completeJobs(1),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			cluster, name, err := c.clusterAndJob(arguments[0])
			if err != nil {
				return err
			}
			show := plainly(c.Out)
			if isTerminal(c.Out) {
				show = live(cmd.Context(), c.Out, cluster)
			}
			last, err := cluster.follow(cmd.Context(), name, timeout, show)
			if err != nil {
				return err
			}
			return c.endOf(cmd.Context(), cluster, last)
		},
	}
	addTimeout(cmd, &timeout)
	return cmd
}

// plainly writes a line for each change that there is to see.
func plainly(to io.Writer) func(*classifierv1alpha1.ClassifierTrainingJob) error {
	last := ""
	return func(job *classifierv1alpha1.ClassifierTrainingJob) error {
		line := statusLine(job)
		if line == last {
			return nil
		}
		last = line
		_, err := fmt.Fprintf(to, "%s  %s\n", time.Now().Format(time.TimeOnly), line)
		return err
	}
}

// statusLine says how far a job is, and of one that is not under way why.
func statusLine(job *classifierv1alpha1.ClassifierTrainingJob) string {
	status := &job.Status
	ready := condition(status.Conditions, classifierv1alpha1.ConditionReady)
	if !isTrue(status.Conditions, classifierv1alpha1.ConditionStarted) || isTrue(status.Conditions, classifierv1alpha1.ConditionFailed) {
		return printable(fmt.Sprintf("%s: %s", status.State, ready.Message))
	}
	line := progressOf(status)
	if status.Progress != nil {
		for _, metric := range status.Progress.Metrics {
			if strings.HasSuffix(metric.Name, "_loss") || strings.HasSuffix(metric.Name, "/f1_macro") {
				line += fmt.Sprintf(", %s %s", metric.Name, metric.Value)
			}
		}
	}
	return printable(line)
}

// live draws the job again over what it drew before.
func live(ctx context.Context, to io.Writer, cluster *cluster) func(*classifierv1alpha1.ClassifierTrainingJob) error {
	style, drawn := styleOf(to), 0
	return func(job *classifierv1alpha1.ClassifierTrainingJob) error {
		lines := screen(job, cluster.lastEvents(ctx, job.UID), style, widthOf(to), time.Now())
		if drawn > 0 {
			printf(to, "\x1b[%dA\x1b[J", drawn) // up, and nothing below
		}
		drawn = len(lines)
		_, err := fmt.Fprintln(to, strings.Join(lines, "\n"))
		return err
	}
}

// screen is what a terminal shows of a job.
func screen(job *classifierv1alpha1.ClassifierTrainingJob, events []corev1.Event, style style, width int, now time.Time) []string {
	lines := []string{style.bold(job.Name) + "  " + cutTo(statusLine(job), width-len(job.Name)-2)}
	if progress := job.Status.Progress; progress != nil {
		share := bar(float64(progress.Percent)/100, barWidth)
		if isTrue(job.Status.Conditions, classifierv1alpha1.ConditionComplete) {
			share = style.good(share)
		}
		lines = append(lines, "", fmt.Sprintf("%s %3d %%  %s", share, progress.Percent, timeToGo(job, now)))
	}
	if curve := lossCurve(job.Status.LossHistory, style); curve != "" {
		lines = append(lines, "")
		lines = append(lines, strings.Split(curve, "\n")...)
	}
	if len(events) > 0 {
		lines = append(lines, "")
	}
	for _, event := range events {
		line := cutTo(fmt.Sprintf("%s  %s: %s", eventTime(&event).Local().Format(time.TimeOnly), event.Reason, printable(event.Message)), width)
		if event.Type == corev1.EventTypeWarning {
			line = style.bad(line)
		}
		lines = append(lines, line)
	}
	return append(lines, "")
}

// timeToGo is what the operator estimates, or how long the training took.
func timeToGo(job *classifierv1alpha1.ClassifierTrainingJob, now time.Time) string {
	if took := duration(job); took != "" {
		return "took " + took
	}
	text := ""
	if left := job.Status.Progress.EstimatedRemainingSeconds; left != nil {
		text = fmt.Sprintf("%s to go, ", time.Duration(*left)*time.Second)
	}
	if job.Status.StartTime == nil {
		return text
	}
	return text + fmt.Sprintf("%s since the start", now.Sub(job.Status.StartTime.Time).Round(time.Second))
}

// lossCurve draws the losses by step; nothing of fewer than two.
func lossCurve(history []classifierv1alpha1.LossPoint, style style) string {
	train, validation := make([]float64, len(history)), make([]float64, len(history))
	for i, point := range history {
		train[i], validation[i] = number(point.Train), number(point.Validation)
	}
	var (
		series  [][]float64
		names   []string
		colours []asciigraph.AnsiColor
	)
	for _, one := range []struct {
		name   string
		values []float64
		colour asciigraph.AnsiColor
	}{{"train_loss", train, asciigraph.Blue}, {"validation_loss", validation, asciigraph.Yellow}} {
		if values := joined(one.values); len(values) > 1 {
			series, names, colours = append(series, values), append(names, one.name), append(colours, one.colour)
		}
	}
	if len(series) == 0 {
		return ""
	}
	options := []asciigraph.Option{asciigraph.Height(curveLines), asciigraph.Width(curveWidth), asciigraph.Precision(3),
		asciigraph.Caption(fmt.Sprintf("%s, step %d to %d", strings.Join(names, " and "), history[0].Step, history[len(history)-1].Step))}
	if style {
		options = append(options, asciigraph.SeriesColors(colours...))
	}
	return asciigraph.PlotMany(series, options...)
}

// joined fills the gaps, for losses are not measured at each step, with the value before.
func joined(values []float64) []float64 {
	first := slices.IndexFunc(values, func(v float64) bool { return !math.IsNaN(v) })
	if first < 0 {
		return nil
	}
	filled := slices.Clone(values)
	last := values[first]
	for i := range filled {
		if math.IsNaN(filled[i]) {
			filled[i] = last
		}
		last = filled[i]
	}
	return filled
}

func number(decimal classifierv1alpha1.Decimal) float64 {
	value, err := strconv.ParseFloat(string(decimal), 64)
	if err != nil {
		return math.NaN()
	}
	return value
}

// lastEvents of an object, the newest last. That they cannot be read keeps nobody from
// seeing the rest.
func (c *cluster) lastEvents(ctx context.Context, object types.UID) []corev1.Event {
	events := &corev1.EventList{}
	if c.List(ctx, events, client.InNamespace(c.namespace), client.MatchingFields{"involvedObject.uid": string(object)}) != nil {
		return nil
	}
	slices.SortStableFunc(events.Items, func(a, b corev1.Event) int { return eventTime(&a).Compare(eventTime(&b)) })
	return events.Items[max(0, len(events.Items)-lastEvents):]
}

func eventTime(event *corev1.Event) time.Time {
	if event.Series != nil {
		return event.Series.LastObservedTime.Time
	}
	if !event.EventTime.IsZero() {
		return event.EventTime.Time
	}
	return event.LastTimestamp.Time
}

// cutTo cuts a line that a terminal would break, which would spoil counting them.
func cutTo(line string, width int) string {
	runes := []rune(line)
	if width < 1 || len(runes) <= width {
		return line
	}
	return string(runes[:width-1]) + "…"
}
