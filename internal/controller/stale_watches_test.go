package controller

import (
	"context"
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// versionedReader answers lists with a version, and with jobs of these.
type versionedReader struct {
	client.Reader
	version string // empty: it does not answer
	jobs    map[types.UID]string
}

func (r *versionedReader) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	if r.version == "" {
		return errors.New("it is away")
	}
	list.SetResourceVersion(r.version)
	for uid, version := range r.jobs {
		object := metav1.ObjectMeta{UID: uid, ResourceVersion: version}
		switch list := list.(type) {
		case *classifierv1alpha1.ClassifierTrainingJobList:
			list.Items = append(list.Items, classifierv1alpha1.ClassifierTrainingJob{ObjectMeta: object})
		case *metav1.PartialObjectMetadataList:
			list.Items = append(list.Items, metav1.PartialObjectMetadata{ObjectMeta: object})
		}
	}
	return nil
}

// TestAPIServerThatWentBackIsNoticed lets the API server be asked before and after it was
// away. The watches had told of one job at version 90.
func TestAPIServerThatWentBackIsNoticed(t *testing.T) {
	t.Parallel()
	type jobs = map[types.UID]string
	for _, test := range []struct {
		reason string
		before string
		after  *versionedReader
		want   string // empty: nothing has gone back
	}{
		{"it restarted", "100", &versionedReader{version: "130", jobs: jobs{"job": "90"}}, ""},
		{"it restarted, and the job was changed", "100", &versionedReader{version: "130", jobs: jobs{"job": "120"}}, ""},
		{"it restarted, and the job was deleted", "100", &versionedReader{version: "130"}, ""},
		{"it was restored", "100", &versionedReader{version: "80", jobs: jobs{"job": "70"}}, "from version 100 to 80"},
		{"it was restored, to fewer digits", "100", &versionedReader{version: "99", jobs: jobs{"job": "70"}}, "from version 100 to 99"},
		{"it was restored, and much was written since", "100", &versionedReader{version: "130", jobs: jobs{"job": "70"}}, "job from version 90 to 70"},
		{"it counts in another way", "100", &versionedReader{version: "5f", jobs: jobs{"job": "5f"}}, ""},
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			guard := &versionGuard{
				cached:     &versionedReader{version: test.before, jobs: jobs{"job": "90"}},
				namespaces: []string{metav1.NamespaceAll},
			}
			for _, live := range []*versionedReader{{version: test.before}, {}, {}} {
				guard.live = live
				if wentBack, err := guard.look(t.Context()); wentBack != "" || (err == nil) != (live.version != "") {
					t.Fatalf("%q went back: %v", wentBack, err)
				}
			}
			guard.live = test.after
			wentBack, err := guard.look(t.Context())
			if err != nil || (wentBack == "") != (test.want == "") || !strings.Contains(wentBack, test.want) {
				t.Errorf("%q went back, want %q: %v", wentBack, test.want, err)
			}
		})
	}
}
