package controller

import (
	"encoding/base64"
	"fmt"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
)

// minOverlap is the share of a Validation file's inputs below which what it has in common
// with the Train files hardly changes a score.
const minOverlap = 0.01

// fileSketches are what is known of the inputs of files, by the files' IDs.
type fileSketches map[string]dataset.Sketch

func (s fileSketches) add(files []classifierv1alpha1.DatasetFile) {
	for _, file := range files {
		if sketch, err := base64.StdEncoding.DecodeString(file.InputSketch); err == nil {
			s[file.ID] = sketch
		}
	}
}

// overlap says which of the files to validate on has the most in common with one to
// train on; nil if none has.
func (s fileSketches) overlap(inputs []classifierv1alpha1.PinnedInput) (found *finding) {
	most := 0.0
	for _, validation := range inputs {
		for _, train := range inputs {
			if validation.Split != classifierv1alpha1.SplitValidation || train.Split != classifierv1alpha1.SplitTrain {
				continue
			}
			overlap := s[validation.FileID].OverlapWith(s[train.FileID])
			if share := overlap.Share(); share >= minOverlap && share > most {
				most, found = share, overlapping(validation.Dataset, train.Dataset, overlap)
			}
		}
	}
	return found
}

func overlapping(validation, train string, overlap dataset.Overlap) *finding {
	share := fmt.Sprintf("%.0f %%", 100*overlap.Share())
	if !overlap.All {
		least, most := overlap.Range()
		share = fmt.Sprintf("about %s (between %.0f and %.0f)", share, 100*least, 100*most)
	}
	return &finding{good: true, reason: classifierv1alpha1.ReasonDatasetsOverlap,
		message: fmt.Sprintf("every dataset is uploaded, but %s of the inputs that ClassifierDataset %s is to validate with are also trained on, from ClassifierDataset %s: "+
			"the model's scores will be better than the model. Leave them out of one of the two", share, validation, train)}
}
