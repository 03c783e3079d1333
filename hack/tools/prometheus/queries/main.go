// Queries reads queries of Prometheus, a JSON array of strings, and writes what each asks for, as Prometheus itself
// reads it: the metrics with the labels that choose among their series, and the labels that results are grouped by.
// The tests of dashboards and alerts run it.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// query is what a query asks for, or why it is none.
type query struct {
	Selectors []selector `json:"selectors"`
	Error     string     `json:"error,omitempty"`
}

// selector is a metric, and labels that it must have.
type selector struct {
	Metric string   `json:"metric"`
	Labels []string `json:"labels"`
}

func main() {
	var texts []string
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		fmt.Fprintln(os.Stderr, "queries: reading the queries:", err)
		os.Exit(1)
	}
	queries := make([]query, len(texts))
	for i, text := range texts {
		queries[i] = read(text)
	}
	if err := json.NewEncoder(os.Stdout).Encode(queries); err != nil {
		fmt.Fprintln(os.Stderr, "queries: writing what they ask for:", err)
		os.Exit(1)
	}
}

func read(text string) (found query) {
	expression, err := parser.NewParser(parser.Options{}).ParseExpr(text)
	if err != nil {
		return query{Error: err.Error()}
	}
	parser.Inspect(expression, func(node parser.Node, path []parser.Node) error {
		vector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		one := selector{Metric: vector.Name, Labels: groupedBy(path)}
		for _, matcher := range vector.LabelMatchers {
			if matcher.Name != labels.MetricName {
				one.Labels = append(one.Labels, matcher.Name)
			}
		}
		found.Selectors = append(found.Selectors, one)
		return nil
	})
	return found
}

// groupedBy has the labels of the aggregations around a selector.
func groupedBy(path []parser.Node) []string {
	var grouping []string
	for _, node := range path {
		if aggregation, ok := node.(*parser.AggregateExpr); ok && !aggregation.Without {
			grouping = append(grouping, aggregation.Grouping...)
		}
	}
	slices.Sort(grouping)
	return slices.Compact(grouping)
}
