// The chart's README: the table of its values is made of their comments in values.yaml.
// `make manifests` runs it with the chart's folder.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The table stands between these lines.
const (
	begin = "<!-- values: made by make manifests -->\n"
	end   = "<!-- end of values -->\n"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: chartreadme FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "chartreadme:", err)
		os.Exit(1)
	}
}

func run(folder string) error {
	content, err := os.ReadFile(filepath.Join(folder, "values.yaml"))
	if err != nil {
		return err
	}
	rows, err := table(content)
	if err != nil {
		return err
	}
	path := filepath.Join(folder, "README.md")
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := bytes.Cut(page, []byte(begin))
	_, after, ends := bytes.Cut(rest, []byte(end))
	if !found || !ends {
		return fmt.Errorf("%s has no place for the values: the lines %q and %q", path, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	written := bytes.Join([][]byte{before, []byte(rows), after}, nil)
	if bytes.Equal(written, page) {
		return nil
	}
	return os.WriteFile(path, written, 0o644) //nolint:gosec // it is read by everybody
}

// table has a row for each value that has a comment, and for each that is not a group.
func table(values []byte) (string, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(values, &document); err != nil {
		return "", err
	}
	var rows strings.Builder
	rows.WriteString(begin + "| Value | Default | |\n|---|---|---|\n")
	err := addRows(&rows, "", document.Content[0])
	rows.WriteString(end)
	return rows.String(), err
}

func addRows(rows *strings.Builder, prefix string, mapping *yaml.Node) error {
	var problems []error
	for i := 0; i < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		name := prefix + key.Value
		comment := strings.ReplaceAll(strings.ReplaceAll(key.HeadComment, "\n# ", " "), "# ", "")
		isGroup := value.Kind == yaml.MappingNode && len(value.Content) > 0 && key.Value != "resources"
		switch {
		case isGroup:
			problems = append(problems, addRows(rows, name+".", value))
		default:
			shown, err := inOneLine(value)
			problems = append(problems, err)
			fmt.Fprintf(rows, "| `%s` | %s | %s |\n", name, shown, strings.ReplaceAll(comment, "|", `\|`))
		}
	}
	return errors.Join(problems...)
}

func inOneLine(value *yaml.Node) (string, error) {
	if value.Kind == yaml.MappingNode && len(value.Content) > 0 {
		return "see `values.yaml`", nil
	}
	shown, err := yaml.Marshal(value)
	return "`" + strings.TrimSpace(string(shown)) + "`", err
}
