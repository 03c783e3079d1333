// Package neighbours holds that tenants of a factory do not harm each other: beside a
// hostile one, a good one's upload, job and classification take hardly longer than
// alone, and the process stays within the memory that its manifest allows. The factory
// is the program on its shipped flags.
package neighbours

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/classifier-factory/classifier-factory/test/processes"
)

var factoryBinary = flag.String("factory", "", "the program to test (default: what is built from here)")

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
	if *factoryBinary != "" {
		return m.Run(), nil
	}
	directory, err := os.MkdirTemp("", "neighbours-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	if *factoryBinary, err = processes.Build(directory, "factory", "./cmd/factory"); err != nil {
		return 1, err
	}
	return m.Run(), nil
}
