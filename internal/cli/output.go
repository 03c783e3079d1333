package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"sigs.k8s.io/yaml"
)

// output is the flag -o.
type output string

func (o *output) addTo(cmd *cobra.Command) {
	cmd.Flags().StringVarP((*string)(o), "output", "o", "", "Print json or yaml instead of text.")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"json", "yaml"}, cobra.ShellCompDirectiveNoFileComp)))
}

// print prints the value in the form that was asked for; printed is false if none was.
func (o output) print(to io.Writer, value any) (printed bool, err error) {
	var encoded []byte
	switch o {
	case "":
		return false, nil
	case "json":
		if encoded, err = json.MarshalIndent(value, "", "  "); err == nil {
			encoded = append(encoded, '\n')
		}
	case "yaml":
		encoded, err = yaml.Marshal(value)
	default:
		err = fmt.Errorf("--output %s: want json or yaml", o)
	}
	if err == nil {
		_, err = to.Write(encoded)
	}
	return true, err
}

// check refuses a form that there is not before anything is done.
func (o output) check() error {
	_, err := o.print(io.Discard, nil)
	return err
}

// isTerminal reports whether somebody looks at a stream.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// window is how many characters a line of a terminal has, and how many lines there are.
type window struct{ width, height int }

func windowOf(stream any) window {
	if file, ok := stream.(*os.File); ok {
		if width, height, err := term.GetSize(int(file.Fd())); err == nil && width > 0 && height > 0 {
			return window{width, height}
		}
	}
	return window{80, 24}
}

// widthOf is that of the lines of a stream; 0: nobody looks, and they may be of any.
func widthOf(stream any) int {
	if !isTerminal(stream) {
		return 0
	}
	return windowOf(stream).width
}

// wrap breaks a text between words into lines of a width; 0: none.
func wrap(text string, width int) []string {
	lines := []string{""}
	for _, word := range strings.Fields(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case width > 0 && utf8.RuneCountInString(*last)+1+utf8.RuneCountInString(word) > width:
			lines = append(lines, word)
		default:
			*last += " " + word
		}
	}
	return lines
}

// style colours text where somebody looks at it and has nothing against that.
type style bool

func styleOf(stream any) style { return style(isTerminal(stream) && os.Getenv("NO_COLOR") == "") }

func (s style) paint(code, text string) string {
	if !s {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) good(text string) string { return s.paint("32", text) }
func (s style) bad(text string) string  { return s.paint("31", text) }
func (s style) busy(text string) string { return s.paint("33", text) }
func (s style) bold(text string) string { return s.paint("1", text) }

// table writes rows with columns of the same width. Cells are not coloured: the width of
// a colour would count.
func table(to io.Writer, rows [][]string) error {
	writer := tabwriter.NewWriter(to, 0, 0, 3, ' ', 0)
	for _, row := range rows {
		printf(writer, "%s\n", strings.Join(row, "\t"))
	}
	return writer.Flush()
}

// bar is a share of so many characters.
func bar(share float64, width int) string {
	full := min(max(int(share*float64(width)+0.5), 0), width)
	return strings.Repeat("█", full) + strings.Repeat("░", width-full)
}

// printable takes out of a text of others what a terminal would obey.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, text)
}
