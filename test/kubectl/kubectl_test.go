// Package kubectl runs `kubectl classifier` as its users do: scripts against an API server,
// an operator and a factory, each the process that it is on a cluster.
package kubectl

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/classifier-factory/classifier-factory/internal/cli"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/test/processes"
)

var root = filepath.Join("..", "..")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kubectl-classifier": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		os.Exit(cli.Run(ctx, os.Args[1:], genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}))
	}})
}

// TestOffline runs what needs no cluster.
func TestOffline(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   filepath.Join("testdata", "offline"),
		Setup: func(env *testscript.Env) error { return setUp(env) },
		Cmds:  commands,
	})
}

// TestOnACluster runs each script in a namespace of its own.
func TestOnACluster(t *testing.T) {
	plane := controllertest.StartForTest(t, root)
	port, key := startProgrammes(t, t.TempDir(), plane.KubeConfig)
	system := &corev1.Namespace{}
	if err := plane.Admin.Get(t.Context(), client.ObjectKey{Name: metav1.NamespaceSystem}, system); err != nil {
		t.Fatal(err)
	}
	startKubelet(t, plane, "node")
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "cluster"),
		Setup: func(env *testscript.Env) error {
			path := filepath.Join(env.WorkDir, "kubeconfig")
			namespace := plane.NewNamespace(t).Name
			env.Setenv("KUBECONFIG", path)
			env.Setenv("NAMESPACE", namespace)
			env.Setenv("FACTORY_PORT", port)
			env.Setenv("FACTORY_KEY", key)
			env.Setenv("CLUSTER_ID", string(system.UID))
			return errors.Join(setUp(env), writeKubeConfig(path, plane.KubeConfig, namespace))
		},
		Cmds: commands,
	})
}

var commands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"envsubst": envsubst,
	"exits":    exits,
	"page":     page,
	"rows":     rows,
}

// setUp lets scripts find the quickstart's samples, and kubectl, which finds the plug-in
// beside itself.
func setUp(env *testscript.Env) error {
	samples, err := filepath.Abs(filepath.Join(root, "config", "samples", "quickstart"))
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("QUICKSTART", samples)
	env.Setenv("PATH", os.Getenv("KUBEBUILDER_ASSETS")+string(filepath.ListSeparator)+env.Getenv("PATH"))
	return err
}

// startProgrammes starts a factory, whose port and key it gives, and an operator that looks
// at its jobs often enough to see a short training run.
func startProgrammes(t *testing.T, directory string, kubeconfig []byte) (port, key string) {
	t.Helper()
	path, key := filepath.Join(directory, "kubeconfig"), rand.Text()
	if err := os.WriteFile(path, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	address, probes := processes.FreeAddress(t), processes.FreeAddress(t)
	processes.Start(t, build(t, directory, "factory", "./cmd/factory"), address, []string{"FACTORY_API_KEY=" + key},
		"--listen="+address, "--metrics-listen=127.0.0.1:0", "--data-dir="+filepath.Join(directory, "data"))
	processes.Start(t, build(t, directory, "manager", "."), probes, []string{"MISTRAL_API_KEY=" + key, "KUBECONFIG=" + path},
		"--server-url=http://"+address, "--min-poll-interval=50ms", "--max-poll-interval=1s", "--health-probe-bind-address="+probes)
	return address[strings.LastIndex(address, ":")+1:], key
}

func build(t *testing.T, directory, name, folder string) string {
	t.Helper()
	binary, err := processes.Build(directory, name, folder)
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// writeKubeConfig writes one whose commands work in a namespace.
func writeKubeConfig(path string, content []byte, namespace string) error {
	config, err := clientcmd.Load(content)
	if err != nil {
		return err
	}
	for _, of := range config.Contexts {
		of.Namespace = namespace
	}
	return clientcmd.WriteToFile(*config, path)
}

// envsubst is `envsubst FILE`: it puts variables of the script into the file.
func envsubst(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(os.Expand(ts.ReadFile(args[0]), ts.Getenv)), 0o600))
}

// exits is `exits CODE program arguments...`: it runs the program, whose exit code has to
// be this one.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	code := 0
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		code = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

var shBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// page is `page NAME.md`: it writes the commands of a how-to page to commands.sh.
func page(ts *testscript.TestScript, _ bool, args []string) {
	content, err := os.ReadFile(filepath.Join(root, "docs", "how-to", args[0]))
	ts.Check(err)
	var script strings.Builder
	for _, block := range shBlock.FindAllSubmatch(content, -1) {
		script.Write(block[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs("commands.sh"), []byte(script.String()), 0o600))
}

// rows is `rows COUNT FILE`: it writes the quickstart's samples so many times that a
// training takes seconds, each a little different.
func rows(ts *testscript.TestScript, _ bool, args []string) {
	count, err := strconv.Atoi(args[0])
	ts.Check(err)
	lines := strings.Split(strings.TrimSpace(ts.ReadFile(filepath.Join(ts.Getenv("QUICKSTART"), "data", "intents-train.jsonl"))), "\n")
	var text strings.Builder
	for i := range count {
		text.WriteString(strings.Replace(lines[i%len(lines)], `"text": "`, fmt.Sprintf(`"text": "order %d: `, i), 1) + "\n")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text.String()), 0o600))
}
