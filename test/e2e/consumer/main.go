// The consumer: what a Deployment that mounts the published Secret does. It prints the label of
// a text, by what the Secret's keys say in the environment.
package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "consumer:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	factory, err := mistral.NewClient(mistral.Config{BaseURL: os.Getenv("URI"), Key: mistral.NewKey(os.Getenv("API_KEY"))})
	if err != nil {
		return err
	}
	text := os.Getenv("TEXT")
	answer, err := factory.Classify(ctx, mistral.ClassifyRequest{Model: os.Getenv("MODEL"), Input: []string{text}})
	if err != nil {
		return err
	}
	for target, result := range answer.Results[0] {
		best := slices.MaxFunc(result.Scores, func(a, b mistral.Score) int { return cmp.Compare(a.Score, b.Score) })
		fmt.Printf("%q is of %s %s\n", text, target, best.Label)
	}
	return nil
}
