package faults

import (
	"errors"
	"fmt"
	"slices"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// checkFiles holds that the factory has each content once.
func (w *world) checkFiles() {
	w.Helper()
	seen := map[string]int{}
	for _, file := range w.remoteFiles() {
		seen[file.Filename]++
		if seen[file.Filename] > 1 {
			w.Errorf("the factory has %s %d times", file.Filename, seen[file.Filename])
		}
	}
}

// checkNothingLeft holds, after everything was deleted, that so many jobs were
// created and started, that all have ended, and that no file is left.
func (w *world) checkNothingLeft(jobs, starts int) {
	w.Helper()
	w.checkStarts(starts)
	if created := w.remoteJobs(); len(created) != jobs {
		w.Errorf("%d jobs were created, want %d: %+v", len(created), jobs, created)
	}
	if err := w.orphans(); err != nil {
		w.Error(err)
	}
}

// checkStarts holds that so many jobs were started, each of them once.
func (w *world) checkStarts(starts int) {
	w.Helper()
	w.proxy.mu.Lock()
	defer w.proxy.mu.Unlock()
	started := slices.Sorted(slices.Values(w.proxy.started))
	if distinct := slices.Compact(slices.Clone(started)); len(started) != starts || len(distinct) != starts {
		w.Errorf("%d starts of %d jobs, want one of each of %d: %v", len(started), len(distinct), starts, started)
	}
}

// orphans are what nobody looks after any more.
func (w *world) orphans() error {
	w.Helper()
	var problems []error
	for _, job := range w.remoteJobs() {
		if !job.Status.Finished() {
			problems = append(problems, fmt.Errorf("job %s is left, %s", job.ID, job.Status))
		}
	}
	for _, file := range w.remoteFiles() {
		problems = append(problems, fmt.Errorf("file %s is left", file.Filename))
	}
	return errors.Join(problems...)
}

func (w *world) remoteFiles() []mistral.File {
	w.Helper()
	list, err := w.factory.ListFiles(w.ctx, mistral.FileFilter{})
	if err != nil {
		w.Fatal(err)
	}
	return list.Data
}

func (w *world) remoteJobs() []mistral.Job {
	w.Helper()
	list, err := w.factory.ListJobs(w.ctx, mistral.JobFilter{})
	if err != nil {
		w.Fatal(err)
	}
	return list.Data
}
