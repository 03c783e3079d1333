package main

import (
	"math/rand/v2"
	"testing"
)

// Probabilities that are right have an error of calibration nonetheless, by chance: what noise
// says is what they have on average.
func TestCalibrationNoise(t *testing.T) {
	const draws = 2000
	random, sum, noise := rand.New(rand.NewPCG(1, 1)), 0.0, 0.0
	for range draws {
		var c calibrationBins
		for range 600 {
			p := 0.5 + random.Float64()/2
			label := 0
			if random.Float64() >= p {
				label = 1
			}
			c.add([]float64{p, 1 - p}, []int{label})
		}
		sum += c.error() / draws
		noise += c.noise() / draws
	}
	if noise < 0.95*sum || noise > 1.05*sum {
		t.Errorf("noise is %.4f, the error by chance %.4f", noise, sum)
	}
}
