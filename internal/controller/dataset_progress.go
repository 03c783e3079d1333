package controller

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

const (
	// progressDelay spares what is over in a moment the write, and progressInterval
	// bounds the writes that anything else costs.
	progressDelay    = time.Second
	progressInterval = 5 * time.Second
	// stalledDelay is for what failed before: if it fails again within the time that a
	// call may take, it was not under way.
	stalledDelay = 30 * time.Second
)

// countedReader counts what is read through it, while others look.
type countedReader struct {
	io.Reader
	count *atomic.Int64
}

func (r countedReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.count.Add(int64(n))
	return n, err
}

// reportProgress writes into the status how far something is, until it is stopped.
// Until then nobody else may touch the scope.
func (r *DatasetReconciler) reportProgress(ctx context.Context, scope *datasetScope, progress func() outcome) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	delay := progressDelay
	if meta.IsStatusConditionTrue(scope.status.Conditions, classifierv1alpha1.ConditionStalled) {
		delay = stalledDelay
	}
	timer := r.clock.NewTimer(delay)
	go func() {
		defer close(ended)
		defer timer.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-timer.C():
			}
			scope.setUnderWay(progress(), metav1.NewTime(r.clock.Now()))
			if err := r.writeStatus(ctx, scope); err != nil {
				ctrl.LoggerFrom(ctx).V(1).Info("progress cannot be written", "error", err.Error())
				return
			}
			timer.Reset(progressInterval)
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// preparing says how much of the source is read. How much there is of it is not
// always known before.
func (s *datasetScope) preparing(read *atomic.Int64) func() outcome {
	size, exact := s.source.SizeBytes()
	return func() outcome {
		message := fmt.Sprintf("preparing: %d bytes are read", read.Load())
		if exact {
			message = fmt.Sprintf("preparing: %d of %d bytes are read", read.Load(), size)
		}
		return wait(0, classifierv1alpha1.ReasonPreparing, message)
	}
}

// uploading says how much of a file is sent.
func uploading(file *classifierv1alpha1.DatasetFile, sent *atomic.Int64) func() outcome {
	return func() outcome {
		file.UploadedBytes = new(sent.Load())
		return wait(0, classifierv1alpha1.ReasonUploading,
			fmt.Sprintf("uploading: %d of %d bytes are sent", *file.UploadedBytes, file.SizeBytes))
	}
}
