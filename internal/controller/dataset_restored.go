package controller

import (
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// isRestored reports whether the status tells of the files of another dataset, of which
// this one is a copy: a backup tool restored it, or the cluster is a clone.
func (s *datasetScope) isRestored() bool { return !s.marks.OwnsFiles(s.object.UID, s.status) }

// forgetRestored makes such a status that of an object of which nothing has been done
// yet. The other one's files are nobody's here: whoever deletes them would take them
// away from it, and whoever trains on them may find them gone.
func (s *datasetScope) forgetRestored() {
	if !s.isRestored() {
		return
	}
	s.forgotten = "the status was another object's, restored from a backup or in a clone of the cluster; " +
		"the files that it named are left alone, and this object uploads files of its own"
	*s.status = classifierv1alpha1.ClassifierDatasetStatus{}
}

// statusRestored passes a status that somebody else wrote: the reconciler's own writes
// are no news to it.
func (r *DatasetReconciler) statusRestored() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(update event.UpdateEvent) bool {
		before, after := update.ObjectOld.(*classifierv1alpha1.ClassifierDataset), update.ObjectNew.(*classifierv1alpha1.ClassifierDataset)
		reset := len(before.Status.Files) > 0 && len(after.Status.Files) == 0
		return reset || r.marks.OwnsFiles(before.UID, &before.Status) && !r.marks.OwnsFiles(after.UID, &after.Status)
	}}
}
