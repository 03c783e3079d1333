package main

import (
	"cmp"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
)

// tfIDF makes texts into vectors: lower-cased word 1-2-grams and the character 2-5-grams
// within words, weighted by TF-IDF, each of the two groups of length one.
type tfIDF struct {
	indices map[string]int // from one, as liblinear counts
	idf     []float64
}

type feature struct {
	index int
	value float64
}

func newTFIDF(texts []labelledText) *tfIDF {
	frequencies := map[string]int{}
	for _, text := range texts {
		for _, group := range ngramGroups(text.text) {
			for ngram := range group {
				frequencies[ngram]++
			}
		}
	}
	f := &tfIDF{indices: map[string]int{}, idf: []float64{0}}
	for _, ngram := range slices.Sorted(maps.Keys(frequencies)) {
		if frequency := frequencies[ngram]; frequency > 1 {
			f.indices[ngram] = len(f.idf)
			f.idf = append(f.idf, math.Log(float64(1+len(texts))/float64(1+frequency))+1)
		}
	}
	return f
}

// vector is ascending by index.
func (f *tfIDF) vector(text string) []feature {
	var vector []feature
	for _, group := range ngramGroups(text) {
		start, square := len(vector), 0.0
		for ngram, count := range group {
			if index := f.indices[ngram]; index > 0 {
				value := math.Sqrt(float64(count)) * f.idf[index]
				vector = append(vector, feature{index, value})
				square += value * value
			}
		}
		for i := start; i < len(vector); i++ {
			vector[i].value /= math.Sqrt(square)
		}
	}
	slices.SortFunc(vector, func(a, b feature) int { return cmp.Compare(a.index, b.index) })
	return vector
}

var wordPattern = regexp.MustCompile(`[\pL\pM\pN]+|[^\s\pL\pM\pN]`)

const (
	shortestNGram = 2
	longestNGram  = 5
)

// ngramGroups count the n-grams of words and those of characters, which differ by what
// they begin with.
func ngramGroups(text string) [2]map[string]int {
	groups := [2]map[string]int{{}, {}}
	previous := ""
	for _, word := range wordPattern.FindAllString(strings.ToLower(text), -1) {
		groups[0]["word "+word]++
		groups[0]["words "+previous+" "+word]++
		previous = word
		characters := []rune(" " + word + " ")
		for start := range characters {
			for end := start + shortestNGram; end <= min(start+longestNGram, len(characters)); end++ {
				groups[1]["characters "+string(characters[start:end])]++
			}
		}
	}
	return groups
}
