package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// dataVariable names a folder with a folder for each data set.
const dataVariable = "CLASSIFIER_DATA"

// dataSet is read when its turn has come.
type dataSet struct {
	name string
	read func(context.Context) (*labelledTexts, error)
}

// chosenSets are those of the folder and of this system with the names, or all.
func chosenSets(names []string) ([]dataSet, error) {
	all, err := folderSets(os.Getenv(dataVariable))
	if err != nil {
		return nil, err
	}
	for _, set := range newDebianSets() {
		all = append(all, dataSet{set.name, set.read})
	}
	return choose(all, names)
}

// choose returns the data sets with the names or, without any, all.
func choose(all []dataSet, names []string) ([]dataSet, error) {
	if len(names) == 0 {
		return all, nil
	}
	known := make([]string, len(all))
	for i, set := range all {
		known[i] = set.name
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("no data set %q: there are %s", name, strings.Join(known, ", "))
		}
	}
	return slices.DeleteFunc(all, func(set dataSet) bool { return !slices.Contains(names, set.name) }), nil
}

// folderSets has one for each target of a folder.
func folderSets(data string) ([]dataSet, error) {
	if data == "" {
		_, err := fmt.Printf("%s names no folder of data sets: there are only those of this system's packages\n\n", dataVariable)
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(data, "*", "train.jsonl"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no */train.jsonl in %s", data)
	}
	var sets []dataSet
	for _, file := range files {
		folder := filepath.Dir(file)
		targets, err := targetsOf(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for i, target := range targets {
			name := filepath.Base(folder)
			if len(targets) > 1 {
				name += "/" + target
			}
			sets = append(sets, dataSet{name, func(context.Context) (*labelledTexts, error) { return readLabelledTexts(folder, i) }})
		}
	}
	return sets, nil
}

// readSome lets nothing be measured that nothing can be learned from.
func (d dataSet) readSome(ctx context.Context) (*labelledTexts, error) {
	set, err := d.read(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.name, err)
	}
	if len(set.labels) < 2 || len(set.valid) == 0 || len(set.test) == 0 {
		return nil, errTooLittle
	}
	return set, nil
}

var errTooLittle = errors.New("too few texts")
