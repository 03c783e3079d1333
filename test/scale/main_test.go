// Package scale holds the operator in company: many objects at once, many tenants,
// neighbours whose servers are slow or silent. Everything is what ships: the
// programs, and the flags of the manifest.
package scale

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/classifier-factory/classifier-factory/test/processes"
)

// The programs, as TestMain built them.
var operatorBinary, factoryBinary string

func TestMain(m *testing.M) {
	flag.Parse()
	ctrl.SetLogger(zap.New(zap.WriteTo(os.Stderr)))
	code, err := runSuite(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runSuite(m *testing.M) (code int, err error) {
	directory, err := os.MkdirTemp("", "scale-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	if operatorBinary, err = processes.Build(directory, "manager", "."); err != nil {
		return 1, err
	}
	if factoryBinary, err = processes.Build(directory, "factory", "./cmd/factory"); err != nil {
		return 1, err
	}
	return m.Run(), nil
}
