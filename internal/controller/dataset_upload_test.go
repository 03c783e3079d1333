package controller

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	testclock "k8s.io/utils/clock/testing"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestRefusedUploadIsTriedAgain holds that no answer keeps a dataset from the
// factory for good, and that none is asked for over and over.
func TestRefusedUploadIsTriedAgain(t *testing.T) {
	t.Parallel()
	after := func(pause time.Duration) func(*driver, *classifierv1alpha1.ClassifierDataset) {
		return func(d *driver, _ *classifierv1alpha1.ClassifierDataset) {
			d.datasets.refusals.clock = testclock.NewFakeClock(time.Now().Add(pause + time.Second))
		}
	}
	onRequest := func(d *driver, data *classifierv1alpha1.ClassifierDataset) {
		d.Edit(data, func() { data.Annotations = map[string]string{classifierv1alpha1.ReconcileRequestAnnotation: "now"} })
	}
	for _, refusal := range []struct {
		name   string
		method string
		status int
		reason string
		again  func(*driver, *classifierv1alpha1.ClassifierDataset)
	}{
		{"an ingress without a factory behind it, a minute later", http.MethodGet, http.StatusNotFound, classifierv1alpha1.ReasonUnreachable, after(slowRetry)},
		{"an ingress that knows half of the routes, a minute later", http.MethodPost, http.StatusNotFound, classifierv1alpha1.ReasonUnreachable, after(slowRetry)},
		{"a key that may not upload, a minute later", http.MethodPost, http.StatusForbidden, classifierv1alpha1.ReasonForbidden, after(slowRetry)},
		{"a factory that refuses the file, when somebody asks for it", http.MethodPost, http.StatusUnprocessableEntity, classifierv1alpha1.ReasonRejected, onRequest},
		{"a factory that refuses the file, an hour later", http.MethodPost, http.StatusUnprocessableEntity, classifierv1alpha1.ReasonRejected, after(terminalRetry)},
	} {
		t.Run(refusal.name, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			data := driven(d.inlineDataset("data", sentiments(4)))
			d.Create(data)
			d.factory.answer(refusal.method, "/v1/files", refusal.status)
			d.settle(data, refusal.reason)
			d.factory.behave()

			calls := d.factory.calls.Load()
			result, _ := d.pass(data)
			if got := d.factory.calls.Load() - calls; got != 0 {
				t.Errorf("%d calls were made before their time", got)
			}
			if result.RequeueAfter == 0 || result.RequeueAfter > slowRetry {
				t.Errorf("the next look is after %s", result.RequeueAfter)
			}
			refusal.again(d, data)
			d.settle(data, classifierv1alpha1.ReasonUploaded)
		})
	}
}

// TestFileWithoutASizeIsUploadedOnce takes a server that does not say how large
// its files are.
func TestFileWithoutASizeIsUploadedOnce(t *testing.T) {
	t.Parallel()
	for _, size := range []struct {
		name  string
		bytes any
	}{{"null", nil}, {"0", 0}} {
		t.Run(size.name, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			d.factory.distort("/v1/files", func(answer map[string]any) {
				if files, ok := answer["data"].([]any); ok {
					for _, file := range files {
						file.(map[string]any)["bytes"] = size.bytes
					}
					return
				}
				answer["bytes"] = size.bytes
			})
			data := driven(d.inlineDataset("data", sentiments(4)))
			d.Create(data)
			d.settle(data, classifierv1alpha1.ReasonUploaded)
			if calls := d.factory.calls.Load(); calls != 3 || len(d.remoteFiles()) != 1 {
				t.Errorf("after %d calls, to look for the file, to ask for the factory's limits and to upload it, the factory has %+v", calls, d.remoteFiles())
			}
			// An upload whose record was lost is found again by its name.
			d = d.restarted()
			id := data.Status.Files[0].ID
			d.Edit(data, func() { data.Spec.Source.Inline.Data = "{}" })
			d.settle(data, classifierv1alpha1.ReasonInvalidSamples)
			d.Edit(data, func() { data.Spec.Source.Inline.Data = sentiments(4) })
			d.settle(data, classifierv1alpha1.ReasonUploaded)
			if files := d.remoteFiles(); len(files) != 1 || data.Status.Files[0].ID != id {
				t.Errorf("the factory has %+v, the dataset %s instead of %s", files, data.Status.Files[0].ID, id)
			}
		})
	}
}

// TestAlteredUploadIsNoticed takes factories that say something of the file which is
// not true of what was sent, and some of which that cannot be said.
func TestAlteredUploadIsNoticed(t *testing.T) {
	t.Parallel()
	for _, said := range []struct {
		field  string
		value  any
		reason string
	}{
		{"bytes", 1, classifierv1alpha1.ReasonUploadAltered},
		{"sha256", strings.Repeat("0", 64), classifierv1alpha1.ReasonUploadAltered},
		{"sha256", nil, classifierv1alpha1.ReasonUploaded},
		{"signature", strings.Repeat("0", 64), classifierv1alpha1.ReasonUploaded},
		{"signature", "0123456789abcdef", classifierv1alpha1.ReasonUploaded},
	} {
		t.Run(fmt.Sprintf("%s %v", said.field, said.value), func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			d.factory.distort("/v1/files", func(answer map[string]any) {
				if _, isFile := answer["filename"]; isFile {
					answer[said.field] = said.value
				}
			})
			data := driven(d.inlineDataset("data", sentiments(4)))
			d.Create(data)
			d.settle(data, said.reason)
			if said.reason == classifierv1alpha1.ReasonUploaded {
				return
			}
			if files := d.remoteFiles(); len(files) != 0 || data.Status.Files[0].ID != "" {
				t.Errorf("the factory has %+v, the dataset says %+v", files, data.Status.Files)
			}
			if result, err := d.pass(data); err != nil || result.RequeueAfter != slowRetry {
				t.Errorf("it is tried again after %s: %v", result.RequeueAfter, err)
			}
			d.factory.behave()
			d.settle(data, classifierv1alpha1.ReasonUploaded)
		})
	}
}

// TestAlteredFileIsNotAdopted puts something else, as long and of the same name, in
// the place of what was uploaded.
func TestAlteredFileIsNotAdopted(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	data := d.inlineDataset("data", sentiments(4))
	d.ready(data)
	file := data.Status.Files[0]
	if err := d.api.DeleteFile(t.Context(), file.ID); err != nil {
		t.Fatal(err)
	}
	altered, err := d.api.UploadFile(t.Context(), mistral.Upload{
		Filename: file.Name, Size: file.SizeBytes, Content: strings.NewReader(strings.Repeat("x", int(file.SizeBytes))), Purpose: mistral.PurposeFineTune,
	})
	if err != nil {
		t.Fatal(err)
	}
	d = d.restarted() // and looks for its files
	d.settle(data, classifierv1alpha1.ReasonUploaded)
	if id := data.Status.Files[0].ID; id == altered.ID || id == file.ID {
		t.Errorf("the dataset has the file %s", id)
	}
	if files := d.remoteFiles(); len(files) != 2 || "sha256:"+*files[0].SHA256 != file.Digest {
		t.Errorf("the factory has %+v", files)
	}
}

func TestNoFileBlocksTheStatus(t *testing.T) {
	t.Parallel()
	for key, value := range map[string]any{
		"created_at": int64(1_795_400_000_000),
		"expires_at": int64(1_795_400_000_000),
		"id":         strings.Repeat("i", 300),
	} {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t)
			data := driven(d.inlineDataset("data", sentiments(4)))
			d.Create(data)
			d.factory.distort("/v1/files", func(answer map[string]any) {
				if _, isFile := answer["id"]; isFile {
					answer[key] = value
				}
			})
			if _, err := d.pass(data); apierrors.IsInvalid(err) {
				t.Error(err)
			}
		})
	}
}

// TestRecordedFileIsPreferred has the factory hold the same file twice, as after an
// upload whose answer was lost.
func TestRecordedFileIsPreferred(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	data := d.inlineDataset("data", sentiments(4))
	d.ready(data)
	id := data.Status.Files[0].ID
	d.factory.distort("/v1/files", func(answer map[string]any) {
		if files, ok := answer["data"].([]any); ok {
			other := maps.Clone(files[0].(map[string]any))
			other["id"] = "other"
			answer["data"] = []any{other, files[0]}
		}
	})
	d = d.restarted() // and looks for its files
	d.settle(data, classifierv1alpha1.ReasonUploaded)
	if got := data.Status.Files[0].ID; got != id {
		t.Errorf("the dataset has the file %s, and had %s", got, id)
	}
}
