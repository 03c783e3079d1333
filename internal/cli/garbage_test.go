package cli

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/marks"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// The objects of the tests, of which some are gone, and the cluster that they are in.
const (
	living = types.UID("5b1f0c1e-0000-4000-8000-000000000001")
	told   = types.UID("5b1f0c1e-0000-4000-8000-000000000002") // gone, and events tell of it
	gone   = types.UID("5b1f0c1e-0000-4000-8000-000000000003") // gone, and nothing tells of it
)

var (
	here  = marks.Marks{Cluster: "here", Former: true}
	there = marks.Marks{Cluster: "there"}
)

func remoteJob(id, suffix string, status mistral.JobStatus, files ...string) mistral.Job {
	return mistral.Job{ID: id, Suffix: &suffix, Status: status, TrainingFiles: files}
}

func fileNamed(prefix string) mistral.File {
	return mistral.File{ID: prefix, Filename: prefix + "0123456789abcdef.jsonl"}
}

func modelOfJob(id, job string) mistral.Model {
	return mistral.Model{ID: id, Job: job, Type: mistral.ModelTypeFineTuned}
}

func keyNamed(name string, models ...string) mistral.KeyInfo {
	return mistral.KeyInfo{ID: name, Name: name, Scopes: []string{mistral.ScopeClassify}, Models: models}
}

// TestLeftovers holds what is taken for garbage at a factory, and what is kept.
func TestLeftovers(t *testing.T) {
	const running, ended = mistral.JobRunning, mistral.JobSuccess
	own, lost := fileNamed(here.FilePrefix(living)), fileNamed(here.FilePrefix(gone))
	foreign := fileNamed(there.FilePrefix(living))
	lostJob := func(status mistral.JobStatus, files ...string) mistral.Job {
		return remoteJob("job", here.JobMarker(gone, 1), status, files...)
	}
	for _, test := range []struct {
		reason string
		at     remains
		in     owners
		want   string // actions by kind; ! is kept, as another cluster's or for another reason
		sole   string // the same with --sole-cluster; empty: the same
	}{
		{reason: "a job of a living object, of any of its tries", at: remains{files: []mistral.File{own},
			jobs: []mistral.Job{remoteJob("1", here.JobMarker(living, 1), running, own.ID), remoteJob("2", "mail-"+here.JobMarker(living, 11), running, own.ID)}}},
		{reason: "a job of a living object, of an earlier version",
			at: remains{files: []mistral.File{own}, jobs: []mistral.Job{remoteJob("1", here.JobMarkers(living)[1], running, own.ID)}}},
		{reason: "a job of an object that events tell of", at: remains{jobs: []mistral.Job{remoteJob("1", here.JobMarker(told, 2), running, "file")}}, want: "job:cancel"},
		{reason: "one that has ended cannot be removed", at: remains{jobs: []mistral.Job{remoteJob("1", here.JobMarker(told, 2), ended)}}},
		{reason: "one that is being cancelled", at: remains{jobs: []mistral.Job{remoteJob("1", here.JobMarker(told, 1), mistral.JobCancellationRequested)}}},
		{reason: "a job that reads a file of a living dataset, which stays", at: remains{files: []mistral.File{own}, jobs: []mistral.Job{lostJob(running, own.ID)}}, want: "job:cancel"},
		{reason: "a job of which nothing tells, and its file", at: remains{files: []mistral.File{lost}, jobs: []mistral.Job{lostJob(running, lost.ID)}},
			want: "job! file!", sole: "job:cancel file!"},
		{reason: "a job and a file of another cluster", at: remains{files: []mistral.File{foreign}, jobs: []mistral.Job{remoteJob("1", there.JobMarker(living, 1), running, foreign.ID)}},
			want: "job! file!", sole: "job:cancel file!"},
		{reason: "a job that somebody started by hand, with a suffix like a marker",
			at: remains{files: []mistral.File{{ID: "file", Filename: "train.jsonl"}}, jobs: []mistral.Job{remoteJob("1", "moderate", running, "file")}}},
		{reason: "a job whose start was not held back", at: remains{files: []mistral.File{lost},
			jobs: []mistral.Job{{ID: "1", AutoStart: true, Status: running, Suffix: new("moderate"), TrainingFiles: []string{lost.ID}}}}, want: "file!"},
		{reason: "a job without a mark", at: remains{files: []mistral.File{own}, jobs: []mistral.Job{remoteJob("1", "mail", running, own.ID), {ID: "2", Status: running}}}},
		{reason: "a job that an object has imported", at: remains{files: []mistral.File{own}, jobs: []mistral.Job{lostJob(running, own.ID)}},
			in: owners{jobs: []classifierv1alpha1.ClassifierTrainingJob{{Spec: classifierv1alpha1.ClassifierTrainingJobSpec{ImportJobID: "job"}}}}},

		{reason: "files of a living dataset, of any content and version",
			at: remains{files: []mistral.File{own, fileNamed(here.FilePrefixes(living)[1])}}},
		{reason: "a file of a dataset that events tell of", at: remains{files: []mistral.File{fileNamed(here.FilePrefix(told))}}, want: "file:delete"},
		{reason: "a file of which nothing tells", at: remains{files: []mistral.File{lost}}, want: "file!", sole: "file:delete"},
		{reason: "a file that a job of this cluster has read", at: remains{files: []mistral.File{lost}, jobs: []mistral.Job{remoteJob("1", here.JobMarker(living, 1), ended, lost.ID)}}, want: "file:delete"},
		{reason: "a file that somebody's unfinished job validates with", at: remains{files: []mistral.File{fileNamed(here.FilePrefix(told))},
			jobs: []mistral.Job{{ID: "1", Status: running, ValidationFiles: []string{here.FilePrefix(told)}}}}, want: "file!"},
		{reason: "a file that a living job pins", at: remains{files: []mistral.File{fileNamed(here.FilePrefix(told))}},
			in: owners{jobs: []classifierv1alpha1.ClassifierTrainingJob{{Status: classifierv1alpha1.ClassifierTrainingJobStatus{
				Inputs: []classifierv1alpha1.PinnedInput{{FileID: here.FilePrefix(told)}}}}}}},
		{reason: "a file that a restored status names", at: remains{files: []mistral.File{foreign}},
			in: owners{datasets: []classifierv1alpha1.ClassifierDataset{{Status: classifierv1alpha1.ClassifierDatasetStatus{
				History: []classifierv1alpha1.DatasetRevision{{FileIDs: []string{foreign.ID}}}}}}}},
		{reason: "a file of somebody's", at: remains{files: []mistral.File{{ID: "1", Filename: "classifier-dataset-mine.jsonl"}}}},

		{reason: "a model of a job that read a file of a living dataset", at: remains{files: []mistral.File{own}, jobs: []mistral.Job{lostJob(ended, own.ID)},
			models: []mistral.Model{modelOfJob("m", "job")}}, want: "model:delete"},
		{reason: "one that a published Secret names", at: remains{files: []mistral.File{own}, jobs: []mistral.Job{lostJob(ended, own.ID)}, models: []mistral.Model{modelOfJob("m", "job")}},
			in: owners{published: map[string]string{"m": "team/mail"}}, want: "model!"},
		{reason: "one that a living object has, which has another mark", at: remains{files: []mistral.File{own}, jobs: []mistral.Job{lostJob(ended, own.ID)}, models: []mistral.Model{modelOfJob("m", "job")}},
			in: owners{jobs: []classifierv1alpha1.ClassifierTrainingJob{{Status: classifierv1alpha1.ClassifierTrainingJobStatus{Model: &classifierv1alpha1.ModelStatus{ID: "m"}}}}}},
		{reason: "one whose files are gone: its job may have been made by hand", at: remains{jobs: []mistral.Job{remoteJob("job", "moderate", ended, "file")}, models: []mistral.Model{modelOfJob("m", "job")}}, want: "model!"},
		{reason: "one whose job is not there any more, and base models", at: remains{models: []mistral.Model{modelOfJob("m", "job"), {ID: "base"}}}},

		{reason: "the key of a living object", at: remains{keys: []mistral.KeyInfo{keyNamed(here.KeyName(living), "m")}}},
		{reason: "the key of an object that events tell of", at: remains{keys: []mistral.KeyInfo{keyNamed(here.KeyName(told), "m")}}, want: "key:revoke"},
		{reason: "the key of which nothing tells", at: remains{keys: []mistral.KeyInfo{keyNamed(here.KeyName(gone), "m")}}, want: "key!", sole: "key:revoke"},
		{reason: "the key of a model of this cluster", at: remains{keys: []mistral.KeyInfo{keyNamed(here.KeyName(gone), "m")}, files: []mistral.File{own},
			jobs: []mistral.Job{lostJob(ended, own.ID)}, models: []mistral.Model{modelOfJob("m", "job")}}, want: "key:revoke model:delete"},
		{reason: "the key of a model that a published Secret names", at: remains{keys: []mistral.KeyInfo{keyNamed(here.KeyName(told), "m")}},
			in: owners{published: map[string]string{"m": "team/mail"}}, want: "key!"},
		{reason: "a key of somebody's", at: remains{keys: []mistral.KeyInfo{keyNamed("shop"), {ID: "1", Name: here.KeyName(told), Scopes: []string{"admin"}}}}},
	} {
		in := test.in
		in.gone = append(in.gone, told)
		in.datasets = append(in.datasets, classifierv1alpha1.ClassifierDataset{ObjectMeta: metav1.ObjectMeta{UID: living}})
		in.jobs = append(in.jobs, classifierv1alpha1.ClassifierTrainingJob{ObjectMeta: metav1.ObjectMeta{UID: living}})
		for _, sole := range []bool{false, true} {
			want := test.want
			if sole {
				want = orElse(test.sole, test.want)
			}
			var got []string
			for _, left := range newCollector(&test.at, &in, here, sole).leftovers() {
				if (left.Action == "") != (left.Kept != "") {
					t.Errorf("%s: %+v is neither kept nor removed", test.reason, left)
				}
				got = append(got, left.Kind+map[bool]string{true: "!", false: ":" + left.Action}[left.Kept != ""])
			}
			if !slices.Equal(got, strings.Fields(want)) {
				t.Errorf("%s: with --sole-cluster=%t there are %v; want %s", test.reason, sole, got, want)
			}
		}
	}
}
