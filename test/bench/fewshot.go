package main

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	wordtable "github.com/classifier-factory/classifier-factory/internal/factory/words"
)

const (
	fewShotCommand = "fewshot"
	tableVariable  = "CLASSIFIER_WORDS" // names a table of word vectors
	drawsOfRows    = 5
)

// rowsPerLabel are how many are trained on; zero: all there are.
var rowsPerLabel = []int{5, 8, 10, 20, 50, 0}

// measureFewShot prints, for each chosen data set of one label a text, the accuracy on the
// validation texts with few rows of each label: of the engine alone and with word vectors.
func measureFewShot(ctx context.Context, names []string) error {
	path := os.Getenv(tableVariable)
	if path == "" {
		_, err := fmt.Println("few rows are not measured: " + tableVariable + " names no table of word vectors, which make base-words makes")
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	table, err := wordtable.Read(bufio.NewReader(file))
	if err != nil {
		return err
	}
	all, err := folderSets(os.Getenv(dataVariable))
	if err != nil {
		return err
	}
	sets, err := choose(all, names)
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(out, "accuracy on validation texts, %%, mean of %d draws\trows a label\talone\twith words\n", drawsOfRows)
	for _, d := range sets {
		set, err := d.read(ctx)
		if err != nil {
			return err
		}
		if set.multi {
			continue
		}
		for _, rows := range rowsPerLabel {
			alone, withWords, err := set.fewShot(ctx, table, rows)
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(out, "%s\t%d\t%.1f\t%.1f\n", d.name, rows, alone, withWords)
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// fewShot is the mean accuracy of some draws of rows.
func (s *labelledTexts) fewShot(ctx context.Context, table *wordtable.Table, rows int) (alone, withWords float64, err error) {
	draws := drawsOfRows
	if rows == 0 {
		draws = 1
	}
	for draw := range draws {
		train := s.draw(rows, uint64(draw))
		without, err := s.accuracy(ctx, train, nil)
		if err != nil {
			return 0, 0, err
		}
		with, err := s.accuracy(ctx, train, table)
		if err != nil {
			return 0, 0, err
		}
		alone, withWords = alone+without/float64(draws), withWords+with/float64(draws)
	}
	return alone, withWords, nil
}

// draw takes so many training texts of each label.
func (s *labelledTexts) draw(rows int, seed uint64) []labelledText {
	if rows == 0 {
		return s.train
	}
	counts, drawn := make([]int, len(s.labels)), []labelledText{}
	for _, i := range rand.New(rand.NewPCG(seed, 7)).Perm(len(s.train)) {
		if label := s.train[i].labels[0]; counts[label] < rows {
			counts[label]++
			drawn = append(drawn, s.train[i])
		}
	}
	return drawn
}

func (s *labelledTexts) accuracy(ctx context.Context, rows []labelledText, table *wordtable.Table) (float64, error) {
	train, err := corpus(rows)
	if err != nil {
		return 0, err
	}
	defer train.Close()
	options := classifier.Options{Targets: []classifier.Target{{Name: "target", Labels: s.labels, Loss: classifier.SingleClass, Weight: 1}}, Seed: 1}
	if table != nil {
		options.Representation, options.BaseModel = table, classifier.BaseModel{Digest: table.Digest()}
	}
	trained, err := classifier.Train(ctx, train, nil, options)
	if err != nil {
		return 0, err
	}
	right := 0.0
	for _, text := range s.valid {
		var vector []float32
		if trained.Model.BaseModel() != nil {
			if vector, err = table.Represent(ctx, []string{text.text}); err != nil {
				return 0, err
			}
		}
		if slices.Equal(trained.Model.Decide(0, trained.Model.ProbabilitiesDense(text.text, vector, nil)[0], nil), text.labels) {
			right++
		}
	}
	return 100 * right / float64(len(s.valid)), nil
}
