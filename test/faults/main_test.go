// Package faults holds the product's promise against everything that can go
// wrong: each run is created once, started once and ended once, whatever crashes,
// lies or hangs. The operator is the real one, as the ServiceAccount that it has in
// a cluster, the API server and the factory are the real ones, and the faults are
// between them.
package faults

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
)

// parallelWorlds is how many run at a time. They mostly wait.
const parallelWorlds = "16"

// cluster is the control plane that all worlds share.
var cluster struct {
	*controllertest.ControlPlane
	mapper meta.RESTMapper
}

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := runSuite(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runSuite(m *testing.M) (code int, err error) {
	if err := flag.Set("test.parallel", parallelWorlds); err != nil {
		return 1, err
	}
	log, err := os.CreateTemp("", "faults-*.log")
	if err != nil {
		return 1, err
	}
	ctrl.SetLogger(zap.New(zap.WriteTo(log)))
	fmt.Println("the operators log to", log.Name())

	defer func() {
		if code == 0 && err == nil {
			err = os.Remove(log.Name())
		}
	}()
	if cluster.ControlPlane, err = controllertest.Start(filepath.Join("..", "..")); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()
	if cluster.mapper, err = newMapper(cluster.Operator); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// newMapper spares each operator asking what the API server serves.
func newMapper(config *rest.Config) (meta.RESTMapper, error) {
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	return apiutil.NewDynamicRESTMapper(config, client)
}

func sharedMapper(*rest.Config, *http.Client) (meta.RESTMapper, error) { return cluster.mapper, nil }
