package controller

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// publishedWithKey is a driver with a job whose model is published.
func publishedWithKey(t *testing.T, change func(*classifierv1alpha1.ClassifierTrainingJob)) (*driver, *classifierv1alpha1.ClassifierTrainingJob) {
	t.Helper()
	d := newDriver(t)
	return d, d.publish(change)
}

func (d *driver) publish(change func(*classifierv1alpha1.ClassifierTrainingJob)) *classifierv1alpha1.ClassifierTrainingJob {
	d.Helper()
	d.ready(d.inlineDataset("data", sentiments(20)))
	job := driven(d.trainingJob("job", "data"))
	change(job)
	d.Create(job)
	d.settle(job, classifierv1alpha1.ReasonPublished)
	return job
}

func asItIs(*classifierv1alpha1.ClassifierTrainingJob) {}

// publishedKey is the key in a job's Secret; empty if there is none.
func (d *driver) publishedKey(job *classifierv1alpha1.ClassifierTrainingJob) string {
	d.Helper()
	secret := &corev1.Secret{}
	d.Get(job.Status.Binding.Name, secret)
	return string(secret.Data[outputAPIKey])
}

// liveKeys are how many keys of a job the factory has.
func (d *driver) liveKeys(job *classifierv1alpha1.ClassifierTrainingJob) int {
	d.Helper()
	list, err := d.api.ListKeys(d.ctx, mistral.KeyFilter{Name: testMarks.KeyName(job.UID)})
	if err != nil {
		d.Fatal(err)
	}
	return len(list.Data)
}

// classify says how a classification with a key goes.
func (d *driver) classify(key, model string) error {
	_, err := d.factory.client(d.T, key, "").Classify(d.ctx, mistral.ClassifyRequest{Model: model, Input: []string{"lovely"}})
	return err
}

// expectOnlyKey holds that the published key is the one that the factory has of the job.
func (d *driver) expectOnlyKey(job *classifierv1alpha1.ClassifierTrainingJob) {
	d.Helper()
	if err := d.classify(d.publishedKey(job), job.Status.Model.ID); err != nil {
		d.Errorf("the published key does not classify: %v", err)
	}
	if live := d.liveKeys(job); live != 1 {
		d.Errorf("there are %d keys of the job, want one", live)
	}
}

// TestPublishedKeyOpensItsModelAlone asks with the published key for everything that
// there is.
func TestPublishedKeyOpensItsModelAlone(t *testing.T) {
	t.Parallel()
	d, job := publishedWithKey(t, asItIs)
	d.expectOnlyKey(job)
	other := driven(d.trainingJob("other", "data"))
	d.Create(other)
	d.settle(other, classifierv1alpha1.ReasonPublished)
	key, ctx := d.publishedKey(job), d.ctx
	for _, namespace := range []string{"", d.Namespace.Name, "elsewhere"} {
		held := d.factory.client(t, key, namespace)
		for reason, call := range map[string]func() error{
			"another model":  func() error { return d.classify(key, other.Status.Model.ID) },
			"another card":   func() error { _, err := held.GetModel(ctx, other.Status.Model.ID); return err },
			"delete a model": func() error { return held.DeleteModel(ctx, job.Status.Model.ID) },
			"list jobs":      func() error { _, err := held.ListJobs(ctx, mistral.JobFilter{}); return err },
			"get the job":    func() error { _, err := held.GetJob(ctx, job.Status.RemoteJob.ID); return err },
			"create a job":   func() error { _, err := held.CreateJob(ctx, mistral.CreateJobRequest{}); return err },
			"list files":     func() error { _, err := held.ListFiles(ctx, mistral.FileFilter{}); return err },
			"list keys":      func() error { _, err := held.ListKeys(ctx, mistral.KeyFilter{}); return err },
			"make a key": func() error {
				_, err := held.CreateKey(ctx, mistral.CreateKeyRequest{Scopes: []string{mistral.ScopeClassify}})
				return err
			},
		} {
			if err := call(); !mistral.IsForbidden(err) {
				t.Errorf("%s, for namespace %q: %v, want it forbidden", reason, namespace, err)
			}
		}
		if models, err := held.ListModels(ctx); err != nil || len(models.Data) != 1 || models.Data[0].ID != job.Status.Model.ID {
			t.Errorf("for namespace %q the key sees the models %+v: %v", namespace, models, err)
		}
	}
}

// TestKeyIsMintedAnewAndRevoked goes through what ends the life of a key.
func TestKeyIsMintedAnewAndRevoked(t *testing.T) {
	t.Parallel()
	none := &classifierv1alpha1.TrainingOutput{APIKey: classifierv1alpha1.OutputAPIKeyNone}
	for _, test := range []struct {
		reason string
		change func(*driver, *classifierv1alpha1.ClassifierTrainingJob)
		kept   bool // the key opens the model still
		live   int  // keys
	}{
		{"the Secret is as it was", func(*driver, *classifierv1alpha1.ClassifierTrainingJob) {}, true, 1},
		{"the Secret is deleted", func(d *driver, _ *classifierv1alpha1.ClassifierTrainingJob) {
			d.Delete(&corev1.Secret{ObjectMeta: d.ObjectMeta("job")})
		}, false, 1},
		{"the Secret's key is edited", func(d *driver, _ *classifierv1alpha1.ClassifierTrainingJob) {
			secret := &corev1.Secret{ObjectMeta: d.ObjectMeta("job")}
			d.Edit(secret, func() { secret.Data[outputAPIKey] = []byte("mine") })
		}, false, 1},
		{"the Secret gets another name", func(d *driver, job *classifierv1alpha1.ClassifierTrainingJob) {
			d.rename(job, &classifierv1alpha1.TrainingOutput{SecretName: "later"})
		}, true, 1},
		{"no key is wanted any more", func(d *driver, job *classifierv1alpha1.ClassifierTrainingJob) { d.rename(job, none) }, false, 0},
	} {
		for when, restarted := range map[string]bool{"": false, ", and the operator restarts": true} {
			t.Run(test.reason+when, func(t *testing.T) {
				t.Parallel()
				d, job := publishedWithKey(t, asItIs)
				key := d.publishedKey(job)
				test.change(d, job)
				if restarted {
					d = d.restarted()
				}
				for range 2 {
					if _, err := d.pass(job); err != nil {
						t.Fatal(err)
					}
				}
				d.Get("job", job)
				err := d.classify(key, job.Status.Model.ID)
				if test.kept && err != nil || !test.kept && !mistral.IsUnauthorized(err) {
					t.Errorf("with the first key: %v", err)
				}
				if live := d.liveKeys(job); live != test.live {
					t.Errorf("there are %d keys of the job, want %d", live, test.live)
				}
				if test.live > 0 {
					d.expectOnlyKey(job)
				} else if now := d.publishedKey(job); now != "" || job.Status.APIKeyName != "" {
					t.Errorf("the Secret has a key still, and the status names %q", job.Status.APIKeyName)
				}
			})
		}
	}
}

// TestForgottenKeyIsMintedAnew: a factory that was restored to an earlier state does not know
// the key that applications have.
func TestForgottenKeyIsMintedAnew(t *testing.T) {
	t.Parallel()
	d, job := publishedWithKey(t, asItIs)
	key := d.publishedKey(job)
	list, err := d.api.ListKeys(d.ctx, mistral.KeyFilter{Name: job.Status.APIKeyName})
	if err != nil || len(list.Data) != 1 {
		t.Fatalf("keys %+v: %v", list, err)
	}
	if err := d.api.RevokeKey(d.ctx, list.Data[0].ID); err != nil {
		t.Fatal(err)
	}
	d = d.restarted() // so that it looks
	if _, err := d.pass(job); err != nil {
		t.Fatal(err)
	}
	d.settle(job, classifierv1alpha1.ReasonPublished)
	if d.publishedKey(job) == key {
		t.Error("the Secret has the forgotten key still")
	}
	d.expectOnlyKey(job)
}

// TestKeyGoesWithItsObject deletes the object under every policy, after a restart too.
func TestKeyGoesWithItsObject(t *testing.T) {
	t.Parallel()
	for _, policy := range []classifierv1alpha1.TrainingJobDeletionPolicy{
		classifierv1alpha1.TrainingJobCancel, classifierv1alpha1.TrainingJobRetain, classifierv1alpha1.TrainingJobCancelAndDeleteModel,
	} {
		for _, restarted := range []bool{false, true} {
			d, job := publishedWithKey(t, func(job *classifierv1alpha1.ClassifierTrainingJob) { job.Spec.DeletionPolicy = policy })
			key := d.publishedKey(job)
			if restarted {
				d = d.restarted()
			}
			d.Delete(job)
			d.passUntilGone(job)
			if err := d.classify(key, job.Status.Model.ID); !mistral.IsUnauthorized(err) {
				t.Errorf("policy %s: with the key of an object that is gone: %v", policy, err)
			}
			if told := strings.Join(d.told(), "\n"); strings.Contains(told, classifierv1alpha1.ReasonDeletionIncomplete) {
				t.Errorf("policy %s: told %s", policy, told)
			}
		}
	}
}

// TestKeyOfAnUnreachableFactoryIsTold lets go of an object whose key cannot be revoked.
func TestKeyOfAnUnreachableFactoryIsTold(t *testing.T) {
	t.Parallel()
	d, job := publishedWithKey(t, asItIs)
	d.factory.answer("", "/", http.StatusInternalServerError)
	d.Delete(job)
	if result, err := d.pass(job); err != nil || result.RequeueAfter == 0 {
		t.Errorf("the object waits %s for the factory: %v", result.RequeueAfter, err)
	}
	d.clock.ahead.Add(int64(cleanupBudget))
	d.passUntilGone(job)
	if told := strings.Join(d.told(), "\n"); !strings.Contains(told, testMarks.KeyName(job.UID)) {
		t.Errorf("told %s", told)
	}
}

// TestImportedModelHasAKey holds that an object which only looks at a job takes its key
// with it.
func TestImportedModelHasAKey(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	job := d.imported(d.elsewhere(true).ID)
	d.settle(job, classifierv1alpha1.ReasonPublished)
	d.expectOnlyKey(job)
	key := d.publishedKey(job)
	d.Delete(job)
	d.passUntilGone(job)
	if err := d.classify(key, job.Status.Model.ID); !mistral.IsUnauthorized(err) {
		t.Errorf("with the key of an object that is gone: %v", err)
	}
}

// TestImportWithoutAKeyClaimsNothing holds that nothing holds up what has nothing at the
// factory.
func TestImportWithoutAKeyClaimsNothing(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	job := driven(d.trainingJob("job", "data"))
	job.Spec.ImportJobID = d.elsewhere(true).ID
	job.Spec.Output = &classifierv1alpha1.TrainingOutput{APIKey: classifierv1alpha1.OutputAPIKeyNone}
	d.Create(job)
	d.settle(job, classifierv1alpha1.ReasonPublished)
	if key := d.publishedKey(job); key != "" || len(job.Finalizers) > 0 || job.Status.APIKeyName != "" {
		t.Errorf("the Secret has the key %q, and the object %v and %q", key, job.Finalizers, job.Status.APIKeyName)
	}
}

// TestKeyIsAddedToASecretOfAJobThatIsForgotten upgrades an operator that minted no keys.
// The factory has the model still, and not the job.
func TestKeyIsAddedToASecretOfAJobThatIsForgotten(t *testing.T) {
	t.Parallel()
	d, job := publishedWithKey(t, func(job *classifierv1alpha1.ClassifierTrainingJob) {
		job.Spec.Output = &classifierv1alpha1.TrainingOutput{APIKey: classifierv1alpha1.OutputAPIKeyNone}
	})
	d = d.restarted()
	d.factory.answer("", "/v1/fine_tuning/jobs/"+job.Status.RemoteJob.ID, http.StatusNotFound)
	d.rename(job, nil)
	if _, err := d.pass(job); err != nil {
		t.Fatal(err)
	}
	d.Get("job", job)
	d.expectOnlyKey(job)
}

// TestFactoryWithoutKeysPublishesNone plays servers that mint nothing: the model is
// published all the same, it is said what lacks, and it is not asked again and again.
func TestFactoryWithoutKeysPublishesNone(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusForbidden, http.StatusNotImplemented} {
		d := newDriver(t)
		var asked atomic.Int64
		interfere := func(w http.ResponseWriter, r *http.Request, real http.Handler) {
			if strings.HasPrefix(r.URL.Path, "/v1/keys") {
				asked.Add(1)
				http.Error(w, `{"detail":"scripted"}`, status)
				return
			}
			real.ServeHTTP(w, r)
		}
		d.factory.interfere.Store(&interfere)
		job := d.publish(asItIs)
		for range 5 {
			if _, err := d.pass(job); err != nil {
				t.Fatal(err)
			}
		}
		if key := d.publishedKey(job); key != "" || asked.Load() != 1 {
			t.Errorf("%d: after %d requests the Secret has the key %q", status, asked.Load(), key)
		}
		told := meta.FindStatusCondition(job.Status.Conditions, classifierv1alpha1.ConditionOutputPublished)
		if !strings.Contains(told.Message, "no "+outputAPIKey) {
			t.Errorf("%d: told %q", status, told.Message)
		}
		d.Delete(job)
		d.passUntilGone(job)
		if told := strings.Join(d.told(), "\n"); asked.Load() != 1 || strings.Contains(told, classifierv1alpha1.ReasonDeletionIncomplete) {
			t.Errorf("%d: after %d requests: %s", status, asked.Load(), told)
		}
	}
}

// TestOneKeyIsLeftWhateverIsLost loses answers, and the operator, around the minting.
func TestOneKeyIsLeftWhateverIsLost(t *testing.T) {
	t.Parallel()
	gone := errors.New("the operator is gone")
	for _, test := range []struct {
		reason string
		lose   func(*driver)
	}{
		{"the answer to the minting", func(d *driver) { d.loseAnswer("/v1/keys") }},
		{"the operator before the Secret is written", func(d *driver) {
			d.jobs.client = interceptor.NewClient(d.jobs.client.(client.WithWatch), interceptor.Funcs{
				Apply: func(context.Context, client.WithWatch, runtime.ApplyConfiguration, ...client.ApplyOption) error {
					return gone
				},
			})
		}},
		{"the operator after the Secret was written", func(d *driver) {
			d.jobs.client = interceptor.NewClient(d.jobs.client.(client.WithWatch), interceptor.Funcs{
				Apply: func(ctx context.Context, c client.WithWatch, object runtime.ApplyConfiguration, options ...client.ApplyOption) error {
					return errors.Join(c.Apply(ctx, object, options...), gone)
				},
			})
		}},
	} {
		for _, restarts := range []bool{false, true} {
			t.Run(test.reason, func(t *testing.T) {
				t.Parallel()
				d := newDriver(t)
				d.ready(d.inlineDataset("data", sentiments(20)))
				job := driven(d.trainingJob("job", "data"))
				d.Create(job)
				sound := d.jobs.client
				test.lose(d)
				d.Eventually("a minting", func() error {
					_, _ = d.pass(job)
					d.Get("job", job)
					d.refresh(job)
					if d.liveKeys(job) == 0 {
						return errors.New("there is none")
					}
					return nil
				})
				d.factory.behave()
				d.jobs.client = sound
				if restarts {
					d = d.restarted()
				}
				d.settle(job, classifierv1alpha1.ReasonPublished)
				d.expectOnlyKey(job)
			})
		}
	}
}

// loseAnswer lets the factory do what it is posted, and its answer be lost once.
func (d *driver) loseAnswer(path string) {
	var lost atomic.Bool
	interfere := func(w http.ResponseWriter, r *http.Request, real http.Handler) {
		if r.Method == http.MethodPost && r.URL.Path == path && !lost.Swap(true) {
			real.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		real.ServeHTTP(w, r)
	}
	d.factory.interfere.Store(&interfere)
}

// TestNamespacesAreTenants lets two namespaces use one key: neither sees what the other has.
func TestNamespacesAreTenants(t *testing.T) {
	t.Parallel()
	d, job := publishedWithKey(t, asItIs)
	stranger := d.factory.client(t, d.apiKey, "elsewhere")
	if _, err := stranger.GetJob(d.ctx, job.Status.RemoteJob.ID); !mistral.IsNotFound(err) {
		t.Errorf("another namespace gets the job: %v", err)
	}
	if err := stranger.DeleteModel(d.ctx, job.Status.Model.ID); !mistral.IsNotFound(err) {
		t.Errorf("another namespace deletes the model: %v", err)
	}
}
