// Package storage holds sources in object storage against real storage servers.
package storage

import (
	"flag"
	"fmt"
	"os"
	"testing"
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
	if data, err = os.MkdirTemp("", "storage-"); err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(data) }()
	defer stopServers()
	return m.Run(), nil
}
