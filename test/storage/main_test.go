// Package storage holds sources in object storage against real storage servers.
package storage

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/classifier-factory/classifier-factory/test/objectservers"
)

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
	defer func() { err = errors.Join(err, objectservers.StopAll()) }()
	return m.Run(), nil
}
