package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

const (
	kindDataset = "ClassifierDataset"
	kindJob     = "ClassifierTrainingJob"
)

// cluster is what the kubeconfig names.
type cluster struct {
	client.WithWatch
	config    *rest.Config
	namespace string
}

func (c *command) cluster() (*cluster, error) {
	config, err := c.kube.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	namespace, _, err := c.kube.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(classifierv1alpha1.AddToScheme(scheme))
	connected, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, err
	}
	return &cluster{WithWatch: connected, config: config, namespace: namespace}, nil
}

// get reads an object of the namespace. That the kinds are not there is said as such.
func (c *cluster) get(ctx context.Context, name string, object client.Object) error {
	err := c.Get(ctx, client.ObjectKey{Namespace: c.namespace, Name: name}, object)
	if meta.IsNoMatchError(err) {
		return errNotInstalled
	}
	return err
}

var errNotInstalled = fmt.Errorf("the cluster has no kinds of %s: install Classifier Factory on it, or choose another --context",
	classifierv1alpha1.GroupVersion.Group)

func (c *cluster) job(ctx context.Context, name string) (*classifierv1alpha1.ClassifierTrainingJob, error) {
	job := &classifierv1alpha1.ClassifierTrainingJob{}
	return job, c.get(ctx, name, job)
}

// secret reads a Secret; nil if there is none.
func (c *cluster) secret(ctx context.Context, name string) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	err := c.get(ctx, name, secret)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return secret, err
}

// kindAndName reads an argument such as mail, ctj/mail or cds/mail.
func kindAndName(argument string) (kind, name string, err error) {
	prefix, name, found := strings.Cut(argument, "/")
	if !found {
		return kindJob, argument, nil
	}
	resource, _, _ := strings.Cut(strings.ToLower(prefix), ".")
	switch resource {
	case "ctj", "classifiertrainingjob", "classifiertrainingjobs", "job":
		kind = kindJob
	case "cds", "classifierdataset", "classifierdatasets", "dataset":
		kind = kindDataset
	default:
		return "", "", fmt.Errorf("%s: want NAME or ctj/NAME of a ClassifierTrainingJob, or cds/NAME of a ClassifierDataset", argument)
	}
	return kind, name, nil
}

// jobName reads an argument that names a training job.
func jobName(argument string) (string, error) {
	kind, name, err := kindAndName(argument)
	if err == nil && kind != kindJob {
		err = fmt.Errorf("%s: want NAME or ctj/NAME of a ClassifierTrainingJob", argument)
	}
	return name, err
}

// completeJobs completes the names of up to so many training jobs.
func (c *command) completeJobs(most int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
		cluster, err := c.cluster()
		if err != nil || len(given) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		jobs := &classifierv1alpha1.ClassifierTrainingJobList{}
		if err := cluster.List(cmd.Context(), jobs, client.InNamespace(cluster.namespace)); err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []string
		for i := range jobs.Items {
			names = append(names, cobra.CompletionWithDesc(jobs.Items[i].Name, jobs.Items[i].Status.State))
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// condition is one of an object; one that is not there is the zero condition.
func condition(list []metav1.Condition, kind string) metav1.Condition {
	if found := meta.FindStatusCondition(list, kind); found != nil {
		return *found
	}
	return metav1.Condition{}
}
