package controller

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestMarksTellObjectsApart holds what is taken for an object's own at a factory that
// others use, too.
func TestMarksTellObjectsApart(t *testing.T) {
	t.Parallel()
	const object = types.UID("5b1f0c1e-0000-4000-8000-000000000001")
	cluster := marks{cluster: "cluster", former: true}
	clone := marks{cluster: "clone"}
	attempt := func(marker string, number int32) *classifierv1alpha1.Attempt {
		return &classifierv1alpha1.Attempt{Marker: marker, Number: number}
	}
	former := ownerHash(string(object) + "/1")
	for _, test := range []struct {
		reason  string
		marks   marks
		attempt *classifierv1alpha1.Attempt
		want    bool
	}{
		{"its own", cluster, attempt(cluster.jobMarker(object, 2), 2), true},
		{"of another try", cluster, attempt(cluster.jobMarker(object, 2), 1), false},
		{"of another object", cluster, attempt(cluster.jobMarker("another", 1), 1), false},
		{"of the object with its UID in another cluster", cluster, attempt(clone.jobMarker(object, 1), 1), false},
		{"of an earlier version", cluster, attempt(former, 1), true},
		{"of an earlier version, which in a clone may be the original's", clone, attempt(former, 1), false},
	} {
		if got := test.marks.ownsAttempt(object, test.attempt); got != test.want {
			t.Errorf("an attempt is own: %t; it is %s", got, test.reason)
		}
	}
	for _, test := range []struct {
		reason string
		marks  marks
		name   string
		want   bool
	}{
		{"its own", cluster, cluster.filePrefix(object) + "0123456789abcdef.jsonl", true},
		{"of another object", cluster, cluster.filePrefix("another") + "0123456789abcdef.jsonl", false},
		{"of the object with its UID in another cluster", cluster, clone.filePrefix(object) + "0123456789abcdef.jsonl", false},
		{"of an earlier version", cluster, "classifier-dataset-5b1f0c1e-0123456789abcdef.jsonl", true},
		{"of an earlier version, which in a clone may be the original's", clone, "classifier-dataset-5b1f0c1e-0123456789abcdef.jsonl", false},
		{"somebody's", cluster, "training.jsonl", false},
	} {
		status := &classifierv1alpha1.ClassifierDatasetStatus{Files: []classifierv1alpha1.DatasetFile{{Name: test.name}}}
		if got := test.marks.ownsFiles(object, status); got != test.want {
			t.Errorf("a file is own: %t; it is %s", got, test.reason)
		}
	}
	unnamed := &classifierv1alpha1.ClassifierDatasetStatus{History: []classifierv1alpha1.DatasetRevision{{FileIDs: []string{"id"}}}}
	if cluster.ownsFiles(object, unnamed) || !cluster.ownsFiles(object, &classifierv1alpha1.ClassifierDatasetStatus{}) {
		t.Error("a history without files is own, or nothing at all is not")
	}
}

// TestClusterIsIdentified holds what the marks of a cluster are made of.
func TestClusterIsIdentified(t *testing.T) {
	t.Parallel()
	direct, err := client.NewWithWatch(cluster.Operator, client.Options{Scheme: cluster.Scheme})
	if err != nil {
		t.Fatal(err)
	}
	namespace := &corev1.Namespace{}
	if err := cluster.Admin.Get(t.Context(), client.ObjectKey{Name: "kube-system"}, namespace); err != nil {
		t.Fatal(err)
	}
	if got, err := identify(t.Context(), direct, ""); err != nil || got != (marks{cluster: string(namespace.UID), former: true}) {
		t.Errorf("the marks are %+v: %v", got, err)
	}
	if got, err := identify(t.Context(), nil, "clone"); err != nil || got != (marks{cluster: "clone"}) {
		t.Errorf("with an identity of its own they are %+v: %v", got, err)
	}
	refused := errors.New("refused")
	refusing := interceptor.NewClient(direct, interceptor.Funcs{
		Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
			return refused
		},
	})
	if _, err := identify(t.Context(), refusing, ""); !errors.Is(err, refused) || !strings.Contains(err.Error(), "kube-system") {
		t.Errorf("the error is %v", err)
	}
}

// TestWorkOfAnEarlierVersionGoesOn upgrades the operator while a job's creation is not
// recorded, and a file has the name that it had then.
func TestWorkOfAnEarlierVersionGoesOn(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	data := d.inlineDataset("data", sentiments(20))
	d.ready(data)
	file := &data.Status.Files[0]
	content, err := d.api.DownloadFile(d.ctx, file.ID)
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := io.ReadAll(content)
	if err := errors.Join(err, content.Close(), d.api.DeleteFile(d.ctx, file.ID)); err != nil {
		t.Fatal(err)
	}
	file.Name = fileNamesPrefix + string(data.UID)[:8] + strings.TrimPrefix(file.Name, testMarks.filePrefix(data.UID)[:len(fileNamesPrefix)+ownerLength])
	former, err := d.api.UploadFile(d.ctx, mistral.Upload{
		Filename: file.Name, Size: int64(len(bytes)), Content: strings.NewReader(string(bytes)), Purpose: mistral.PurposeFineTune,
	})
	if err != nil {
		t.Fatal(err)
	}
	file.ID = former.ID
	if err := cluster.Admin.Status().Update(d.ctx, data); err != nil {
		t.Fatal(err)
	}
	d = d.restarted()
	d.settle(data, classifierv1alpha1.ReasonUploaded)
	if files := d.remoteFiles(); len(files) != 1 || data.Status.Files[0].ID != former.ID {
		t.Errorf("the factory has %+v, and the status %+v", files, data.Status.Files)
	}
	d.Edit(data, func() { data.Spec.Preparation.InvalidSamples = classifierv1alpha1.InvalidSamplesSkip })
	d.settle(data, classifierv1alpha1.ReasonUploaded)
	if files := d.remoteFiles(); len(files) != 1 || data.Status.Files[0].ID != former.ID {
		t.Errorf("prepared anew the same content is uploaded again: %+v", files)
	}

	job := driven(d.trainingJob("job", "data"))
	d.Create(job)
	job.Status.Attempt = &classifierv1alpha1.Attempt{Number: 1, Marker: ownerHash(string(job.UID) + "/1"), PendingSince: job.CreationTimestamp}
	job.Status.Inputs = []classifierv1alpha1.PinnedInput{{Dataset: "data", Split: classifierv1alpha1.SplitTrain, Digest: file.Digest, FileID: file.ID}}
	job.Status.ObservedGeneration = new(int64(-1))
	if err := cluster.Admin.Status().Update(d.ctx, job); err != nil {
		t.Fatal(err)
	}
	id := d.createLate(job, data, 100)
	d.settle(job, classifierv1alpha1.ReasonPublished)
	if jobs := d.remoteJobs(); len(jobs) != 1 || jobs[0].ID != id {
		t.Errorf("the factory has %+v", jobs)
	}
	for _, object := range []client.Object{job, data} {
		d.Delete(object)
		_, _ = d.pass(object)
		d.WaitUntilGone(object)
	}
	if files := d.remoteFiles(); len(files) != 0 {
		t.Errorf("%+v are left", files)
	}
}
