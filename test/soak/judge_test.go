package soak

import "testing"

func TestGrowthIsSeen(t *testing.T) {
	series := func(value func(i int) float64) (values []float64) {
		for i := range 60 {
			values = append(values, value(i))
		}
		return values
	}
	for _, test := range []struct {
		reason string
		values []float64
		pace   float64
		flat   bool
	}{
		{"nothing was measured", nil, 1, false},
		{"always the same", series(func(int) float64 { return 100 }), 1, true},
		{"it fills in the first third", series(func(i int) float64 { return float64(min(i*10, 200)) }), 1, true},
		{"up and down", series(func(i int) float64 { return float64(100 + i%7*20) }), 1, true},
		{"one that stands out", series(func(i int) float64 { return 100 + float64(i/59*1000) }), 1, true},
		{"up, and up", series(func(i int) float64 { return float64(i * 10) }), 1, false},
		{"a step up in the last third", series(func(i int) float64 { return 100 + float64(i/45*100) }), 1, false},
		{"twice as much, at twice the pace", series(func(i int) float64 { return 100 + float64(i/40*100) }), 2, true},
		{"three times as much, at twice the pace", series(func(i int) float64 { return 100 + float64(i/40*200) }), 2, false},
	} {
		if got := judge("", 10, test.pace, test.values); got.flat != test.flat {
			t.Errorf("%s: judged %+v", test.reason, got)
		}
	}
}
