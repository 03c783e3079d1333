package cli

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/version"
)

// bundled is a file of a support bundle.
type bundled struct {
	name    string
	content any // a string, or what is written as YAML
}

func (c *command) supportBundleCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "support-bundle",
		Short: "Write what helpers ask for to a file, without data and without secrets",
		Long: `Write what helpers ask for to an archive: the datasets and training jobs of the namespace, their
events, the explanation of each, the versions, and the images and arguments of operator and
factory. No Secret is read; inline samples, annotations and the environment of containers are left
out. Names of labels and files stay in: look it through before you send it.`,
		Example:           `  kubectl classifier support-bundle --file bundle.tar.gz`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cluster, err := c.cluster()
			if err != nil {
				return err
			}
			files, err := cluster.bundle(cmd.Context())
			if err != nil {
				return err
			}
			archive, err := packed(files, time.Now())
			if err != nil {
				return err
			}
			if err := os.WriteFile(path, archive, 0o600); err != nil {
				return err
			}
			printf(c.Out, "%s has %d files\n", path, len(files))
			return nil
		},
	}
	cmd.Flags().StringVar(&path, "file", "classifier-support.tar.gz", "The archive to write.")
	return cmd
}

// bundle gathers the files. What may not be read says so in its place.
func (c *cluster) bundle(ctx context.Context) ([]bundled, error) {
	datasets, jobs, events := &classifierv1alpha1.ClassifierDatasetList{}, &classifierv1alpha1.ClassifierTrainingJobList{}, &corev1.EventList{}
	in := client.InNamespace(c.namespace)
	if err := errors.Join(c.List(ctx, datasets, in), c.List(ctx, jobs, in)); err != nil {
		return nil, err
	}
	files := []bundled{{"versions.txt", "kubectl classifier " + version.Line() + "\nAPI server " + c.serverVersion() + "\n"}}
	for i := range datasets.Items {
		dataset := &datasets.Items[i]
		redactMeta(&dataset.ObjectMeta)
		if inline := dataset.Spec.Source.Inline; inline != nil {
			inline.Data = fmt.Sprintf("REDACTED, %d bytes", len(inline.Data))
		}
		files = append(files, bundled{"datasets/" + dataset.Name + ".yaml", dataset}, storyFile("datasets/", datasetStory(dataset)))
	}
	for i := range jobs.Items {
		job := &jobs.Items[i]
		redactMeta(&job.ObjectMeta)
		files = append(files, bundled{"jobs/" + job.Name + ".yaml", job}, storyFile("jobs/", jobStory(job, datasetsNamed(datasets.Items, job))))
	}
	files = append(files, bundled{"events.yaml", listedOr(c.List(ctx, events, in), &events.Items)})
	return append(files, bundled{"installation.yaml", c.installation(ctx)}), nil
}

// listedOr is what was listed, or why it could not be.
func listedOr(err error, items any) any {
	if err != nil {
		return "cannot be read: " + err.Error() + "\n"
	}
	return items
}

func storyFile(folder string, told *story) bundled {
	var text bytes.Buffer
	told.tell(&text, false, 0)
	return bundled{folder + told.Name + ".txt", text.String()}
}

// redactMeta leaves out annotations: what was applied stands in one, inline samples included.
func redactMeta(meta *metav1.ObjectMeta) {
	meta.Annotations, meta.ManagedFields = nil, nil
}

// installation is what of the operator and the factory says what they are. Their
// environment is none of a helper's business.
func (c *cluster) installation(ctx context.Context) any {
	ours := client.MatchingLabels{"app.kubernetes.io/name": "classifier-factory"}
	deployments, sets := &appsv1.DeploymentList{}, &appsv1.StatefulSetList{}
	if err := errors.Join(c.List(ctx, deployments, ours), c.List(ctx, sets, ours)); err != nil {
		return listedOr(err, nil)
	}
	type program struct {
		Kind, Namespace, Name string
		Images, Args          []string
		Ready, Wanted         int32
	}
	programs := []program{}
	add := func(kind string, meta metav1.ObjectMeta, containers []corev1.Container, ready int32, wanted *int32) {
		one := program{Kind: kind, Namespace: meta.Namespace, Name: meta.Name, Ready: ready, Wanted: 1}
		if wanted != nil {
			one.Wanted = *wanted
		}
		for _, container := range containers {
			one.Images, one.Args = append(one.Images, container.Image), append(one.Args, container.Args...)
		}
		programs = append(programs, one)
	}
	for _, of := range deployments.Items {
		add("Deployment", of.ObjectMeta, of.Spec.Template.Spec.Containers, of.Status.ReadyReplicas, of.Spec.Replicas)
	}
	for _, of := range sets.Items {
		add("StatefulSet", of.ObjectMeta, of.Spec.Template.Spec.Containers, of.Status.ReadyReplicas, of.Spec.Replicas)
	}
	return programs
}

func (c *cluster) serverVersion() string {
	asked, err := discovery.NewDiscoveryClientForConfig(c.config)
	if err != nil {
		return err.Error()
	}
	found, err := asked.ServerVersion()
	if err != nil {
		return err.Error()
	}
	return found.GitVersion
}

// packed is the files as an archive.
func packed(files []bundled, now time.Time) ([]byte, error) {
	var archive bytes.Buffer
	compressed := gzip.NewWriter(&archive)
	writer := tar.NewWriter(compressed)
	for _, file := range files {
		content := []byte(nil)
		if text, ok := file.content.(string); ok {
			content = []byte(text)
		} else {
			encoded, err := yaml.Marshal(file.content)
			if err != nil {
				return nil, err
			}
			content = encoded
		}
		header := &tar.Header{Name: "classifier-support/" + file.name, Mode: 0o600, Size: int64(len(content)), ModTime: now}
		if err := writer.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := writer.Write(content); err != nil {
			return nil, err
		}
	}
	err := errors.Join(writer.Close(), compressed.Close())
	return archive.Bytes(), err
}
