package soak

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/test/processes"
)

const (
	// users work at a time, each in a namespace of its own.
	users = 6
	// connectionName is the Secret by which every second of them reaches the factory.
	connectionName = "factory"
	// jobLifetime is how long the factory keeps the record of a job. A short one, because
	// by default records are kept for a year, and grow for as long.
	jobLifetime = 2 * time.Minute
)

// site is where everything runs.
type site struct {
	*controllertest.ControlPlane
	namespaces []string
	key        string // of the administrator, and of the operator
	seen       *trained

	operator, factory *program
	kubeconfig        string
	data              string // directory of the factory

	connectionKeys              []string // IDs, the newest last
	operatorKills, factoryKills int
	rotations                   int
}

// program is an operator or a factory that runs. Another one takes its place.
type program struct {
	*processes.Process
	address, metrics string
	scratch          string
}

func startSite(t *testing.T) *site {
	t.Helper()
	plane, err := controllertest.StartUnmonitored(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	s := &site{ControlPlane: plane, key: rand.Text(), seen: newTrained(), data: filepath.Join(t.TempDir(), "data"), kubeconfig: filepath.Join(t.TempDir(), "kubeconfig")}
	config, err := plane.KubeConfigOf("classifier-factory-system", "controller-manager")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.kubeconfig, config, 0o600); err != nil {
		t.Fatal(err)
	}
	for range users {
		s.namespaces = append(s.namespaces, plane.NewNamespace(t).Name)
	}
	s.factory, s.operator = newProgram(t), newProgram(t)
	s.startFactory(t)
	s.rotateKey(t)
	s.startOperator(t)
	return s
}

func newProgram(t *testing.T) *program {
	return &program{address: processes.FreeAddress(t), metrics: processes.FreeAddress(t), scratch: t.TempDir()}
}

func (s *site) startFactory(t *testing.T) {
	t.Helper()
	s.factory.Process = processes.Start(t, factoryBinary, s.factory.address, []string{"FACTORY_API_KEY=" + s.key, "TMPDIR=" + s.factory.scratch},
		"--listen="+s.factory.address, "--metrics-listen="+s.factory.metrics, "--data-dir="+s.data, "--job-lifetime="+jobLifetime.String())
}

func (s *site) startOperator(t *testing.T) {
	t.Helper()
	s.operator.Process = processes.Start(t, operatorBinary, s.operator.address,
		[]string{"MISTRAL_API_KEY=" + s.key, "KUBECONFIG=" + s.kubeconfig, "TMPDIR=" + s.operator.scratch},
		"--server-url=http://"+s.factory.address, "--factory-private-hosts=127.0.0.1", "--health-probe-bind-address="+s.operator.address,
		"--metrics-bind-address="+s.operator.metrics, "--metrics-secure=false")
}

func (s *site) killOperator(t *testing.T) {
	s.operator.End(t, syscall.SIGKILL)
	s.startOperator(t)
	s.operatorKills++
}

func (s *site) killFactory(t *testing.T) {
	s.factory.End(t, syscall.SIGKILL)
	s.startFactory(t)
	s.factoryKills++
}

// asking is a client of the factory, in the name of a namespace or of the tenant above all.
func (s *site) asking(t *testing.T, namespace string) *mistral.Client {
	t.Helper()
	factory, err := mistral.NewClient(mistral.Config{BaseURL: "http://" + s.factory.address, Key: mistral.NewKey(s.key), Namespace: namespace})
	if err != nil {
		t.Fatal(err)
	}
	return factory
}

// rotateKey gives the connections another key. The one before stays until the next time.
func (s *site) rotateKey(t *testing.T) {
	t.Helper()
	factory := s.asking(t, "")
	created, err := factory.CreateKey(t.Context(), mistral.CreateKeyRequest{Name: connectionName, Scopes: []string{mistral.ScopeClassify, "train", "act-for"}})
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(s.namespaces); i += 2 {
		if err := s.giveKey(t, s.namespaces[i], created.Key); err != nil {
			t.Fatal(err)
		}
	}
	if s.connectionKeys = append(s.connectionKeys, created.ID); len(s.connectionKeys) > 2 {
		if err := factory.RevokeKey(t.Context(), s.connectionKeys[0]); err != nil {
			t.Fatal(err)
		}
		s.connectionKeys = s.connectionKeys[1:]
		s.rotations++
	}
}

func (s *site) giveKey(t *testing.T, namespace string, key mistral.Key) error {
	secret := &corev1.Secret{}
	secret.Namespace, secret.Name = namespace, connectionName
	secret.StringData = map[string]string{"uri": "http://" + s.factory.address, "api-key": string(key.Bytes())}
	err := s.Admin.Create(t.Context(), secret.DeepCopy())
	if err == nil {
		return nil
	}
	return s.Admin.Update(t.Context(), secret)
}

// awaitNothingLeft holds that all is gone from the factory when its objects are.
func (s *site) awaitNothingLeft(t *testing.T) {
	t.Helper()
	for _, namespace := range s.namespaces {
		s.Namespace(t, namespace).Eventually("waiting for the factory to have nothing of "+namespace, func() error { return s.left(t, namespace) })
	}
	for _, running := range []*program{s.operator, s.factory} {
		if entries, err := os.ReadDir(running.scratch); err != nil || len(entries) > 0 {
			t.Errorf("the temporary files %v are left: %v", entries, err)
		}
	}
}

// left is what the factory still has of a namespace. Records of finished jobs expire.
func (s *site) left(t *testing.T, namespace string) error {
	factory := s.asking(t, namespace)
	jobs, err := factory.ListJobs(t.Context(), mistral.JobFilter{PageSize: 100})
	if err != nil {
		return err
	}
	for _, job := range jobs.Data {
		if !job.Status.Finished() {
			return fmt.Errorf("job %s is left, %s", job.ID, job.Status)
		}
	}
	files, err := factory.ListFiles(t.Context(), mistral.FileFilter{})
	if err != nil {
		return err
	}
	keys, err := factory.ListKeys(t.Context(), mistral.KeyFilter{})
	if err != nil {
		return err
	}
	if len(files.Data)+len(keys.Data) > 0 {
		return fmt.Errorf("%d files and %d keys are left", len(files.Data), len(keys.Data))
	}
	models, err := factory.ListModels(t.Context())
	if err != nil {
		return err
	}
	for _, model := range models.Data {
		if model.Type == mistral.ModelTypeFineTuned {
			return fmt.Errorf("model %s is left", model.ID)
		}
	}
	return nil
}
