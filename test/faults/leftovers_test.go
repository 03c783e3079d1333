package faults

import (
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
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
// created and started, that all have ended, and that no file or key is left.
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
	for _, key := range w.remoteKeys() {
		problems = append(problems, fmt.Errorf("key %s is left", key.Name))
	}
	return errors.Join(problems...)
}

// remoteKeys are those that were minted; a scripted factory has none.
func (w *world) remoteKeys() []mistral.KeyInfo {
	w.Helper()
	list, err := w.factory.ListKeys(w.ctx, mistral.KeyFilter{})
	if mistral.IsNotFound(err) {
		return nil
	}
	if err != nil {
		w.Fatal(err)
	}
	return list.Data
}

// checkKey holds that the factory has one key of a job, which is the published one.
func (w *world) checkKey(job *classifierv1alpha1.ClassifierTrainingJob) {
	w.Helper()
	w.Get(job.Name, job)
	secret := &corev1.Secret{}
	w.Get(job.Status.Binding.Name, secret)
	published, err := mistral.NewClient(mistral.Config{BaseURL: w.url, Key: mistral.NewKey(string(secret.Data["api-key"]))})
	if err != nil {
		w.Fatal(err)
	}
	if _, err := published.Classify(w.ctx, mistral.ClassifyRequest{Model: job.Status.Model.ID, Input: []string{"lovely"}}); err != nil {
		w.Errorf("the published key does not classify: %v", err)
	}
	if keys := w.remoteKeys(); len(keys) != 1 {
		w.Errorf("the factory has %d keys of the job, want one: %+v", len(keys), keys)
	}
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
