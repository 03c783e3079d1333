package cli

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

var update = flag.Bool("update", false, "write the commands' part of the reference anew")

// TestReference holds docs/reference/kubectl-classifier.md to what the commands say of
// themselves. Below the marker the page is generated, by go test ./internal/cli -update.
func TestReference(t *testing.T) {
	const marker = "<!-- Generated from here on: go test ./internal/cli -update -->\n"
	page := filepath.Join("..", "..", "docs", "reference", "kubectl-classifier.md")
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	written, generated, found := strings.Cut(string(content), marker)
	if !found {
		t.Fatalf("%s has no marker", page)
	}
	want := reference()
	if *update {
		if err := os.WriteFile(page, []byte(written+marker+want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if generated != want {
		t.Errorf("%s is not what the commands say; run go test ./internal/cli -update", page)
	}
	for _, code := range []int{exitFailure, exitNotGood, exitNeedsPerson, exitTimeout} {
		if !strings.Contains(written, fmt.Sprintf("\n| `%d` |", code)) {
			t.Errorf("exit code %d is not explained", code)
		}
	}
}

// reference is each command as a section.
func reference() string {
	var text strings.Builder
	writeCommands(&text, NewCommand(genericiooptions.NewTestIOStreamsDiscard()).Commands())
	return text.String()
}

func writeCommands(text *strings.Builder, commands []*cobra.Command) {
	for _, cmd := range commands {
		if cmd.Hidden || !cmd.IsAvailableCommand() || cmd.Name() == "completion" || cmd.Name() == "help" {
			continue
		}
		name := strings.TrimPrefix(cmd.CommandPath(), "kubectl classifier ")
		fmt.Fprintf(text, "\n## %s\n\n```text\n%s\n```\n\n%s\n", name, strings.TrimSuffix(cmd.UseLine(), " [flags]"), prose(cmd))
		if cmd.Example != "" {
			fmt.Fprintf(text, "\n```sh\n%s\n```\n", strings.ReplaceAll(cmd.Example, "\n  ", "\n")[2:])
		}
		writeFlags(text, cmd.LocalNonPersistentFlags())
		writeFlags(text, cmd.PersistentFlags())
		writeCommands(text, cmd.Commands())
	}
}

// prose is the long description as paragraphs of Markdown.
func prose(cmd *cobra.Command) string {
	if cmd.Long != "" {
		return cmd.Long
	}
	return cmd.Short + "."
}

func writeFlags(text *strings.Builder, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	text.WriteString("\n| Flag | Default | Meaning |\n|---|---|---|\n")
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" {
			return
		}
		name := "`--" + f.Name + "`"
		if f.Shorthand != "" {
			name = "`-" + f.Shorthand + "`, " + name
		}
		value := ""
		if f.DefValue != "" {
			value = "`" + f.DefValue + "`"
		}
		fmt.Fprintf(text, "| %s | %s | %s |\n", name, value, f.Usage)
	})
}
