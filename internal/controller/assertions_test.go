package controller

import (
	"fmt"
	"slices"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func equal[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s: got %v, want %v", what, got, want)
	}
	return nil
}

func containsAll(got []string, want ...string) error {
	for _, element := range want {
		if !slices.Contains(got, element) {
			return fmt.Errorf("%s is missing among %v", element, got)
		}
	}
	return nil
}

// best is the label with the highest score.
func best(target mistral.TargetScores) string {
	highest := slices.MaxFunc(target.Scores, func(a, b mistral.Score) int {
		switch {
		case a.Score < b.Score:
			return -1
		case a.Score > b.Score:
			return 1
		}
		return 0
	})
	return highest.Label
}
