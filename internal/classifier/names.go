package classifier

import (
	"math"
	"strings"
	"unicode"
)

// halvedName is the number of examples for each label from which its name weighs less
// than half of one.
const halvedName = 20

// nameExamples returns, for each label, an example whose text is the label's name: people
// call labels what texts with them are about. The fewer examples a label has, the more
// that says.
func nameExamples(s *survey, targets []Target) []Example {
	perLabel := float64(s.examples) / float64(columns(newHeads(targets)))
	weight := s.meanWeight() * halvedName / (halvedName + perLabel)
	var examples []Example
	for t, target := range targets {
		for label, name := range target.Labels {
			text := strings.Join(nameWords(name), " ")
			if text == "" {
				continue
			}
			if s.conversations {
				text = RenderChat([]Message{{Role: "user", Content: text}})
			}
			labels := make([][]int, len(targets))
			labels[t] = []int{label}
			examples = append(examples, Example{Text: text, Labels: labels, Weight: weight})
		}
	}
	return examples
}

// nameWords are the lower-cased words of a name such as lost_card, lost-card or LostCard.
func nameWords(name string) []string {
	var words []string
	var word []rune
	previous := ' '
	for _, r := range name + " " {
		letter := kindOf(r) == inWord
		if len(word) > 0 && (!letter || unicode.IsUpper(r) && unicode.IsLower(previous)) {
			words, word = append(words, string(word)), word[:0]
		}
		if letter {
			word = append(word, lower(r))
		}
		previous = r
	}
	return words
}

// kinship is what the names of a target's labels have in common. What is learned of a
// label is learned, in part, of its kin: of lost_card when an example is a stolen_card.
type kinship struct {
	words []sharedWord
	scale float32 // keeps the steps as long as without
}

// sharedWord is a word in the names of several labels.
type sharedWord struct {
	labels []int
	weight float32
}

// kinshipStrength times the inverse document frequency of a word in the names is what an
// example counts for the other labels with that word.
const kinshipStrength = 0.4

func newKinship(target Target) *kinship {
	byWord, words := map[string][]int{}, []string{}
	for label, name := range target.Labels {
		for _, word := range nameWords(name) {
			if labels := byWord[word]; labels == nil {
				words = append(words, word)
			} else if labels[len(labels)-1] == label {
				continue
			}
			byWord[word] = append(byWord[word], label)
		}
	}
	k := &kinship{}
	growth := 1.0 // of a label's own gradient, on average
	for _, word := range words {
		labels := byWord[word]
		weight := kinshipStrength * math.Log(float64(len(target.Labels))/float64(len(labels)))
		if len(labels) == 1 || weight == 0 {
			continue
		}
		k.words = append(k.words, sharedWord{labels, float32(weight)})
		growth += weight * float64(len(labels)) / float64(len(target.Labels))
	}
	k.scale = float32(1 / growth)
	return k
}

// spread adds to each label's gradient the gradients of its kin. It overwrites own.
func (k *kinship) spread(gradients, own []float32) {
	if len(k.words) == 0 {
		return
	}
	copy(own, gradients)
	for _, word := range k.words {
		sum := float32(0)
		for _, label := range word.labels {
			sum += own[label]
		}
		for _, label := range word.labels {
			gradients[label] += word.weight * sum
		}
	}
	for label := range gradients {
		gradients[label] *= k.scale
	}
}
