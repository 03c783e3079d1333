package controller

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// TestEventsOfTheReference holds the list of events on each kind's page against what the
// operator sends: of the page's reasons each is listed as what the code makes of it, and
// so is each condition whose changes are told.
func TestEventsOfTheReference(t *testing.T) {
	uses := reasonUses(t)
	for _, name := range []string{"classifierdataset.md", "classifiertrainingjob.md"} {
		content, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", name))
		if err != nil {
			t.Fatal(err)
		}
		page := string(content)
		events := section(t, page, "Events")
		// Each reason and each condition has a row of its own: another test holds that.
		for _, reason := range rows(section(t, page, "Reasons")) {
			for listed, words := range eventRows(events) {
				if want := uses.event(reason); slices.Contains(words, reason) != (listed == want) {
					t.Errorf("%s: %s is an event of the type %q, and listed under %s: %t", name, reason, want, listed, listed != want)
				}
			}
		}
		for listed, words := range eventRows(events) {
			for _, word := range words {
				if !slices.Contains(rows(section(t, page, "Reasons")), word) {
					t.Errorf("%s: %s under %s is no reason", name, word, listed)
				}
			}
		}
		told := slices.DeleteFunc(rows(section(t, page, "Conditions")), func(kind string) bool { return untold[kind] })
		sentence, _, _ := strings.Cut(events, " is an event")
		if named := words(sentence); !slices.Equal(slices.Sorted(slices.Values(named)), slices.Sorted(slices.Values(told))) {
			t.Errorf("%s: changes of %q are told, and these are named: %q", name, told, named)
		}
	}
}

// section is what stands under a heading of the third level.
func section(t *testing.T, page, heading string) string {
	t.Helper()
	_, text, found := strings.Cut(page, "\n### "+heading+"\n")
	if !found {
		t.Fatalf("there is no section %s", heading)
	}
	text, _, _ = strings.Cut(text, "\n#")
	return text
}

var (
	row  = regexp.MustCompile(`(?m)^\| (.*?) \|(.*)\|$`)
	word = regexp.MustCompile("`(\\w+)`")
)

// words are what stands in backticks.
func words(text string) (all []string) {
	for _, match := range word.FindAllStringSubmatch(text, -1) {
		all = append(all, match[1])
	}
	return all
}

// rows are the words that the rows of a table begin with.
func rows(text string) (all []string) {
	for _, match := range row.FindAllStringSubmatch(text, -1) {
		all = append(all, words(match[1])...)
	}
	return all
}

// eventRows are the reasons by the type of their event, "none" for none.
func eventRows(text string) map[string][]string {
	byType := map[string][]string{}
	for _, match := range row.FindAllStringSubmatch(text, -1) {
		if kind := strings.Trim(match[1], "`"); kind == "none" || len(words(match[1])) == 1 {
			byType[kind] = words(match[2])
		}
	}
	return byType
}

// uses is how often each reason is used in the package and in the verdict on samples, and for which conditions as the
// one that they are True for.
type uses struct {
	count map[string]int
	good  map[string][]string
}

// event is the type of the event that a reason is: as which condition's it is told, if
// it is any's.
func (u uses) event(reason string) string {
	good := u.good[reason]
	told := slices.DeleteFunc(slices.Clone(good), func(kind string) bool { return untold[kind] })
	switch {
	case untoldReasons[reason]:
		return "none"
	case len(told) > 0:
		return eventType(metav1.Condition{Type: told[0], Status: metav1.ConditionTrue, Reason: reason})
	case len(good) > 0 && len(good) == u.count[reason]:
		return "none"
	}
	return eventType(metav1.Condition{Type: classifierv1alpha1.ConditionUploaded, Status: metav1.ConditionFalse, Reason: reason})
}

// reasonUses reads the code: a reason that a finding is good for, or that a condition
// becomes True with, is told as such; any other says what stands in the way.
func reasonUses(t *testing.T) uses {
	t.Helper()
	names := reasonNames(t)
	found := uses{count: map[string]int{}, good: map[string][]string{}}
	nameOf := func(expression ast.Expr) string {
		if selector, ok := expression.(*ast.SelectorExpr); ok {
			return names[selector.Sel.Name]
		}
		return ""
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, filepath.Join("..", "samples", "verdict.go"))
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") || path == "events.go" {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.SelectorExpr:
				found.count[names[node.Sel.Name]]++
			case *ast.CompositeLit:
				fields := map[string]ast.Expr{}
				for _, element := range node.Elts {
					if field, ok := element.(*ast.KeyValueExpr); ok {
						if name, ok := field.Key.(*ast.Ident); ok {
							fields[strings.ToLower(name.Name)] = field.Value
						}
					}
				}
				if good, ok := fields["good"].(*ast.Ident); ok && good.Name == "true" {
					reason := nameOf(fields["reason"])
					found.good[reason] = append(found.good[reason], classifierv1alpha1.ConditionUploaded) // as any that is told
				}
			case *ast.CallExpr:
				if function, ok := node.Fun.(*ast.SelectorExpr); ok && function.Sel.Name == "setTrue" {
					if reason := nameOf(node.Args[1]); reason != "" {
						found.good[reason] = append(found.good[reason], nameOf(node.Args[0]))
					}
				}
			}
			return true
		})
	}
	if len(found.good) < 10 {
		t.Fatalf("only these reasons are read as good: %q", slices.Sorted(maps.Keys(found.good)))
	}
	return found
}

// reasonNames are the values of the API's constants by their names.
func reasonNames(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "api", "v1alpha1", "conditions.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	ast.Inspect(file, func(node ast.Node) bool {
		if constant, ok := node.(*ast.ValueSpec); ok {
			names[constant.Names[0].Name] = strings.Trim(constant.Values[0].(*ast.BasicLit).Value, `"`)
		}
		return true
	})
	return names
}
