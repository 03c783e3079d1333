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
	"unicode/utf8"

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
	// marginWidth is that of the losses left of the curve.
	marginWidth = 8
	lastEvents  = 4
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
	if !isUnderWay(job) {
		return whyNot(job)
	}
	line := progressOf(&job.Status)
	if measured := measuredOf(job); measured != "" {
		line += ", " + measured
	}
	return printable(line)
}

// isUnderWay reports whether a job was started and has not failed.
func isUnderWay(job *classifierv1alpha1.ClassifierTrainingJob) bool {
	list := job.Status.Conditions
	return isTrue(list, classifierv1alpha1.ConditionStarted) && !isTrue(list, classifierv1alpha1.ConditionFailed)
}

func whyNot(job *classifierv1alpha1.ClassifierTrainingJob) string {
	return printable(fmt.Sprintf("%s: %s", job.Status.State, condition(job.Status.Conditions, classifierv1alpha1.ConditionReady).Message))
}

// measuredOf are the losses, and how good the model is on the whole.
func measuredOf(job *classifierv1alpha1.ClassifierTrainingJob) string {
	var measured []string
	if job.Status.Progress != nil {
		for _, metric := range job.Status.Progress.Metrics {
			if strings.HasSuffix(metric.Name, "_loss") || strings.HasSuffix(metric.Name, "/f1_macro") {
				measured = append(measured, metric.Name+" "+metric.Value)
			}
		}
	}
	return printable(strings.Join(measured, ", "))
}

// live draws the job again over what it drew before.
func live(ctx context.Context, to io.Writer, cluster *cluster) func(*classifierv1alpha1.ClassifierTrainingJob) error {
	var (
		last  *classifierv1alpha1.ClassifierTrainingJob
		next  advice
		drawn int
	)
	return func(job *classifierv1alpha1.ClassifierTrainingJob) error {
		if job != last {
			last, next = job, cluster.nextMeanwhile(ctx, job)
		}
		lines := screen(job, next, cluster.lastEvents(ctx, job.UID), styleOf(to), windowOf(to), time.Now())
		up := ""
		if drawn > 0 {
			up = fmt.Sprintf("\x1b[%dA", drawn)
		}
		drawn = len(lines)
		// Each line is cleared by itself: a terminal that is cleared from its top keeps what it showed.
		_, err := fmt.Fprint(to, up+"\x1b[K"+strings.Join(lines, "\n\x1b[K")+"\n\x1b[J")
		return err
	}
}

// nextMeanwhile is what somebody has to do for a job that is waited for nevertheless.
func (c *cluster) nextMeanwhile(ctx context.Context, job *classifierv1alpha1.ClassifierTrainingJob) advice {
	if _, over := c.verdict(ctx, job); over {
		return advice{} // it is said at the end
	}
	told, err := c.story(ctx, kindJob, job.Name)
	if err != nil || told.Next.Who == nobody {
		return advice{}
	}
	return told.Next
}

// screen is what a terminal shows of a job. It has less lines than the terminal: what has
// left it at the top cannot be drawn over.
func screen(job *classifierv1alpha1.ClassifierTrainingJob, next advice, events []corev1.Event, style style, size window, now time.Time) []string {
	lines := append(heading(job, style, size.width), progressLines(job, style, size.width, now)...)
	var below []string
	if next != (advice{}) {
		below = append(below, "")
		below = append(below, fitted(printable(fmt.Sprintf("Next (%s): %s", next.Who, next.Do)), size.width)...)
	}
	below = append(append(below, eventLines(events, style, size.width)...), "")
	if curve := lossCurve(job.Status.LossHistory, style); len(curve) > 0 && size.width > curveWidth+marginWidth && len(lines)+1+len(curve)+len(below) < size.height {
		lines = append(append(lines, ""), curve...)
	}
	lines = append(lines, below...)
	return lines[:min(len(lines), max(size.height-1, 1))]
}

// heading is the job's name and state, and of one that is not under way, why.
func heading(job *classifierv1alpha1.ClassifierTrainingJob, style style, width int) []string {
	text := job.Status.State
	if !isUnderWay(job) {
		text = whyNot(job)
	}
	lines := fitted(job.Name+" "+text, width-1) // the name stands apart
	if rest, whole := strings.CutPrefix(lines[0], job.Name); whole {
		lines[0] = style.bold(job.Name) + " " + rest
	}
	return lines
}

func progressLines(job *classifierv1alpha1.ClassifierTrainingJob, style style, width int, now time.Time) []string {
	progress := job.Status.Progress
	if progress == nil {
		return nil
	}
	share := bar(float64(progress.Percent)/100, min(barWidth, width/2))
	steps := fmt.Sprintf("step %d", progress.Step)
	if progress.TotalSteps != nil {
		steps += fmt.Sprintf(" of %d", *progress.TotalSteps)
	}
	text := cutTo(fmt.Sprintf(" %3d %%  %s, %s", progress.Percent, steps, timeToGo(job, now)), width-utf8.RuneCountInString(share))
	if isTrue(job.Status.Conditions, classifierv1alpha1.ConditionComplete) {
		share = style.good(share)
	}
	lines := []string{"", share + text}
	if measured := measuredOf(job); measured != "" {
		lines = append(lines, fitted(measured, width)...)
	}
	return lines
}

func eventLines(events []corev1.Event, style style, width int) (lines []string) {
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
	return lines
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
func lossCurve(history []classifierv1alpha1.LossPoint, style style) []string {
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
		paint  string
		colour asciigraph.AnsiColor
	}{{"train_loss", train, "34", asciigraph.Navy}, {"validation_loss", validation, "33", asciigraph.Olive}} {
		if values := joined(one.values); len(values) > 1 {
			series, names, colours = append(series, values), append(names, style.paint(one.paint, one.name)), append(colours, one.colour)
		}
	}
	if len(series) == 0 {
		return nil
	}
	options := []asciigraph.Option{asciigraph.Height(curveLines), asciigraph.Width(curveWidth), asciigraph.Precision(3)}
	if style {
		options = append(options, asciigraph.SeriesColors(colours...))
	}
	caption := fmt.Sprintf("%*s%s, step %d to %d", marginWidth, "", strings.Join(names, " and "), history[0].Step, history[len(history)-1].Step)
	return append(strings.Split(asciigraph.PlotMany(series, options...), "\n"), caption)
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

// fitted is a text in lines that no terminal of the width breaks.
func fitted(text string, width int) []string {
	lines := wrap(text, width)
	for i := range lines {
		lines[i] = cutTo(lines[i], width)
	}
	return lines
}

// cutTo cuts a line that a terminal would break, which would spoil counting them.
func cutTo(line string, width int) string {
	runes := []rune(line)
	if len(runes) <= width {
		return line
	}
	return string(runes[:max(width-1, 0)]) + "…"
}
