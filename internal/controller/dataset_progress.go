package controller

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// progressInterval bounds the writes that an upload costs. Most are over before the first.
const progressInterval = 5 * time.Second

// sentBytes counts what is read through it.
type sentBytes struct {
	io.Reader
	count atomic.Int64
}

func (s *sentBytes) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	s.count.Add(int64(n))
	return n, err
}

// reportProgress writes into the status how much of a file is sent, until it is
// stopped. Until then nobody else may touch the scope.
func (r *DatasetReconciler) reportProgress(ctx context.Context, scope *datasetScope, file *classifierv1alpha1.DatasetFile, sent *sentBytes) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	ticker := r.clock.NewTicker(progressInterval)
	go func() {
		defer close(ended)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C():
			}
			file.UploadedBytes = new(sent.count.Load())
			// With its conditions, because a crash may make it the last word of this pass.
			scope.setConditions(wait(0, classifierv1alpha1.ReasonUploading, "the files are being uploaded"), metav1.NewTime(r.clock.Now()))
			if _, err := r.writeStatus(ctx, scope); err != nil {
				ctrl.LoggerFrom(ctx).V(1).Info("the progress of an upload cannot be written", "error", err.Error())
				return
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}
