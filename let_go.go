package main

import (
	"context"
	"fmt"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/classifier-factory/classifier-factory/internal/controller"
)

// letGoCommand is the argument with which the program frees all objects for a world without
// the operator, and ends. The argument after it names the operator's Deployment in $NAMESPACE,
// which is deleted before: a running operator would take hold of its objects again.
const letGoCommand = "let-go"

func letGo(ctx context.Context, o options, deployment string) error {
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	cluster, err := client.New(config, client.Options{Scheme: newScheme()})
	if err != nil {
		return err
	}
	if deployment != "" {
		operator := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: os.Getenv("NAMESPACE"), Name: deployment}}
		if err := client.IgnoreNotFound(cluster.Delete(ctx, operator)); err != nil {
			return err
		}
	}
	count, err := controller.LetGo(ctx, cluster, o.namespaces...)
	fmt.Printf("%d objects can be deleted without the operator; what they have at the factory stays there\n", count)
	return err
}
