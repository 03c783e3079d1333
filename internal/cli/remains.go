package cli

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/marks"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// remains are all that a factory has of a namespace.
type remains struct {
	jobs   []mistral.Job
	files  []mistral.File
	models []mistral.Model
	keys   []mistral.KeyInfo
}

func readRemains(ctx context.Context, factory *mistral.Client) (found *remains, err error) {
	found = &remains{}
	found.jobs, err = pages(func(page int) ([]mistral.Job, error) {
		list, err := factory.ListJobs(ctx, mistral.JobFilter{Page: page, PageSize: pageSize})
		if err != nil {
			return nil, err
		}
		return list.Data, nil
	})
	if err != nil {
		return nil, err
	}
	found.files, err = pages(func(page int) ([]mistral.File, error) {
		list, err := factory.ListFiles(ctx, mistral.FileFilter{Page: page, PageSize: pageSize})
		if err != nil {
			return nil, err
		}
		return list.Data, nil
	})
	if err != nil {
		return nil, err
	}
	models, err := factory.ListModels(ctx)
	if err != nil {
		return nil, err
	}
	found.models = models.Data
	if found.keys, err = listKeys(ctx, factory, ""); mistral.IsNotFound(err) {
		err = nil // the hosted service has none
	}
	return found, err
}

func listKeys(ctx context.Context, factory *mistral.Client, name string) ([]mistral.KeyInfo, error) {
	return pages(func(page int) ([]mistral.KeyInfo, error) {
		list, err := factory.ListKeys(ctx, mistral.KeyFilter{Name: name, Page: page, PageSize: pageSize})
		if err != nil {
			return nil, err
		}
		return list.Data, nil
	})
}

const (
	pageSize = 100 // the protocol's own
	maxPages = 1000
)

// pages reads a list to its end.
func pages[T any](read func(page int) ([]T, error)) (all []T, err error) {
	for page := range maxPages {
		items, err := read(page)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		if len(items) < pageSize {
			return all, nil
		}
	}
	return nil, fmt.Errorf("the factory's list has more than %d entries", maxPages*pageSize)
}

// owners are all in a cluster that can own something at a factory, of all its namespaces:
// to a key that acts for none, they are one tenant.
type owners struct {
	datasets []classifierv1alpha1.ClassifierDataset
	jobs     []classifierv1alpha1.ClassifierTrainingJob
	// gone are objects that there were, as events tell for an hour.
	gone []types.UID
	// published are the Secrets by the model that they name.
	published map[string]string
}

// published Secrets are of this type, also copies of them in other namespaces.
const publishedType = "servicebinding.io/classifier-factory"

// readOwners has to come after readRemains: then whoever made what was found there is
// found, too, unless he is gone.
func (c *cluster) readOwners(ctx context.Context) (*owners, error) {
	datasets, jobs := &classifierv1alpha1.ClassifierDatasetList{}, &classifierv1alpha1.ClassifierTrainingJobList{}
	for _, list := range []client.ObjectList{datasets, jobs} {
		err := c.List(ctx, list)
		if meta.IsNoMatchError(err) {
			return nil, errNotInstalled
		}
		if err != nil {
			return nil, err
		}
	}
	read := &owners{datasets: datasets.Items, jobs: jobs.Items, published: map[string]string{}}
	secrets := &corev1.SecretList{}
	if err := c.List(ctx, secrets, client.MatchingFields{"type": publishedType}); err != nil {
		return nil, fmt.Errorf("which models are in use is not known: %w", err)
	}
	for i := range secrets.Items {
		secret := &secrets.Items[i]
		read.published[string(secret.Data["model"])] = secret.Namespace + "/" + secret.Name
	}
	for _, kind := range []string{kindDataset, kindJob} {
		events := &corev1.EventList{}
		if c.List(ctx, events, client.MatchingFields{"involvedObject.kind": kind}) != nil {
			continue // who may not see them has less evidence
		}
		for i := range events.Items {
			read.gone = append(read.gone, events.Items[i].InvolvedObject.UID)
		}
	}
	return read, nil
}

// claims are by what things at a factory are recognised as somebody's.
type claims struct {
	markers, prefixes, keys map[string]bool // marks
	jobs, files, models     map[string]bool // IDs
}

func newClaims() *claims {
	return &claims{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
}

// mark adds what an object marks, whatever its kind.
func (c *claims) mark(by marks.Marks, object types.UID) {
	for _, marker := range by.JobMarkers(object) {
		c.markers[marker] = true
	}
	for _, prefix := range by.FilePrefixes(object) {
		c.prefixes[prefix] = true
	}
	c.keys[by.KeyName(object)] = true
}

// living is what the owners that live claim: by their marks, those of an earlier version
// too, and by what their statuses name, whose marks it may have.
func (o *owners) living(by marks.Marks) *claims {
	by.Former = true
	claimed := newClaims()
	for i := range o.datasets {
		claimed.mark(by, o.datasets[i].UID)
		for _, file := range o.datasets[i].Status.Files {
			claimed.files[file.ID] = true
			claimed.prefixes[marks.PrefixIn(file.Name)] = true
		}
		for _, revision := range o.datasets[i].Status.History {
			for _, id := range revision.FileIDs {
				claimed.files[id] = true
			}
		}
	}
	for i := range o.jobs {
		claimed.markJob(by, &o.jobs[i])
	}
	return claimed
}

func (c *claims) markJob(by marks.Marks, job *classifierv1alpha1.ClassifierTrainingJob) {
	status := &job.Status
	c.mark(by, job.UID)
	c.keys[status.APIKeyName] = true
	c.jobs[job.Spec.ImportJobID] = true
	if status.Attempt != nil {
		c.markers[status.Attempt.Marker] = true
	}
	if status.RemoteJob != nil {
		c.jobs[status.RemoteJob.ID] = true
	}
	if status.Model != nil {
		c.models[status.Model.ID] = true
	}
	if !isTrue(status.Conditions, classifierv1alpha1.ConditionFinished) {
		for _, input := range status.Inputs {
			c.files[input.FileID] = true
		}
	}
}

// provable is what is this cluster's own for certain: what objects have marked by its
// present marks, those that are gone and those that live.
func (o *owners) provable(by marks.Marks) *claims {
	by.Former = false
	claimed := newClaims()
	for i := range o.datasets {
		claimed.mark(by, o.datasets[i].UID)
	}
	for i := range o.jobs {
		claimed.mark(by, o.jobs[i].UID)
	}
	for _, gone := range o.gone {
		claimed.mark(by, gone)
	}
	return claimed
}
