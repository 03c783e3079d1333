package evaluation

import (
	"fmt"
	"math"
	"strconv"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// leastPoints is what is worth a number: a gain of less is called small.
const leastPoints = 0.5

// Outlook says in a sentence what twice the rows would probably bring, from a learning curve
// of ascending rows that was measured on so many samples. It is empty where there is no curve.
//
// Each doubling of the rows takes about the same share of the mistakes away, as long as the
// rows are more of the same: learning curves are mostly power laws. What is within the error
// of the measurement counts as no gain.
func Outlook(curve []mistral.CurvePoint, samples int64) string {
	if len(curve) < 2 || samples == 0 {
		return ""
	}
	few, all := curve[0], curve[len(curve)-1]
	before, mistakes := 1-few.F1Micro, 1-all.F1Micro
	// The same samples are answered twice: at most those that are wrong once differ.
	if before-mistakes <= math.Sqrt((before+mistakes)/float64(samples)) {
		return fmt.Sprintf("More rows like these would probably change little: %d did about as well as %d.", few.Rows, all.Rows)
	}
	doublings := math.Log2(float64(all.Rows) / float64(few.Rows))
	points := 100 * mistakes * (1 - math.Pow(mistakes/before, 1/doublings))
	if points < leastPoints {
		return "Twice the rows would probably bring less than half a point."
	}
	return fmt.Sprintf("Twice the rows would probably bring about %s points.", strconv.FormatFloat(math.Round(2*points)/2, 'f', -1, 64))
}
