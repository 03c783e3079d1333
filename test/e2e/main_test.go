// Package e2e installs the product on a real node, uses it there, and takes it away again in
// every order. It is run by `make e2e` alone.
package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// cluster is where the tests run, and the images that it can have.
type cluster struct {
	kubeconfig string
	// images are those that are installed, later those that they are upgraded to.
	images, later images
	consumer      string
	// own is the node of this machine; nil: the cluster is somebody's.
	own *node
}

type images struct{ operator, factory string }

var under cluster

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
	kubeconfig := os.Getenv("KUBECONFIG")
	switch {
	case kubeconfig != "":
		now := images{os.Getenv("IMG"), os.Getenv("FACTORY_IMG")}
		under = cluster{kubeconfig: kubeconfig, images: now, later: now, consumer: os.Getenv("CONSUMER_IMG")}
	case os.Getenv("NODE_ASSETS") != "":
		folder, err := os.MkdirTemp("", "e2e-")
		if err != nil {
			return 1, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
		if err := makeCluster(folder); err != nil {
			return 1, err
		}
	default:
		fmt.Println("SKIPPED: these tests need a cluster: run them with `make e2e`")
		return 0, nil
	}
	return m.Run(), nil
}

// makeCluster makes a node, with images of what is in the repository.
func makeCluster(folder string) error {
	program := func(name string) string { return filepath.Join(os.Getenv("E2E_PROGRAMS"), name) }
	own, err := startNode(folder, program("pause"))
	if err != nil {
		return err
	}
	name := func(name, tag string) string { return "e2e.test/" + name + ":" + tag }
	under = cluster{
		kubeconfig: own.kubeconfig, own: own, consumer: name("consumer", "one"),
		images: images{name("operator", "one"), name("factory", "one")},
		later:  images{name("operator", "two"), name("factory", "two")},
	}
	return errors.Join(
		own.importImage(under.images.operator, "manager", program("manager")),
		own.importImage(under.images.factory, "factory", program("factory")),
		own.importImage(under.later.operator, "manager", program("manager")),
		own.importImage(under.later.factory, "factory", program("factory")),
		own.importImage(under.consumer, "consumer", program("consumer")))
}

func try(t *testing.T, stdin, program string, arguments ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(context.WithoutCancel(t.Context()), program, arguments...)
	command.Env = append(os.Environ(), "KUBECONFIG="+under.kubeconfig, "NAMESPACE="+system, "KUBECTL="+kubectlProgram())
	command.Stdin = strings.NewReader(stdin)
	output, err := command.CombinedOutput()
	return string(output), err
}

func kubectlProgram() string { return filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl") }

func kubectl(t *testing.T, stdin string, arguments ...string) string {
	t.Helper()
	output, err := try(t, stdin, kubectlProgram(), arguments...)
	if err != nil {
		t.Fatalf("kubectl %q: %v\n%s", arguments, err, output)
	}
	return output
}
