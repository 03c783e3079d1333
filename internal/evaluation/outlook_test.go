package evaluation

import (
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func TestOutlook(t *testing.T) {
	curve := func(f1 ...float64) (points []mistral.CurvePoint) {
		for i, value := range f1 {
			points = append(points, mistral.CurvePoint{Rows: 1000 << i, F1Micro: value})
		}
		return points
	}
	for _, test := range []struct {
		reason  string
		curve   []mistral.CurvePoint
		samples int64
		want    string
	}{
		{"each doubling takes a fifth of the mistakes away", curve(0.75, 0.8, 0.84), 1000, "Twice the rows would probably bring about 3 points."},
		{"half a point is the least that is counted in", curve(0.9, 0.924, 0.942), 1000, "Twice the rows would probably bring about 1.5 points."},
		{"a gain that is hardly worth the rows", curve(0.965, 0.97, 0.975), 5000, "Twice the rows would probably bring less than half a point."},
		{"nothing is gained", curve(0.9, 0.9, 0.9), 1000, "More rows like these would probably change little: 1000 did about as well as 4000."},
		{"what is gained may be chance", curve(0.75, 0.8, 0.84), 40, "More rows like these would probably change little: 1000 did about as well as 4000."},
		{"worse by chance", curve(0.91, 0.9, 0.9), 1000, "More rows like these would probably change little: 1000 did about as well as 4000."},
		{"no mistakes are left", curve(0.8, 0.9, 1), 1000, "Twice the rows would probably bring less than half a point."},
		{"no curve", nil, 1000, ""},
		{"nothing that it was measured on", curve(0.8, 0.9, 1), 0, ""},
	} {
		if got := Outlook(test.curve, test.samples); got != test.want {
			t.Errorf("%s: %q, want %q", test.reason, got, test.want)
		}
	}
}
