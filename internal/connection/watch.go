package connection

import (
	"reflect"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/internal/turns"
)

// watchedJob is what is known of a job, and who wants to hear of it. The poller's
// lock guards it.
type watchedJob struct {
	watchers map[turns.Who]func()
	latest   *mistral.DetailedJob // nil until first read
	err      error                // of the last reading of this job
	asked    time.Time            // when latest was asked for
	since    time.Time            // when latest's timestamp was first seen
}

func (p *poller) watch(id string, watcher turns.Who, changed func()) (*mistral.DetailedJob, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	job, ok := p.jobs[id]
	if !ok {
		job = &watchedJob{watchers: map[turns.Who]func(){}}
		p.jobs[id] = job
		p.hurry()
	}
	job.watchers[watcher] = changed
	if job.err == nil && !job.ended() {
		return job.latest, p.err
	}
	return job.latest, job.err
}

func (p *poller) unwatch(id string, watcher turns.Who) {
	p.mu.Lock()
	defer p.mu.Unlock()
	job, ok := p.jobs[id]
	if !ok {
		return
	}
	if delete(job.watchers, watcher); len(job.watchers) > 0 {
		return
	}
	if delete(p.jobs, id); p.running {
		p.hurry() // to end, if this was the last
	}
}

func (p *poller) watching() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.jobs) > 0
}

// saw takes in what a call of a watcher's own brought.
func (p *poller) saw(id string, answer *mistral.DetailedJob, asked time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	if job, ok := p.jobs[id]; ok && job.learn(answer, nil, asked, now) {
		p.interval = p.min
		if soon := now.Add(p.min); soon.Before(p.next) {
			p.next = soon
		}
		p.hurry()
	}
}

// learn takes in what asking for the job brought, and tells the watchers if that is news.
func (j *watchedJob) learn(answer *mistral.DetailedJob, err error, asked, now time.Time) (news bool) {
	if err != nil {
		news = j.err == nil || mistral.IsNotFound(j.err) != mistral.IsNotFound(err)
		j.err = err
	} else {
		news = j.err != nil || !reflect.DeepEqual(j.latest, answer)
		if j.latest == nil || j.latest.Status != answer.Status || j.latest.ModifiedAt != answer.ModifiedAt {
			j.since = now
		}
		j.latest, j.err, j.asked = answer, nil, asked
	}
	if news {
		j.tell()
	}
	return news
}

func (j *watchedJob) tell() {
	for _, changed := range j.watchers {
		changed()
	}
}

// namespace is that of one of its watchers; mostly there is one.
func (j *watchedJob) namespace() (namespace string) {
	if j == nil {
		return ""
	}
	for watcher := range j.watchers {
		namespace = max(namespace, watcher.Namespace)
	}
	return namespace
}

func (j *watchedJob) untried() bool { return j.latest == nil && j.err == nil }

// ended reports whether all is known of the job. A training that succeeded has yet
// to name its model.
func (j *watchedJob) ended() bool {
	if j.latest == nil || !j.latest.Status.Finished() {
		return false
	}
	model := j.latest.FineTunedModel
	return j.latest.Status != mistral.JobSuccess || model != nil && *model != ""
}

// mayDifferFrom reports whether there may be news of the job, by what a list says.
func (j *watchedJob) mayDifferFrom(listed *mistral.Job, now time.Time) bool {
	settled := j.asked.Sub(j.since) >= settleTime
	return listed.Status != j.latest.Status || listed.ModifiedAt != j.latest.ModifiedAt ||
		listed.Status.Finished() || !settled && now.Sub(j.since) >= settleTime
}
