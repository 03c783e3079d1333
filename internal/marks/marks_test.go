package marks

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// TestMarksTellObjectsApart holds what is taken for an object's own at a factory that
// others use, too.
func TestMarksTellObjectsApart(t *testing.T) {
	t.Parallel()
	const object = types.UID("5b1f0c1e-0000-4000-8000-000000000001")
	cluster := Marks{Cluster: "cluster", Former: true}
	clone := Marks{Cluster: "clone"}
	attempt := func(marker string, number int32) *classifierv1alpha1.Attempt {
		return &classifierv1alpha1.Attempt{Marker: marker, Number: number}
	}
	former := formerJobMarker(object, 1)
	for _, test := range []struct {
		reason  string
		marks   Marks
		attempt *classifierv1alpha1.Attempt
		want    bool
	}{
		{"its own", cluster, attempt(cluster.JobMarker(object, 2), 2), true},
		{"of another try", cluster, attempt(cluster.JobMarker(object, 2), 1), false},
		{"of another object", cluster, attempt(cluster.JobMarker("another", 1), 1), false},
		{"of the object with its UID in another cluster", cluster, attempt(clone.JobMarker(object, 1), 1), false},
		{"of an earlier version", cluster, attempt(former, 1), true},
		{"of an earlier version, which in a clone may be the original's", clone, attempt(former, 1), false},
	} {
		if got := test.marks.OwnsAttempt(object, test.attempt); got != test.want {
			t.Errorf("an attempt is own: %t; it is %s", got, test.reason)
		}
	}
	for _, test := range []struct {
		reason string
		marks  Marks
		name   string
		want   bool
	}{
		{"its own", cluster, cluster.FilePrefix(object) + "0123456789abcdef.jsonl", true},
		{"of another object", cluster, cluster.FilePrefix("another") + "0123456789abcdef.jsonl", false},
		{"of the object with its UID in another cluster", cluster, clone.FilePrefix(object) + "0123456789abcdef.jsonl", false},
		{"of an earlier version", cluster, "classifier-dataset-5b1f0c1e-0123456789abcdef.jsonl", true},
		{"of an earlier version, which in a clone may be the original's", clone, "classifier-dataset-5b1f0c1e-0123456789abcdef.jsonl", false},
		{"somebody's", cluster, "training.jsonl", false},
	} {
		status := &classifierv1alpha1.ClassifierDatasetStatus{Files: []classifierv1alpha1.DatasetFile{{Name: test.name}}}
		if got := test.marks.OwnsFiles(object, status); got != test.want {
			t.Errorf("a file is own: %t; it is %s", got, test.reason)
		}
	}
	unnamed := &classifierv1alpha1.ClassifierDatasetStatus{History: []classifierv1alpha1.DatasetRevision{{FileIDs: []string{"id"}}}}
	if cluster.OwnsFiles(object, unnamed) || !cluster.OwnsFiles(object, &classifierv1alpha1.ClassifierDatasetStatus{}) {
		t.Error("a history without files is own, or nothing at all is not")
	}
}
