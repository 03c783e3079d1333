package cli

import (
	"os"
	"path/filepath"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/yaml"
)

// TestOperatorsOwnConnection reads it from the manifest that ships, with what an overlay adds.
func TestOperatorsOwnConnection(t *testing.T) {
	manifest, err := os.ReadFile(filepath.Join("..", "..", "config", "manager", "manager.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	deployment := &appsv1.Deployment{}
	if err := yaml.Unmarshal(manifest, deployment); err != nil {
		t.Fatal(err)
	}
	deployment.Namespace = "elsewhere"
	container := &deployment.Spec.Template.Spec.Containers[0]
	container.Args = append(container.Args, "-cluster-id", "first", "--cluster-id=clone-of-$(NAMESPACE)")
	read := readOperator(deployment)
	if read.serverURL != "http://classifier-factory-factory.elsewhere.svc:8080" || read.clusterID != "clone-of-elsewhere" || read.namespace != "elsewhere" {
		t.Errorf("read %+v", read)
	}
	if read.key == nil || read.key.Name != "factory-api-key" || read.key.Key != "api-key" {
		t.Errorf("the key is in %+v", read.key)
	}
}
