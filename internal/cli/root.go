// Package cli is the commands of `kubectl classifier`, one a file. They read what the
// operator wrote and decide nothing that it decides.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/classifier-factory/classifier-factory/internal/version"
)

// The exit codes, which docs/reference/kubectl-classifier.md explains.
const (
	exitFailure     = 1 // the command could not do what it was asked to
	exitNotGood     = 2 // lint: something is invalid; watch, wait: the training failed
	exitNeedsPerson = 3 // watch, wait: nothing goes on until somebody acts
	exitTimeout     = 4 // watch, wait: it took longer than --timeout
)

// exit ends a command that did what it was asked to with another code than 0. What is to
// be said has been said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// command is what all commands share.
type command struct {
	genericiooptions.IOStreams
	kube *genericclioptions.ConfigFlags
}

// Run runs a command and gives its exit code.
func Run(ctx context.Context, arguments []string, streams genericiooptions.IOStreams) int {
	root := NewCommand(streams)
	root.SetArgs(arguments)
	err := root.ExecuteContext(ctx)
	var code exit
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	printf(streams.ErrOut, "error: %v\n", err)
	if errors.Is(err, errTimeout) {
		return exitTimeout
	}
	return exitFailure
}

// NewCommand makes the command with all below it.
func NewCommand(streams genericiooptions.IOStreams) *cobra.Command {
	c := &command{IOStreams: streams, kube: genericclioptions.NewConfigFlags(true)}
	root := &cobra.Command{
		Use:   "kubectl-classifier",
		Short: "Check data, follow trainings and try models of Classifier Factory",
		Long: `Check data, follow trainings and try models of Classifier Factory.

NAME is that of a ClassifierTrainingJob; cds/NAME is that of a ClassifierDataset.
Colours are used on a terminal, unless NO_COLOR is set.`,
		Version:       version.Line(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl classifier"},
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.ErrOut)
	c.kube.AddFlags(root.PersistentFlags())
	root.AddCommand(
		c.lintCommand(),
		c.getCommand(),
		c.explainCommand(),
		c.watchCommand(),
		c.waitCommand(),
		c.tryCommand(),
		c.compareCommand(),
		c.cancelCommand(),
		c.retryCommand(),
		c.gcCommand(),
		c.keysCommand(),
		c.supportBundleCommand(),
	)
	return root
}

// printf writes to a stream whose reader may have gone: then there is nobody to tell.
func printf(to io.Writer, format string, arguments ...any) {
	_, _ = fmt.Fprintf(to, format, arguments...)
}
