package samples

import (
	"fmt"
	"slices"
	"strings"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
)

// Verdict is what samples turned out to be: the condition Validated.
type Verdict struct {
	Good            bool
	Reason, Message string
}

// Judge says what the samples turned out to be.
func Judge(prepared *dataset.Prepared) Verdict {
	report := &prepared.Report
	switch {
	case report.Problem != nil && report.Problem.Reason == dataset.TooManyInvalid:
		first := report.InvalidSamples[0]
		return Verdict{
			Reason: classifierv1alpha1.ReasonInvalidSamples,
			Message: fmt.Sprintf("%s; the first: %s%s (%s). Correct the source",
				report.Problem.Detail, first.Place(), first.Detail, first.Reason),
		}
	case report.Problem != nil:
		return Verdict{
			Reason:  classifierv1alpha1.ReasonInvalidDataset,
			Message: report.Problem.Error(),
		}
	}
	message := fmt.Sprintf("%d samples are valid, %d are skipped as invalid", report.Samples, report.Invalid)
	if len(prepared.Warnings) == 0 {
		return Verdict{Good: true, Reason: classifierv1alpha1.ReasonValid, Message: message}
	}
	return Verdict{
		Good:    true,
		Reason:  classifierv1alpha1.ReasonValidWithWarnings,
		Message: fmt.Sprintf("%s; status.warnings says more: %s", message, strings.Join(warningReasons(prepared.Warnings), ", ")),
	}
}

// warningReasons names each reason once.
func warningReasons(warnings []dataset.Warning) (reasons []string) {
	for _, warning := range warnings {
		if reason := string(warning.Reason); !slices.Contains(reasons, reason) {
			reasons = append(reasons, reason)
		}
	}
	return reasons
}
