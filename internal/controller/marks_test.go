package controller

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/marks"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

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
	if got, err := marks.Identify(t.Context(), direct, ""); err != nil || got != (marks.Marks{Cluster: string(namespace.UID), Former: true}) {
		t.Errorf("the marks are %+v: %v", got, err)
	}
	if got, err := marks.Identify(t.Context(), nil, "clone"); err != nil || got != (marks.Marks{Cluster: "clone"}) {
		t.Errorf("with an identity of its own they are %+v: %v", got, err)
	}
	refused := errors.New("refused")
	refusing := interceptor.NewClient(direct, interceptor.Funcs{
		Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
			return refused
		},
	})
	if _, err := marks.Identify(t.Context(), refusing, ""); !errors.Is(err, refused) || !strings.Contains(err.Error(), "kube-system") {
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
	file.Name = marks.FileNames + string(data.UID)[:8] + strings.TrimPrefix(file.Name, testMarks.FilePrefix(data.UID)[:len(marks.FileNames)+marks.OwnerLength])
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
	job.Status.Attempt = &classifierv1alpha1.Attempt{Number: 1, Marker: testMarks.JobMarkers(job.UID)[1], PendingSince: job.CreationTimestamp}
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
