// The demo: it starts a control plane, the factory and the operator on loopback,
// applies config/samples/quickstart, follows the trainings and classifies with
// the published model. It is run from the top folder by `make demo`.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	namespace  = "default"
	quickstart = "config/samples/quickstart"
)

// texts are not in the data. The last one speaks of sending something back and
// asks "where is my", but is about neither a return nor a parcel.
var texts = []string{
	"Is there any way to find out when my parcel will arrive?",
	"The app won't let me sign in with my new password",
	"I posted the boots back to you ten days ago, so where is my money?",
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	takeTerminal()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	directory, err := os.MkdirTemp("", "classifier-factory-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()

	begin := time.Now()
	demo, err := start(ctx, directory)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, demo.stop()) }()
	heading("A control plane, the factory and the operator run on loopback (%.1f s)", time.Since(begin).Seconds())

	if err := demo.show(ctx); err != nil {
		return err
	}
	if os.Getenv("KEEP") != "" {
		heading("Everything keeps running until you press Ctrl-C. In another shell:")
		fmt.Printf("export KUBECONFIG=%s\n%s get classifiers\n", demo.kubeconfig, demo.kubectl)
		<-ctx.Done()
	}
	return nil
}

// show is the story that the demo tells.
func (d *demo) show(ctx context.Context) error {
	heading("kubectl apply -k %s", quickstart)
	applied := time.Now()
	if err := d.run(ctx, "apply", "-k", quickstart); err != nil {
		return err
	}
	cluster, err := d.client()
	if err != nil {
		return err
	}
	for _, name := range []string{"intents", "tickets"} {
		if err := follow(ctx, cluster, name, applied); err != nil {
			return errors.Join(err, d.run(ctx, "describe", "classifiers"))
		}
	}
	heading("kubectl get classifierdatasets,classifiertrainingjobs")
	if err := d.run(ctx, "get", "classifierdatasets,classifiertrainingjobs"); err != nil {
		return err
	}
	heading("kubectl describe secret intents-model")
	if err := d.run(ctx, "describe", "secret", "intents-model"); err != nil {
		return err
	}
	return d.classify(ctx, cluster)
}

// classify asks the model that the Secret names with the key that it has, as an
// application would.
func (d *demo) classify(ctx context.Context, cluster client.Client) error {
	secret := &corev1.Secret{}
	if err := cluster.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "intents-model"}, secret); err != nil {
		return err
	}
	model := string(secret.Data["model"])
	factory, err := mistral.NewClient(mistral.Config{BaseURL: string(secret.Data["uri"]), Key: mistral.NewKey(string(secret.Data["api-key"]))})
	if err != nil {
		return err
	}
	answer, err := factory.Classify(ctx, mistral.ClassifyRequest{Model: model, Input: texts})
	if err != nil {
		return err
	}
	heading("Texts that are not in the data, classified with %s", model)
	for i, text := range texts {
		fmt.Printf("%q\n", text)
		for _, score := range top(answer.Results[i]["intent"].Scores, 3) {
			fmt.Printf("    %-20s %5.1f %%\n", score.Label, 100*score.Score)
		}
	}
	return nil
}

func (d *demo) client() (client.Client, error) {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(classifierv1alpha1.AddToScheme(scheme))
	return client.New(d.config, client.Options{Scheme: scheme})
}

func heading(format string, arguments ...any) {
	fmt.Printf("\n==> "+format+"\n", arguments...)
}

// binary is a program that `make demo` has built.
func binary(name string) string { return filepath.Join("bin", name) }
