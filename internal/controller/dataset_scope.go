package controller

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/connection"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/marks"
	"github.com/classifier-factory/classifier-factory/internal/source"
)

// datasetScope is everything that one pass over a dataset observed.
type datasetScope struct {
	object  *classifierv1alpha1.ClassifierDataset
	status  *classifierv1alpha1.ClassifierDatasetStatus // of object
	written *classifierv1alpha1.ClassifierDatasetStatus // as the API server has it
	marks   marks.Marks
	// forgotten is what is to be told of a status that was not this object's; empty: nothing
	forgotten string

	source      source.Source // nil if it could not be resolved
	sourceReady *finding      // whether the source can be read; nil if this pass did not look

	validation  *finding          // what the samples turned out to be; nil if this pass did not get there
	prepared    *dataset.Prepared // the files to upload; nil if this pass has not read the samples
	report      *finding          // whether the full report is where it is wanted; nil if this pass did not get there
	sourceBytes int64             // that were read for them, decompressed
	room        *room             // for the files; nil if this pass has none
	awaitsSlot  bool              // before it can ask for room
	waits       bool              // for its turn, for a moment
	due         bool              // it is time to look at what no event tells of
	unserved    bool              // the user's request for a look is to be answered by a later pass

	connection *connection.Pass
	factory    contact
}

func newDatasetScope(object *classifierv1alpha1.ClassifierDataset) *datasetScope {
	scope := &datasetScope{object: object, status: &object.Status, written: object.Status.DeepCopy()}
	for i := range scope.status.Files {
		scope.status.Files[i].UploadedBytes = nil // of an upload that broke off
	}
	return scope
}

func (s *datasetScope) name() types.NamespacedName { return client.ObjectKeyFromObject(s.object) }

// requestedAt is the user's last request for a look, as far as a status can repeat it.
func (s *datasetScope) requestedAt() string { return requestedAt(s.object) }

// close removes what the pass left on disk.
func (s *datasetScope) close() {
	if s.prepared != nil {
		// The files have no names any more: there is nothing to be done about an error.
		_ = s.prepared.Close()
	}
}

// revision identifies the source together with all that decides what becomes of it.
func (s *datasetScope) revision() string {
	return s.specRevision() + "-" + s.source.Identity()
}

// specRevision is the part of the revision that the spec decides.
func (s *datasetScope) specRevision() string {
	spec := s.object.Spec
	return fingerprint(spec.Source, spec.Format, spec.CSV, spec.Mapping, spec.Preparation, spec.ConnectionSecretRef)
}

// isUsable reports whether what is uploaded is what the spec asks for, as far as
// that is known without looking at the source.
func (s *datasetScope) isUsable() bool {
	return s.isUploaded() && s.status.Source != nil && strings.HasPrefix(s.status.Source.Revision, s.specRevision()) &&
		meta.IsStatusConditionTrue(s.status.Conditions, classifierv1alpha1.ConditionValidated)
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

// fileName is made of the content, so that a file is found again whose upload
// was not recorded.
func (s *datasetScope) fileName(digest string) string {
	return fmt.Sprintf("%s%.16s.jsonl", s.marks.FilePrefix(s.object.UID), digest)
}
