// Package soak uses an operator and a factory without a pause, and holds that neither they
// nor what they keep grows. docs/explanation/long-run.md tells how.
package soak

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/classifier-factory/classifier-factory/test/processes"
)

var lasts = flag.Duration("soak.duration", 0, "how long operator and factory are used; 0: not at all")

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
	if *lasts < time.Second {
		return m.Run(), nil
	}
	directory, err := os.MkdirTemp("", "soak-")
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
