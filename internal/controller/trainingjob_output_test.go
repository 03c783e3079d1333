package controller

import (
	"context"
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// publishedEarlier is a driver with a job whose model is in the Secret "earlier".
func publishedEarlier(t *testing.T) (*driver, *classifierv1alpha1.ClassifierTrainingJob) {
	t.Helper()
	d := newDriver(t)
	d.ready(d.inlineDataset("data", sentiments(20)))
	job := driven(d.trainingJob("job", "data"))
	job.Spec.Output = &classifierv1alpha1.TrainingOutput{SecretName: "earlier"}
	d.Create(job)
	d.settle(job, classifierv1alpha1.ReasonPublished)
	return d, job
}

func (d *driver) rename(job *classifierv1alpha1.ClassifierTrainingJob, output *classifierv1alpha1.TrainingOutput) {
	d.Helper()
	d.Edit(job, func() { job.Spec.Output = output })
}

// secrets are the names of the Secrets that a job owns.
func (d *driver) secrets(job *classifierv1alpha1.ClassifierTrainingJob) (names []string) {
	d.Helper()
	list := &corev1.SecretList{}
	d.List(list)
	for _, secret := range list.Items {
		for _, owner := range secret.OwnerReferences {
			if owner.UID == job.UID {
				names = append(names, secret.Name)
			}
		}
	}
	return names
}

// TestSecretOfAnEarlierNameIsRemoved names another Secret: what was published under the
// first name would otherwise go on saying what is no longer kept up to date.
func TestSecretOfAnEarlierNameIsRemoved(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		reason string
		output *classifierv1alpha1.TrainingOutput
		want   string
	}{
		{"another name", &classifierv1alpha1.TrainingOutput{SecretName: "later"}, "later"},
		{"the default again", nil, "job"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			d, job := publishedEarlier(t)
			d.rename(job, test.output)
			d.settle(job, classifierv1alpha1.ReasonPublished)
			if got := d.secrets(job); len(got) != 1 || got[0] != test.want || job.Status.Binding.Name != test.want {
				t.Errorf("the Secrets are %q and %s is bound, want %s alone", got, job.Status.Binding.Name, test.want)
			}
		})
	}
}

// TestSecretOfAnEarlierNameOutlivesNoCrash crashes the operator after each write of
// the change, and after it was told that the write failed.
func TestSecretOfAnEarlierNameOutlivesNoCrash(t *testing.T) {
	t.Parallel()
	crash := errors.New("the operator is gone")
	for _, test := range []struct {
		reason string
		at     func(failing *interceptor.Funcs)
	}{
		{"before the new Secret is written", func(f *interceptor.Funcs) {
			f.Apply = func(context.Context, client.WithWatch, runtime.ApplyConfiguration, ...client.ApplyOption) error {
				return crash
			}
		}},
		{"after the new Secret was written", func(f *interceptor.Funcs) {
			f.Apply = func(ctx context.Context, c client.WithWatch, object runtime.ApplyConfiguration, options ...client.ApplyOption) error {
				return errors.Join(c.Apply(ctx, object, options...), crash)
			}
		}},
		{"before the earlier one is deleted", func(f *interceptor.Funcs) {
			f.Delete = func(context.Context, client.WithWatch, client.Object, ...client.DeleteOption) error { return crash }
		}},
		{"after the earlier one was deleted", func(f *interceptor.Funcs) {
			f.Delete = func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.DeleteOption) error {
				return errors.Join(c.Delete(ctx, object, options...), crash)
			}
		}},
		{"before the status is written", func(f *interceptor.Funcs) {
			f.SubResourceApply = func(context.Context, client.Client, string, runtime.ApplyConfiguration, ...client.SubResourceApplyOption) error {
				return crash
			}
		}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			d, job := publishedEarlier(t)
			d.rename(job, &classifierv1alpha1.TrainingOutput{SecretName: "later"})
			failing := interceptor.Funcs{}
			test.at(&failing)
			d.jobs.client = interceptor.NewClient(d.jobs.client.(client.WithWatch), failing)
			if _, err := d.pass(job); err == nil {
				t.Error("nothing crashed")
			}
			d.Get("job", job)
			for _, name := range d.secrets(job) {
				if name == "later" || name == job.Status.Binding.Name {
					continue
				}
				t.Errorf("after the crash %s is there, and %s bound", name, job.Status.Binding.Name)
			}
			d = d.restarted()
			d.settle(job, classifierv1alpha1.ReasonPublished)
			if got := d.secrets(job); len(got) != 1 || got[0] != "later" || job.Status.Binding.Name != "later" {
				t.Errorf("in the end the Secrets are %q, and %s is bound", got, job.Status.Binding.Name)
			}
		})
	}
}

// TestSecretOfSomebodyElseOutlivesAnEarlierName takes the earlier Secret away from the job
// before another name is given, and while the operator is about to delete it.
func TestSecretOfSomebodyElseOutlivesAnEarlierName(t *testing.T) {
	t.Parallel()
	take := func(d *driver) {
		d.Helper()
		secret := &corev1.Secret{}
		d.Get("earlier", secret)
		d.Edit(secret, func() { secret.OwnerReferences = nil })
	}
	for _, test := range []struct {
		reason string
		before func(d *driver)
	}{
		{"taken before", take},
		{"made anew by somebody else", func(d *driver) {
			d.Delete(&corev1.Secret{ObjectMeta: d.ObjectMeta("earlier")})
			d.Create(&corev1.Secret{ObjectMeta: d.ObjectMeta("earlier")})
		}},
		{"taken while it is looked at", func(d *driver) {
			d.jobs.client = interceptor.NewClient(d.jobs.client.(client.WithWatch), interceptor.Funcs{
				Delete: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.DeleteOption) error {
					if object.GetName() == "earlier" {
						take(d)
					}
					return c.Delete(ctx, object, options...)
				},
			})
		}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			d, job := publishedEarlier(t)
			test.before(d)
			d.rename(job, &classifierv1alpha1.TrainingOutput{SecretName: "later"})
			d.settle(job, classifierv1alpha1.ReasonPublished)
			d.Eventually("binding the new Secret", func() error {
				_, err := d.pass(job)
				d.Get("job", job)
				return errors.Join(err, equal("the binding", job.Status.Binding.Name, "later"))
			})
			d.Get("earlier", &corev1.Secret{})
		})
	}
}

// TestSecretOfAnEarlierNameStaysUntilThereIsAnother names a Secret that is somebody
// else's: those who use the model keep what they have.
func TestSecretOfAnEarlierNameStaysUntilThereIsAnother(t *testing.T) {
	t.Parallel()
	d, job := publishedEarlier(t)
	other := &corev1.Secret{ObjectMeta: d.ObjectMeta("taken")}
	d.Create(other)
	d.rename(job, &classifierv1alpha1.TrainingOutput{SecretName: "taken"})
	d.settle(job, classifierv1alpha1.ReasonSecretConflict)
	if got := d.secrets(job); len(got) != 1 || got[0] != "earlier" || job.Status.Binding.Name != "earlier" {
		t.Errorf("the Secrets are %q, and %s is bound", got, job.Status.Binding.Name)
	}
	d.Delete(other)
	d.settle(job, classifierv1alpha1.ReasonPublished)
	if err := cluster.Admin.Get(d.ctx, client.ObjectKey{Namespace: d.Name, Name: "earlier"}, other); !apierrors.IsNotFound(err) {
		t.Errorf("the earlier Secret is there: %v", err)
	}
}
