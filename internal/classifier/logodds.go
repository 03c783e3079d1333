package classifier

import "math"

// logOdds are the coefficients that make the margin of a label into the log-odds that
// it applies: of the margin itself, of what the other labels claim, and a constant.
type logOdds [3]float64

// believedLogOdds are right when margins are log-odds already.
var believedLogOdds = logOdds{1, 0, 0}

const (
	// logOddsPrior is the weight of what is believed, in labels of even odds.
	logOddsPrior = 10
	// logOddsUpdates is more than Newton's method takes to converge.
	logOddsUpdates = 12
	// largestCoefficient is far above what is plausible.
	largestCoefficient = 100
)

// probabilities sets probabilities to those of the margins of one example.
func (l *logOdds) probabilities(margins []float32, probabilities []float64) {
	claimed := claims(margins)
	for label, margin := range margins {
		probabilities[label] = l.probability(logOddsFeatures(margin, claimed))
	}
}

func (l *logOdds) probability(x [3]float64) float64 {
	return sigmoid(l[0]*x[0] + l[1]*x[1] + l[2]*x[2])
}

func sigmoid(x float64) float64 {
	return 1 / (1 + math.Exp(-x))
}

// claims is the number of labels that would apply if margins were log-odds.
func claims(margins []float32) float64 {
	sum := 0.0
	for _, margin := range margins {
		sum += sigmoid(float64(margin))
	}
	return sum
}

func logOddsFeatures(margin float32, claimed float64) [3]float64 {
	others := max(claimed-sigmoid(float64(margin)), 0)
	return [3]float64{float64(margin), math.Log(others + 0.1), 1} // where nothing is claimed, how little does not matter
}

// fitLogOdds fits the coefficients by logistic regression (Platt 1999).
func fitLogOdds(m labelMargins) logOdds {
	l := believedLogOdds
	for range logOddsUpdates {
		gradient, hessian := l.derivatives(m)
		for i, step := range solve(hessian, gradient) {
			l[i] -= step
		}
	}
	if !l.plausible() {
		return believedLogOdds // Newton's method went astray
	}
	return l
}

func (l *logOdds) plausible() bool {
	for _, coefficient := range l {
		if !(math.Abs(coefficient) <= largestCoefficient) {
			return false
		}
	}
	return true
}

// derivatives are those of the loss.
func (l *logOdds) derivatives(m labelMargins) (gradient [3]float64, hessian [3][3]float64) {
	for i := range l {
		gradient[i] = logOddsPrior / 4 * (l[i] - believedLogOdds[i])
		hessian[i][i] = logOddsPrior / 4
	}
	for start := 0; start < len(m.margins); start += m.labels {
		claimed := claims(m.margins[start : start+m.labels])
		for i := start; i < start+m.labels; i++ {
			x := logOddsFeatures(m.margins[i], claimed)
			p := l.probability(x)
			excess := p
			if m.applies[i] {
				excess--
			}
			for j := range x {
				gradient[j] += excess * x[j]
				for k := range x {
					hessian[j][k] += p * (1 - p) * x[j] * x[k]
				}
			}
		}
	}
	return gradient, hessian
}

// solve returns x with a·x = b for a positive definite a, by Gaussian elimination.
func solve(a [3][3]float64, b [3]float64) (x [3]float64) {
	for i := range a {
		for j := i + 1; j < len(a); j++ {
			factor := a[j][i] / a[i][i]
			for k := i; k < len(a); k++ {
				a[j][k] -= factor * a[i][k]
			}
			b[j] -= factor * b[i]
		}
	}
	for i := len(a) - 1; i >= 0; i-- {
		x[i] = b[i]
		for k := i + 1; k < len(a); k++ {
			x[i] -= a[i][k] * x[k]
		}
		x[i] /= a[i][i]
	}
	return x
}
