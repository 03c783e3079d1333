package scale

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/test/processes"
)

const (
	root     = "../.."
	loopback = "127.0.0.1"
	// operatorNamespace is where the lease of the operators is.
	operatorNamespace = "classifier-factory-system"
)

// installation is a control plane with the operator's rights, and the place of a factory.
type installation struct {
	*controllertest.ControlPlane
	factoryURL       string
	factoryDirectory string
	apiKey           string
	kubeconfig       string // the operator's
}

func install(t testing.TB, plane *controllertest.ControlPlane) *installation {
	t.Helper()
	i := &installation{
		ControlPlane:     plane,
		factoryURL:       "http://" + processes.FreeAddress(t),
		factoryDirectory: filepath.Join(t.TempDir(), "factory"),
		apiKey:           rand.Text(),
		kubeconfig:       filepath.Join(t.TempDir(), "kubeconfig"),
	}
	if err := clientcmd.WriteToFile(*kubeconfigOf(i.Operator), i.kubeconfig); err != nil {
		t.Fatal(err)
	}
	i.grantLease(t)
	return i
}

// startFactory starts the factory, for the first time or again.
func (i *installation) startFactory(t testing.TB, flags ...string) *processes.Process {
	t.Helper()
	address := parse(t, i.factoryURL).Host
	return processes.Start(t, factoryBinary, address, []string{"FACTORY_API_KEY=" + i.apiKey},
		append([]string{"--listen=" + address, "--metrics-listen=127.0.0.1:0", "--data-dir=" + i.factoryDirectory}, flags...)...)
}

func kubeconfigOf(config *rest.Config) *clientcmdapi.Config {
	file := clientcmdapi.NewConfig()
	file.Clusters["test"] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	file.AuthInfos["test"] = &clientcmdapi.AuthInfo{ClientCertificateData: config.CertData, ClientKeyData: config.KeyData}
	file.Contexts["test"] = &clientcmdapi.Context{Cluster: "test", AuthInfo: "test"}
	file.CurrentContext = "test"
	return file
}

// grantLease gives the operator the right to elect a leader, as config/rbac does.
func (i *installation) grantLease(t testing.TB) {
	t.Helper()
	role, binding := &rbacv1.Role{}, &rbacv1.RoleBinding{}
	readManifest(t, "config/rbac/leader_election_role.yaml", role)
	readManifest(t, "config/rbac/leader_election_role_binding.yaml", binding)
	role.Namespace, binding.Namespace, binding.Subjects[0].Namespace = operatorNamespace, operatorNamespace, operatorNamespace
	namespace := &corev1.Namespace{}
	namespace.Name = operatorNamespace
	for _, object := range []client.Object{namespace, role, binding} {
		if err := i.Admin.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
}

// factory is a client of the factory that the operator does not notice. It asks in the
// name of a namespace, as the operator does.
func (i *installation) factory(t testing.TB, namespace string) *mistral.Client {
	t.Helper()
	factory, err := mistral.NewClient(mistral.Config{BaseURL: i.factoryURL, Key: mistral.NewKey(i.apiKey), Namespace: namespace})
	if err != nil {
		t.Fatal(err)
	}
	return factory
}

// operator is one that runs.
type operator struct {
	*processes.Process
	metrics string // the address of its metrics
}

// startOperator starts the operator with the flags of the manifest, and those that
// loopback asks for. Its own connection leads to serverURL.
func (i *installation) startOperator(t testing.TB, serverURL string, flags ...string) *operator {
	t.Helper()
	probes, metrics := processes.FreeAddress(t), processes.FreeAddress(t)
	process := processes.Start(t, operatorBinary, probes,
		[]string{"MISTRAL_API_KEY=" + i.apiKey, "KUBECONFIG=" + i.kubeconfig},
		slices.Concat(shippedFlags(t), []string{
			"--leader-election-namespace=" + operatorNamespace,
			"--health-probe-bind-address=" + probes,
			"--metrics-bind-address=" + metrics,
			"--metrics-secure=false",
			"--server-url=" + serverURL,
			"--factory-private-hosts=" + loopback,
			"--storage-private-hosts=" + loopback,
		}, flags)...)
	started := &operator{Process: process, metrics: metrics}
	t.Cleanup(func() {
		if t.Failed() && started.Runs() {
			t.Logf("the operator has done %+v", started.figures(t))
		}
	})
	return started
}

// shippedFlags are those of the manifest. Of one that is given twice the last counts.
func shippedFlags(t testing.TB) []string {
	t.Helper()
	deployment := &appsv1.Deployment{}
	readManifest(t, "config/manager/manager.yaml", deployment)
	return deployment.Spec.Template.Spec.Containers[0].Args
}

func readManifest(t testing.TB, path string, object any) {
	t.Helper()
	manifest, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(manifest, object); err != nil {
		t.Fatal(err)
	}
}

// newDataset is a dataset of a few samples.
func newDataset(namespace *controllertest.Namespace, name string) *classifierv1alpha1.ClassifierDataset {
	dataset := &classifierv1alpha1.ClassifierDataset{ObjectMeta: namespace.ObjectMeta(name)}
	dataset.Spec.Source.Inline = &classifierv1alpha1.InlineSource{Data: controllertest.Sentiments(20)}
	return dataset
}

// newJob is a job that trains on a dataset.
func newJob(namespace *controllertest.Namespace, name, dataset string) *classifierv1alpha1.ClassifierTrainingJob {
	job := &classifierv1alpha1.ClassifierTrainingJob{ObjectMeta: namespace.ObjectMeta(name)}
	job.Spec.Training.Datasets = []classifierv1alpha1.TrainingDataset{{Name: dataset}}
	return job
}
