// Package faults holds the product's promise against everything that can go
// wrong: each run is created once, started once and ended once, whatever crashes,
// lies or hangs. The operator is the real one, as the ServiceAccount that it has in
// a cluster, the API server and the factory are the real ones, and the faults are
// between them.
package faults

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/factory"
)

// root is the repository's folder.
var root = filepath.Join("..", "..")

// parallelWorlds is how many run at a time. They mostly wait.
const parallelWorlds = "16"

// plane is a control plane, as operators reach it.
type plane struct {
	*controllertest.ControlPlane
	mapper meta.RESTMapper

	away    atomic.Bool // operators do not reach it
	watches sync.Map    // the functions that end them
}

// without does something while no operator reaches the control plane.
func (p *plane) without(do func() error) error {
	p.away.Store(true)
	defer p.away.Store(false)
	p.watches.Range(func(_, end any) bool {
		end.(context.CancelFunc)()
		return true
	})
	return do()
}

// cluster is the one that most worlds share.
var cluster *plane

// newPlane spares each operator asking what the API server serves.
func newPlane(started *controllertest.ControlPlane) (*plane, error) {
	client, err := rest.HTTPClientFor(started.Operator)
	if err != nil {
		return nil, err
	}
	mapper, err := apiutil.NewDynamicRESTMapper(started.Operator, client)
	return &plane{ControlPlane: started, mapper: mapper}, err
}

func TestMain(m *testing.M) {
	factory.RunIfChild()
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
	started, err := controllertest.Start(root)
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, started.Stop()) }()
	if cluster, err = newPlane(started); err != nil {
		return 1, err
	}
	return m.Run(), nil
}
