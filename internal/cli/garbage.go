package cli

import (
	"fmt"
	"slices"

	"github.com/classifier-factory/classifier-factory/internal/marks"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// leftover is something at a factory with an operator's mark and without an owner in the cluster.
type leftover struct {
	Kind   string `json:"kind"`
	ID     string `json:"id"`
	Name   string `json:"name"`
	Action string `json:"action,omitempty"` // what is to be done with it; empty if it is kept
	Kept   string `json:"kept,omitempty"`   // why it is kept
	Done   bool   `json:"done,omitempty"`
}

// The kinds of what is left, and what is done with each.
const (
	leftJob   = "job"
	leftFile  = "file"
	leftModel = "model"
	leftKey   = "key"

	actCancel = "cancel"
	actDelete = "delete"
	actRevoke = "revoke"

	keptOthers = "it may be another cluster's"
)

// collector sees what is nobody's.
type collector struct {
	at        *remains
	living    *claims
	provable  *claims
	published map[string]string
	// sole: somebody has said that no other cluster uses the factory.
	sole bool

	fileNames map[string]string      // by ID
	jobs      map[string]mistral.Job // by ID
}

func newCollector(at *remains, in *owners, by marks.Marks, sole bool) *collector {
	c := &collector{at: at, living: in.living(by), provable: in.provable(by), published: in.published, sole: sole,
		fileNames: map[string]string{}, jobs: map[string]mistral.Job{}}
	for _, file := range at.files {
		c.fileNames[file.ID] = file.Filename
	}
	for _, job := range at.jobs {
		c.jobs[job.ID] = job
	}
	return c
}

// leftovers are in the order in which they can be removed. It is not an error of a thing
// to be in none of the lists: what is not marked is not looked at.
func (c *collector) leftovers() []leftover {
	all := []leftover{} // not null in JSON
	for _, job := range c.at.jobs {
		if !job.Status.Finished() && job.Status != mistral.JobCancellationRequested && c.isOrphan(&job) {
			all = append(all, c.judged(leftover{Kind: leftJob, ID: job.ID, Name: *job.Suffix, Action: actCancel}, c.isOurs(&job)))
		}
	}
	for _, key := range c.at.keys {
		if marks.IsKeyName(key.Name) && !c.living.keys[key.Name] && slices.Equal(key.Scopes, []string{mistral.ScopeClassify}) {
			all = append(all, c.judgedKey(&key))
		}
	}
	for _, model := range c.at.models {
		if job, known := c.jobs[model.Job]; known && c.isOrphan(&job) && !c.living.models[model.ID] {
			all = append(all, c.judgedModel(&model, &job))
		}
	}
	for _, file := range c.at.files {
		prefix := marks.PrefixIn(file.Filename)
		if prefix != "" && !c.living.prefixes[prefix] && !c.living.files[file.ID] {
			all = append(all, c.judgedFile(&file, prefix))
		}
	}
	return all
}

// judged keeps what may be another cluster's.
func (c *collector) judged(left leftover, isOurs bool) leftover {
	if !isOurs && !c.sole {
		return left.kept(keptOthers)
	}
	return left
}

func (l leftover) kept(reason string) leftover {
	l.Action, l.Kept = "", reason
	return l
}

// isOrphan reports whether an operator created the job for an object that is not there. A
// suffix may look like a marker by chance; then something else does not fit.
func (c *collector) isOrphan(job *mistral.Job) bool {
	if job.Suffix == nil {
		return false
	}
	marker := marks.MarkerIn(*job.Suffix)
	if marker == "" || job.AutoStart || c.living.markers[marker] || c.living.jobs[job.ID] {
		return false
	}
	return c.provable.markers[marker] || !slices.ContainsFunc(job.TrainingFiles, func(id string) bool {
		name, known := c.fileNames[id]
		return known && marks.PrefixIn(name) == "" || !known && !job.Status.Finished()
	})
}

// isOurs reports whether this cluster's operator created the job: by the marker, or because
// it reads a file of one of the cluster's datasets.
func (c *collector) isOurs(job *mistral.Job) bool {
	return job.Suffix != nil && c.provable.markers[marks.MarkerIn(*job.Suffix)] ||
		slices.ContainsFunc(filesOfJob(job), func(id string) bool { return c.provable.prefixes[marks.PrefixIn(c.fileNames[id])] })
}

func filesOfJob(job *mistral.Job) []string {
	return slices.Concat(job.TrainingFiles, job.ValidationFiles)
}

func (c *collector) judgedKey(key *mistral.KeyInfo) leftover {
	left := leftover{Kind: leftKey, ID: key.ID, Name: key.Name, Action: actRevoke}
	for _, model := range key.Models {
		if secret := c.published[model]; secret != "" {
			return left.kept("Secret " + secret + " names its model")
		}
	}
	isOurs := c.provable.keys[key.Name] || slices.ContainsFunc(c.at.models, func(model mistral.Model) bool {
		job, known := c.jobs[model.Job]
		return known && slices.Contains(key.Models, model.ID) && c.isOurs(&job)
	})
	return c.judged(left, isOurs)
}

func (c *collector) judgedModel(model *mistral.Model, job *mistral.Job) leftover {
	left := leftover{Kind: leftModel, ID: model.ID, Name: *job.Suffix, Action: actDelete}
	if secret := c.published[model.ID]; secret != "" {
		return left.kept("Secret " + secret + " names it")
	}
	isOurs := c.isOurs(job)
	if !isOurs && slices.ContainsFunc(job.TrainingFiles, func(id string) bool { return c.fileNames[id] == "" }) {
		return left.kept("its files are gone, so that nothing tells it from a model of somebody's own")
	}
	return c.judged(left, isOurs)
}

func (c *collector) judgedFile(file *mistral.File, prefix string) leftover {
	left := leftover{Kind: leftFile, ID: file.ID, Name: file.Filename, Action: actDelete}
	isOurs := c.provable.prefixes[prefix]
	for _, job := range c.at.jobs {
		if !slices.Contains(filesOfJob(&job), file.ID) {
			continue
		}
		if !job.Status.Finished() {
			return left.kept(fmt.Sprintf("the unfinished job %s reads it", job.ID))
		}
		isOurs = isOurs || c.isOurs(&job)
	}
	return c.judged(left, isOurs)
}
