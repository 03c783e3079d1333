package controller

import (
	"fmt"
	"slices"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/source"
)

// datasetScope is everything that one pass over a dataset observed.
type datasetScope struct {
	object *classifierv1alpha1.ClassifierDataset
	status *classifierv1alpha1.ClassifierDatasetStatus // of object

	source  source.Source
	missing *source.NotFoundError // set when the source is not there

	validation *validation // nil if this pass had nothing to validate
	staged     *stagedFile // the samples to upload; nil if this pass did not read them

	connection *connection.Connection
	factory    contact
}

func newDatasetScope(object *classifierv1alpha1.ClassifierDataset) *datasetScope {
	return &datasetScope{object: object, status: &object.Status}
}

// close removes what the pass left on disk.
func (s *datasetScope) close() {
	if s.staged != nil {
		s.staged.remove()
	}
}

// revision identifies the source together with all that decides what becomes of it.
func (s *datasetScope) revision() string {
	spec := s.object.Spec
	return fingerprint(s.source.Identity(), spec.Format, spec.CSV, spec.Preparation, spec.ConnectionSecretRef)
}

// isPrepared reports whether the status speaks of the source as it is now.
func (s *datasetScope) isPrepared() bool {
	return s.status.Source != nil && s.status.Source.Revision == s.revision()
}

// isUploaded reports whether every file of the status is at the factory.
func (s *datasetScope) isUploaded() bool {
	return len(s.status.Files) > 0 && !slices.ContainsFunc(s.status.Files, func(file classifierv1alpha1.DatasetFile) bool {
		return file.ID == ""
	})
}

// fileNamePrefix starts the name of every file that the dataset ever uploads. The
// UID keeps two datasets with the same content apart, so that the deletion of one
// does not take the other's files.
func (s *datasetScope) fileNamePrefix() string {
	return fmt.Sprintf("classifier-dataset-%.8s-", s.object.UID)
}

// fileName is made of the content, so that a file is found again whose upload
// was not recorded.
func (s *datasetScope) fileName(digest string) string {
	return fmt.Sprintf("%s%.16s.jsonl", s.fileNamePrefix(), digest)
}
