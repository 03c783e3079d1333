package controller

import (
	"math"
	"net/url"
	"regexp"
	"strconv"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/internal/samples"
)

// A status with one value that the schema refuses is refused as a whole. What a
// server sends is therefore fitted to the schema, or left out.
const (
	maxStateLength   = 64
	maxModelIDLength = 256
	maxDecimalLength = 24
	maxRunURLLength  = 512 // escaping may double it
	maxTargetLength  = 128
	maxCurvePoints   = 4
)

var currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)

// fitState keeps a state that no version of the protocol knows.
func fitState(state mistral.JobStatus) string {
	return samples.Cut(string(state), maxStateLength)
}

// fitCost is nil for anything that is no amount of money.
func fitCost(metadata *mistral.JobMetadata) *classifierv1alpha1.Cost {
	if metadata == nil || metadata.Cost == nil || metadata.CostCurrency == nil {
		return nil
	}
	amount := strconv.FormatFloat(*metadata.Cost, 'f', -1, 64)
	if !(*metadata.Cost >= 0) || math.IsInf(*metadata.Cost, 0) || len(amount) > maxDecimalLength || !currencyCode.MatchString(*metadata.CostCurrency) {
		return nil
	}
	return &classifierv1alpha1.Cost{Amount: classifierv1alpha1.Decimal(amount), Currency: *metadata.CostCurrency}
}

// fitModel is nil while there is no model to classify with.
func fitModel(job *mistral.DetailedJob) *classifierv1alpha1.ModelStatus {
	if job.Status != mistral.JobSuccess || job.FineTunedModel == nil || *job.FineTunedModel == "" || len(*job.FineTunedModel) > maxModelIDLength {
		return nil
	}
	return &classifierv1alpha1.ModelStatus{ID: *job.FineTunedModel}
}

// fitCount is nil for a count that cannot be.
func fitCount(count *int64) *int64 {
	if count == nil || *count < 0 {
		return nil
	}
	return count
}

// fitMetric gives four digits, and nothing for what is no measure of quality.
func fitMetric(value float64) string {
	if !(math.Abs(value) < 1e9) {
		return ""
	}
	return strconv.FormatFloat(math.Round(value*1e4)/1e4, 'f', -1, 64)
}

// fitCurve is nil for what is no learning curve.
func fitCurve(curve []mistral.CurvePoint) []classifierv1alpha1.LearningCurvePoint {
	if len(curve) < 2 || len(curve) > maxCurvePoints {
		return nil
	}
	var points []classifierv1alpha1.LearningCurvePoint
	last := int64(0)
	for _, point := range curve {
		if point.Rows <= last || !(point.F1Micro >= 0 && point.F1Micro <= 1) {
			return nil
		}
		last = point.Rows
		points = append(points, classifierv1alpha1.LearningCurvePoint{Samples: point.Rows, F1Micro: classifierv1alpha1.Decimal(fitMetric(point.F1Micro))})
	}
	return points
}

// fitsTarget tells whether a target's name has room.
func fitsTarget(name string) bool { return name != "" && len(name) <= maxTargetLength }

// fitRunURL is the page of the run at Weights & Biases, once there is one.
func fitRunURL(integrations []mistral.Integration) string {
	for _, integration := range integrations {
		if integration.URL == nil || len(*integration.URL) > maxRunURLLength {
			continue
		}
		page, err := url.Parse(*integration.URL)
		if err == nil && page.Scheme == "https" && page.Host != "" && page.User == nil && page.RawQuery == "" && page.Fragment == "" {
			return page.String()
		}
	}
	return ""
}

// fitLoss gives four digits. The protocol has 0 where nothing was measured.
func fitLoss(loss *float64) classifierv1alpha1.Decimal {
	if loss == nil || !(*loss > 1e-99 && *loss < 1e99) {
		return ""
	}
	return classifierv1alpha1.Decimal(strconv.FormatFloat(*loss, 'g', 4, 64))
}
