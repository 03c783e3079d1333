package soak

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
)

const (
	// patience is many times what anything takes, a factory that was killed included.
	patience = 5 * time.Minute
	// glances are how often a user looks at what he waits for.
	glances = 500 * time.Millisecond
)

// people are all users, each of whom makes, changes and deletes objects until the end.
type people struct {
	working  sync.WaitGroup
	stop     chan struct{}
	failed   chan struct{} // closed by the first who gives up
	giveUp   sync.Once
	datasets atomic.Int64
	jobs     atomic.Int64

	mu      sync.Mutex
	markers map[string]string // of jobs that were to be trained, with their last state
	problem error
}

// user is one of them.
type user struct {
	*people
	client.Client
	namespace  string
	connection *classifierv1alpha1.SecretReference
}

func startUsers(t *testing.T, s *site) *people {
	t.Helper()
	all := &people{stop: make(chan struct{}), failed: make(chan struct{}), markers: map[string]string{}}
	for i, namespace := range s.namespaces {
		one := &user{people: all, Client: s.Admin, namespace: namespace}
		if i%2 == 0 {
			one.connection = &classifierv1alpha1.SecretReference{Name: connectionName}
		}
		all.working.Go(func() { one.work(context.WithoutCancel(t.Context())) })
	}
	return all
}

func (p *people) hasGivenUp() bool { return isClosed(p.failed) }

func isClosed(channel chan struct{}) bool {
	select {
	case <-channel:
		return true
	default:
		return false
	}
}

// finish waits until everybody has deleted what he made, and looks on meanwhile.
func (p *people) finish(t *testing.T, look func()) {
	t.Helper()
	close(p.stop)
	done := make(chan struct{})
	go func() {
		p.working.Wait()
		close(done)
	}()
	for !isClosed(done) {
		look()
		select {
		case <-done:
		case <-time.After(lookInterval):
		}
	}
	if p.problem != nil {
		t.Error(p.problem)
	}
}

func (p *people) trainedMarkers() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.markers
}

func (p *people) summary() string {
	return fmt.Sprintf("%d datasets and %d jobs made and deleted, %d of them trained", p.datasets.Load(), p.jobs.Load(), len(p.trainedMarkers()))
}

func (u *user) work(ctx context.Context) {
	for round := 0; !isClosed(u.stop) && !u.hasGivenUp(); round++ {
		if err := u.live(ctx, round); err != nil {
			u.mu.Lock()
			u.problem = errors.Join(u.problem, fmt.Errorf("in namespace %s: %w", u.namespace, err))
			u.mu.Unlock()
			u.giveUp.Do(func() { close(u.failed) })
			return
		}
	}
}

// live makes a dataset, does one of several things with it, and deletes all.
func (u *user) live(ctx context.Context, round int) error {
	name := fmt.Sprintf("run-%05d", round)
	dataset := &classifierv1alpha1.ClassifierDataset{ObjectMeta: metav1.ObjectMeta{Namespace: u.namespace, Name: name}}
	dataset.Spec.Source.Inline = &classifierv1alpha1.InlineSource{Data: controllertest.Sentiments(20 + round%7)}
	dataset.Spec.ConnectionSecretRef = u.connection
	if err := u.Create(ctx, dataset); err != nil {
		return err
	}
	u.datasets.Add(1)
	story := []func(context.Context, string) ([]client.Object, error){u.train, u.trainAgain, u.holdBack, u.loseSecret}[round%4]
	objects, err := story(ctx, name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return u.remove(ctx, append(objects, dataset))
}

func (u *user) train(ctx context.Context, name string) ([]client.Object, error) {
	job, err := u.trained(ctx, name, name)
	return []client.Object{job}, err
}

// trainAgain changes the samples, and trains on the new ones.
func (u *user) trainAgain(ctx context.Context, name string) ([]client.Object, error) {
	first, err := u.trained(ctx, name, name)
	if err != nil {
		return nil, err
	}
	dataset := &classifierv1alpha1.ClassifierDataset{ObjectMeta: metav1.ObjectMeta{Namespace: u.namespace, Name: name}}
	changed := fmt.Sprintf(`{"spec":{"source":{"inline":{"data":%q}}}}`, controllertest.Sentiments(40))
	if err := u.Patch(ctx, dataset, client.RawPatch("application/merge-patch+json", []byte(changed))); err != nil {
		return nil, err
	}
	err = u.await(ctx, first, "the job to notice the new samples", func() bool {
		return controllertest.Condition(first, classifierv1alpha1.ConditionInputsCurrent).Status == metav1.ConditionFalse
	})
	if err != nil {
		return nil, err
	}
	second, err := u.trained(ctx, name+"-2", name)
	return []client.Object{first, second}, err
}

// holdBack deletes a job before it is approved.
func (u *user) holdBack(ctx context.Context, name string) ([]client.Object, error) {
	job := u.newJob(name, name)
	job.Spec.Suspend = new(true)
	if err := u.Create(ctx, job); err != nil {
		return nil, err
	}
	u.jobs.Add(1)
	return []client.Object{job}, u.await(ctx, job, "the job to wait for its approval", func() bool { return job.Status.State == "VALIDATED" })
}

// loseSecret deletes what was published, and waits for it with another key.
func (u *user) loseSecret(ctx context.Context, name string) ([]client.Object, error) {
	job, err := u.trained(ctx, name, name)
	if err != nil {
		return nil, err
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: u.namespace, Name: name}}
	if err := u.Delete(ctx, secret); err != nil {
		return nil, err
	}
	look := fmt.Sprintf(`{"metadata":{"annotations":{%q:"again"}}}`, classifierv1alpha1.ReconcileRequestAnnotation)
	if err := u.Patch(ctx, job, client.RawPatch("application/merge-patch+json", []byte(look))); err != nil {
		return nil, err
	}
	err = u.awaitWith(ctx, "the Secret to be published again", func() (bool, error) {
		err := u.Get(ctx, client.ObjectKey{Namespace: u.namespace, Name: name}, secret)
		return err == nil && len(secret.Data["api-key"]) > 0, client.IgnoreNotFound(err)
	})
	return []client.Object{job}, err
}

func (u *user) newJob(name, dataset string) *classifierv1alpha1.ClassifierTrainingJob {
	job := &classifierv1alpha1.ClassifierTrainingJob{ObjectMeta: metav1.ObjectMeta{Namespace: u.namespace, Name: name}}
	job.Spec.Training.Datasets = []classifierv1alpha1.TrainingDataset{{Name: dataset}}
	job.Spec.ConnectionSecretRef = u.connection
	job.Spec.DeletionPolicy = classifierv1alpha1.TrainingJobCancelAndDeleteModel
	return job
}

// trained is a job whose model is published.
func (u *user) trained(ctx context.Context, name, dataset string) (*classifierv1alpha1.ClassifierTrainingJob, error) {
	job := u.newJob(name, dataset)
	if err := u.Create(ctx, job); err != nil {
		return nil, err
	}
	u.jobs.Add(1)
	err := u.await(ctx, job, "the model", func() bool {
		return meta.IsStatusConditionTrue(job.Status.Conditions, classifierv1alpha1.ConditionReady)
	})
	if job.Status.Attempt != nil {
		u.mu.Lock()
		u.markers[job.Status.Attempt.Marker] = job.Status.State
		u.mu.Unlock()
	}
	return job, err
}

func (u *user) remove(ctx context.Context, objects []client.Object) error {
	for _, object := range objects {
		if err := u.Delete(ctx, object); err != nil {
			return err
		}
	}
	for _, object := range objects {
		err := u.awaitWith(ctx, object.GetName()+" to be gone", func() (bool, error) {
			err := u.Get(ctx, client.ObjectKeyFromObject(object), object)
			return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// await looks at an object until what is awaited has come.
func (u *user) await(ctx context.Context, object client.Object, awaited string, come func() bool) error {
	err := u.awaitWith(ctx, awaited, func() (bool, error) {
		err := u.Get(ctx, client.ObjectKeyFromObject(object), object)
		return err == nil && come(), err
	})
	if err != nil {
		return fmt.Errorf("%w; it is %s: %s", err, controllertest.State(object), controllertest.Condition(object, classifierv1alpha1.ConditionReady).Message)
	}
	return nil
}

func (u *user) awaitWith(ctx context.Context, awaited string, come func() (bool, error)) error {
	err := wait.PollUntilContextTimeout(ctx, glances, patience, true, func(context.Context) (bool, error) { return come() })
	if err != nil {
		return fmt.Errorf("waiting for %s: %w", awaited, err)
	}
	return nil
}
