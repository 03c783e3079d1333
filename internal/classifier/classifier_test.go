package classifier

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	colours = Target{Name: "colour", Labels: []string{"red", "green", "blue"}, Loss: SingleClass, Weight: 1}
	topics  = Target{Name: "topic", Labels: []string{"price", "delivery", "quality"}, Loss: MultiClass, Weight: 1}
)

var fillers = []string{"please", "thank you", "i would like to say", "today", "my friend thinks", "again"}

// colourExamples name their colour among words that say nothing.
func colourExamples(n int) []Example {
	examples := make([]Example, n)
	for i := range examples {
		label := i % len(colours.Labels)
		examples[i] = Example{
			Text:   fmt.Sprintf("%s it is %s %s", fillers[i%len(fillers)], colours.Labels[label], fillers[i/3%len(fillers)]),
			Labels: [][]int{{label}},
		}
	}
	return examples
}

// topicExamples name every subset of the topics in turn.
func topicExamples(n int) []Example {
	examples := make([]Example, n)
	for i := range examples {
		words := []string{fillers[i%len(fillers)]}
		labels := []int{}
		for label, name := range topics.Labels {
			if (i%8)>>label&1 == 1 {
				labels = append(labels, label)
				words = append(words, name)
			}
		}
		examples[i] = Example{Text: strings.Join(words, " "), Labels: [][]int{labels}}
	}
	return examples
}

func corpusOf(t testing.TB, examples []Example) *Corpus {
	t.Helper()
	corpus, err := NewCorpus(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(corpus.Close)
	for _, example := range examples {
		if err := corpus.Add(example); err != nil {
			t.Fatal(err)
		}
	}
	return corpus
}

func train(t testing.TB, examples, valid []Example, options Options) *Model {
	t.Helper()
	trained, err := Train(t.Context(), corpusOf(t, examples), corpusOf(t, valid), options)
	if err != nil {
		t.Fatal(err)
	}
	return trained.Model
}

// newTestTrainer stops before anything is learned.
func newTestTrainer(t testing.TB, examples, valid *Corpus, options Options) *trainer {
	t.Helper()
	survey, err := check(t.Context(), examples, valid, options)
	if err != nil {
		t.Fatal(err)
	}
	trainer, err := newTrainer(t.Context(), examples, valid, survey, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(trainer.files.close)
	return trainer
}

func encode(t testing.TB, model *Model) []byte {
	t.Helper()
	var file bytes.Buffer
	n, err := model.WriteTo(&file)
	if err != nil || n != int64(file.Len()) {
		t.Fatalf("WriteTo returned %d, %v for %d bytes", n, err, file.Len())
	}
	return file.Bytes()
}

func TestTrainLearnsSeparableData(t *testing.T) {
	for _, test := range []struct {
		reason          string
		examples, valid int
		hyperparameters Hyperparameters
	}{
		{"a handful of examples is enough to start with", 6, 0, Hyperparameters{}},
		{"a part is held out without validation examples", 300, 0, Hyperparameters{}},
		{"validation examples are used when there are some", 300, 30, Hyperparameters{}},
		{"the hosted service's recipe must not underfit", 300, 0, Hyperparameters{Steps: 100, LearningRate: 4e-5, WeightDecay: 0.1, WarmupFraction: 0.05}},
		{"one step at the least learning rate is not taken literally", 300, 0, Hyperparameters{Steps: 1, LearningRate: 1e-8}},
		{"the strongest wishes do not diverge", 300, 0, Hyperparameters{Steps: 10000, LearningRate: 1, WeightDecay: 1, WarmupFraction: 1, Epochs: 1000}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			examples := colourExamples(test.examples)
			model := train(t, examples, colourExamples(test.valid), Options{
				Targets: []Target{colours}, Hyperparameters: test.hyperparameters, Seed: 7,
			})
			for _, example := range examples {
				scores := model.Classify(example.Text, nil)
				if got := highest(scores[0]); got != example.Labels[0][0] {
					t.Fatalf("%q is %s: %v", example.Text, colours.Labels[got], scores)
				}
			}
		})
	}
}

func TestTrainLearnsMultipleLabels(t *testing.T) {
	examples := topicExamples(400)
	model := train(t, examples, nil, Options{Targets: []Target{topics}})
	for _, example := range examples {
		if len(example.Labels[0]) == 0 {
			continue // scores are relative: they say which label, not whether there is one
		}
		scores := model.Classify(example.Text, nil)[0]
		for label, score := range scores {
			if above := score > 0.25; above != slices.Contains(example.Labels[0], label) {
				t.Fatalf("%q has labels %v, scores %v", example.Text, example.Labels[0], scores)
			}
		}
	}
}

func TestTrainLearnsTargetsIndependently(t *testing.T) {
	length := Target{Name: "length", Labels: []string{"short", "long"}, Loss: SingleClass, Weight: 1}
	examples := colourExamples(300)
	for i := range examples {
		colour, long := examples[i].Labels[0], i/3%2
		examples[i].Text += strings.Repeat(" and so on", long)
		examples[i].Labels = [][]int{colour, {long}}
		if i%5 == 0 {
			examples[i].Labels[0] = nil
		}
		if i%7 == 0 {
			examples[i].Labels[1] = nil
		}
	}
	model := train(t, examples, nil, Options{Targets: []Target{colours, length}})
	var scores [][]float64
	for _, example := range examples {
		scores = model.Classify(example.Text, scores)
		for target, labels := range example.Labels {
			if labels != nil && highest(scores[target]) != labels[0] {
				t.Fatalf("%q: target %d is %v, scores %v", example.Text, target, labels, scores)
			}
		}
	}
}

func TestUnlabelledExamplesDoNotTrainATarget(t *testing.T) {
	second := colours
	second.Name = "second"
	var examples []Example
	for i, example := range colourExamples(200) {
		example.Labels = append(example.Labels, example.Labels[0])
		if i >= 100 {
			wrong := (example.Labels[0][0] + 1) % 3
			example.Labels = [][]int{{wrong}, nil}
		}
		examples = append(examples, example)
	}
	model := train(t, examples, nil, Options{Targets: []Target{colours, second}})
	for _, example := range examples[:100] {
		if got := highest(model.Classify(example.Text, nil)[1]); got != example.Labels[1][0] {
			t.Fatalf("%q is %d: learned from examples without a label", example.Text, got)
		}
	}
}

func TestTrainWithoutFeatures(t *testing.T) {
	examples := colourExamples(60)
	for i := range examples {
		examples[i].Text = ""
	}
	scores := train(t, examples, nil, Options{Targets: []Target{colours}}).Classify("?", nil)[0]
	for _, score := range scores {
		if math.Abs(score-1./3) > 0.1 {
			t.Errorf("nothing is known but that labels are equally frequent, scores %v", scores)
		}
	}
}

// What is measured must not have been learned. The texts have nothing in common, so
// that only who has read one can know its label.
func TestUnseenExamplesWereNotLearned(t *testing.T) {
	unrelated := func(n, first int) []Example {
		examples := make([]Example, n)
		for i := range examples {
			word := strings.Repeat(string(rune('一'+first+i)), 3)
			examples[i] = Example{Text: word, Labels: [][]int{{i % 3}}}
		}
		return examples
	}
	for _, test := range []struct {
		reason       string
		train, valid int
		unseen       int
		same         bool
	}{
		{"validation examples are not learned from", 600, 90, 90, true},
		{"a tenth is held out without validation examples", 600, 0, 60, false},
		{"a few examples are all needed", 49, 0, 0, true},
	} {
		t.Run(test.reason, func(t *testing.T) {
			examples := unrelated(test.train, 0)
			trained, err := Train(t.Context(), corpusOf(t, examples), corpusOf(t, unrelated(test.valid, test.train)), Options{Targets: []Target{colours}})
			if err != nil {
				t.Fatal(err)
			}
			var unseen []Example
			for example, err := range trained.Unseen.All() {
				if err != nil {
					t.Fatal(err)
				}
				unseen = append(unseen, Example{Text: example.Text, Labels: cloneLabels(example.Labels)})
			}
			if len(unseen) != test.unseen || trained.Unseen.Len() != test.unseen || (trained.Measurable == trained.Model) != test.same {
				t.Fatalf("%d examples are unseen, by the model itself: %v", len(unseen), trained.Measurable == trained.Model)
			}
			if known := accuracy(trained.Model, examples); known < 0.9 {
				t.Errorf("%.2f of the training examples are known", known)
			}
			if known := accuracy(trained.Measurable, unseen); known > 0.6 {
				t.Errorf("%.2f of the unseen examples are known", known)
			}
		})
	}
}

func accuracy(model *Model, examples []Example) float64 {
	right := 0.0
	for _, example := range examples {
		if highest(model.Classify(example.Text, nil)[0]) == example.Labels[0][0] {
			right++
		}
	}
	return right / float64(len(examples))
}

func TestExampleWeightDecidesContradictions(t *testing.T) {
	examples := colourExamples(90)
	for i := range examples[:45] {
		examples[i] = Example{Text: "it is turquoise", Labels: [][]int{{1}}}
		examples[i+45] = Example{Text: "it is turquoise", Labels: [][]int{{2}}, Weight: 4}
	}
	examples = append(examples, colourExamples(3)...)
	model := train(t, examples, nil, Options{Targets: []Target{colours}})
	scores := model.Classify("it is turquoise", nil)[0]
	if scores[2] < 0.65 || scores[2] > 0.95 {
		t.Errorf("blue outweighs green 4:1, scores %v", scores)
	}
}

func TestExampleOfHardlyAnyWeight(t *testing.T) {
	examples := colourExamples(90)
	examples[0].Weight = 1e-300
	model := train(t, examples, nil, Options{Targets: []Target{colours}})
	for _, example := range examples[1:] {
		if scores := model.Classify(example.Text, nil)[0]; highest(scores) != example.Labels[0][0] || math.IsNaN(scores[0]) {
			t.Fatalf("%q: scores %v", example.Text, scores)
		}
	}
}

func TestTrainIsDeterministic(t *testing.T) {
	options := Options{Targets: []Target{colours}, Seed: 3}
	examples := colourExamples(200)
	first := encode(t, train(t, examples, nil, options))
	procs := runtime.GOMAXPROCS(1)
	second := encode(t, train(t, examples, nil, options))
	runtime.GOMAXPROCS(procs)
	if !bytes.Equal(first, second) {
		t.Error("the same data and seed gave another model")
	}
	options.Seed++
	if bytes.Equal(first, encode(t, train(t, examples, nil, options))) {
		t.Error("another seed gave the same model")
	}
}

func TestCheckpoints(t *testing.T) {
	for _, test := range []struct {
		reason          string
		hyperparameters Hyperparameters
		valid, total    int
		count           int
	}{
		{"progress has a unit even if the job names none", Hyperparameters{}, 0, 100, 20},
		{"steps are those of the job", Hyperparameters{Steps: 250}, 30, 250, 20},
		{"no step is reported twice", Hyperparameters{Steps: 7}, 30, 7, 7},
		{"one step is one checkpoint", Hyperparameters{Steps: 1}, 30, 1, 1},
	} {
		t.Run(test.reason, func(t *testing.T) {
			var checkpoints []Checkpoint
			train(t, colourExamples(300), colourExamples(test.valid), Options{
				Targets:         []Target{colours},
				Hyperparameters: test.hyperparameters,
				OnCheckpoint:    func(c Checkpoint) { checkpoints = append(checkpoints, c) },
			})
			if len(checkpoints) != test.count {
				t.Fatalf("%d checkpoints", len(checkpoints))
			}
			step := 0
			for _, c := range checkpoints {
				if c.Step <= step || c.TotalSteps != test.total || !(c.TrainLoss > 0) {
					t.Errorf("checkpoint %+v after step %d", c, step)
				}
				step = c.Step
			}
			first, last := checkpoints[0], checkpoints[len(checkpoints)-1]
			if last.Step != test.total || !last.Evaluated || !(last.ValidLoss > 0) {
				t.Errorf("last checkpoint is %+v", last)
			}
			if test.count > 1 && last.TrainLoss > first.TrainLoss/2 {
				t.Errorf("the loss went from %v to %v only", first.TrainLoss, last.TrainLoss)
			}
		})
	}
}

func TestTrainStopsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var cancelled time.Time
	_, err := Train(ctx, corpusOf(t, colourExamples(20000)), nil, Options{
		Targets: []Target{colours},
		OnCheckpoint: func(Checkpoint) {
			cancelled = time.Now()
			cancel()
		},
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	if late := time.Since(cancelled); late > 100*time.Millisecond {
		t.Errorf("stopped %v late", late)
	}
}

func TestTrainRejects(t *testing.T) {
	labelled := func(labels ...[]int) []Example { return []Example{{Text: "a", Labels: labels}} }
	with := func(change func(*Target)) []Target {
		target := colours
		change(&target)
		return []Target{target}
	}
	many := make([]string, maxLabels+1)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	for _, test := range []struct {
		reason          string
		targets         []Target
		train, valid    []Example
		hyperparameters Hyperparameters
		want            string
	}{
		{reason: "no targets", want: "no targets"},
		{reason: "no examples", targets: []Target{colours}, want: "no training examples"},
		{reason: "one label tells nothing apart", targets: with(func(t *Target) { t.Labels = t.Labels[:1] }), want: `target "colour": 1 labels`},
		{reason: "too many labels", targets: with(func(t *Target) { t.Labels = many }), want: "at most 10000"},
		{reason: "duplicate label", targets: with(func(t *Target) { t.Labels = []string{"a", "a"} }), want: `label "a" is there twice`},
		{reason: "duplicate target", targets: []Target{colours, colours}, want: `target "colour" is there twice`},
		{reason: "unknown loss", targets: with(func(t *Target) { t.Loss = "hinge" }), want: `loss function "hinge"`},
		{reason: "bad target weight", targets: with(func(t *Target) { t.Weight = math.NaN() }), want: "weight NaN"},
		{reason: "a label without examples", targets: []Target{colours}, train: colourExamples(2), want: `label "blue" has no training examples`},
		{reason: "labels for another number of targets", targets: []Target{colours}, train: labelled(), want: "training example 1: labels for 0 targets"},
		{reason: "two labels for single_class", targets: []Target{colours}, train: labelled([]int{0, 1}), want: "2 labels instead of one"},
		{reason: "none for single_class", targets: []Target{colours}, train: labelled([]int{}), want: "0 labels instead of one"},
		{reason: "unknown label", targets: []Target{colours}, train: labelled([]int{3}), want: "label 3 is not one of 3"},
		{reason: "repeated label", targets: []Target{topics}, train: labelled([]int{1, 1}), want: `label "delivery" twice`},
		{reason: "validation examples count too", targets: []Target{colours}, train: colourExamples(3), valid: labelled([]int{-1}), want: "validation example 1"},
		{reason: "bad example weight", targets: []Target{colours}, train: []Example{{Weight: -1}}, want: "weight -1"},
		{reason: "a weight that overflows", targets: []Target{colours}, train: []Example{{Weight: 1e300}}, want: "weight 1e+300"},
		{reason: "negative steps", targets: []Target{colours}, hyperparameters: Hyperparameters{Steps: -1}, want: "steps -1"},
		{reason: "infinite epochs", targets: []Target{colours}, hyperparameters: Hyperparameters{Epochs: math.Inf(1)}, want: "epochs +Inf"},
		{reason: "more warm-up than training", targets: []Target{colours}, hyperparameters: Hyperparameters{WarmupFraction: 2}, want: "warm-up fraction 2"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			_, err := Train(t.Context(), corpusOf(t, test.train), corpusOf(t, test.valid), Options{Targets: test.targets, Hyperparameters: test.hyperparameters})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q in it", err, test.want)
			}
		})
	}
}

func TestScoresSumToOne(t *testing.T) {
	examples := colourExamples(100)
	for i, topic := range topicExamples(100) {
		examples[i].Text += " " + topic.Text
		examples[i].Labels = append(examples[i].Labels, topic.Labels[0])
	}
	model := train(t, examples, nil, Options{Targets: []Target{colours, topics}})
	for _, text := range []string{"", "it is red", "price", "nothing known", "\xff\xfe", "日本語", strings.Repeat("it is red ", 10000)} {
		for target, scores := range model.Classify(text, nil) {
			sum := 0.0
			for _, score := range scores {
				if !(score >= 0) {
					t.Errorf("%.20q: target %d has score %v", text, target, score)
				}
				sum += score
			}
			if math.Abs(sum-1) > 1e-9 {
				t.Errorf("%.20q: scores of target %d sum to %v", text, target, sum)
			}
		}
	}
}

// A third of the labels is wrong, so that nobody can be more than two thirds certain.
func TestScoresAreCalibrated(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	noisy := func(n int) []Example {
		examples := colourExamples(n)
		for i := range examples {
			examples[i].Text += fmt.Sprintf(" order %d", random.IntN(10000))
			if random.IntN(3) == 0 {
				examples[i].Labels = [][]int{{(examples[i].Labels[0][0] + 1) % 3}}
			}
		}
		return examples
	}
	for _, test := range []struct {
		reason string
		valid  []Example
	}{
		{"on validation examples", noisy(300)},
		{"on examples held out", nil},
	} {
		t.Run(test.reason, func(t *testing.T) {
			model := train(t, noisy(1200), test.valid, Options{Targets: []Target{colours}})
			certain, asked := 0.0, noisy(1000)
			for _, example := range asked {
				certain += slices.Max(model.Classify(example.Text, nil)[0]) / float64(len(asked))
			}
			if certain < 0.62 || certain > 0.72 {
				t.Errorf("two thirds of the labels are right, and the scores of the likeliest are %v on average", certain)
			}
		})
	}
}

// The pool is left out: the race detector has it forget at random.
func TestClassifyDoesNotAllocate(t *testing.T) {
	model := train(t, colourExamples(100), nil, Options{Targets: []Target{colours}})
	scratch := model.newScratch()
	scores := model.classify("it is red, thank you", nil, nil, scratch)
	if n := testing.AllocsPerRun(100, func() { scores = model.classify("it is red", nil, scores, scratch) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestClassifyConcurrently(t *testing.T) {
	model := train(t, colourExamples(100), nil, Options{Targets: []Target{colours}})
	want := model.Classify("it is red", nil)[0][0]
	got := make(chan float64)
	for range 8 {
		go func() {
			score := 0.0
			for range 100 {
				score = model.Classify("it is red", nil)[0][0]
			}
			got <- score
		}()
	}
	for range 8 {
		if score := <-got; score != want {
			t.Errorf("score %v instead of %v", score, want)
		}
	}
}
