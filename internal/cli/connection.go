package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/pflag"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/classifier-factory/classifier-factory/internal/marks"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// connectionFlags say how a command reaches a factory with more than a model's own key.
type connectionFlags struct{ secret, address string }

func (f *connectionFlags) addTo(flags *pflag.FlagSet) {
	flags.StringVar(&f.secret, "connection-secret", "", "Secret of the namespace with uri and api-key. Default: the operator's own connection.")
	flags.StringVar(&f.address, "url", "", "Address of the factory as this machine reaches it. Default: the connection's.")
}

// connect gives a client that asks in the name of a namespace, as the operator does; in
// that of the key's own tenant, if the namespace is empty. It is to be ended after use.
func (c *cluster) connect(ctx context.Context, flags connectionFlags, namespace string) (asking *mistral.Client, end func(), err error) {
	address, key, err := c.connectionOf(ctx, flags.secret)
	if err != nil {
		return nil, nil, err
	}
	return c.client(ctx, mistral.Config{BaseURL: address, Key: key, Namespace: namespace}, flags.address)
}

// client asks at the address of the configuration, or at the one that was given by hand.
func (c *cluster) client(ctx context.Context, config mistral.Config, given string) (asking *mistral.Client, end func(), err error) {
	config.BaseURL, config.UserAgent = cmp.Or(given, config.BaseURL), "kubectl-classifier"
	transport, end, err := c.reach(ctx, config.BaseURL, given != "")
	if err != nil {
		return nil, nil, err
	}
	config.HTTPClient = &http.Client{Transport: transport}
	if asking, err = mistral.NewClient(config); err != nil {
		end()
		return nil, nil, err
	}
	return asking, end, nil
}

// connectionOf is what a connection's Secret says, or else the operator's own connection.
func (c *cluster) connectionOf(ctx context.Context, name string) (address string, key mistral.Key, err error) {
	if name == "" {
		return c.ownConnection(ctx)
	}
	secret, err := c.secret(ctx, name)
	switch {
	case err != nil:
		return "", key, err
	case secret == nil:
		return "", key, fmt.Errorf("namespace %s has no Secret %s", c.namespace, name)
	case len(secret.Data["api-key"]) == 0 || len(secret.Data["uri"]) == 0:
		return "", key, fmt.Errorf("the Secret %s is no connection: it has not both uri and api-key", name)
	}
	return string(secret.Data["uri"]), mistral.NewKey(string(secret.Data["api-key"])), nil
}

func (c *cluster) ownConnection(ctx context.Context) (address string, key mistral.Key, err error) {
	const instead = "name a Secret with uri and api-key by --connection-secret"
	installed, err := c.installedOperator(ctx)
	if err != nil {
		return "", key, fmt.Errorf("%w; %s", err, instead)
	}
	if installed.key == nil || installed.serverURL == "" {
		return "", key, fmt.Errorf("the operator in namespace %s has no connection of its own; %s", installed.namespace, instead)
	}
	secret := &corev1.Secret{}
	if err := c.Get(ctx, client.ObjectKey{Namespace: installed.namespace, Name: installed.key.Name}, secret); err != nil {
		return "", key, fmt.Errorf("the operator's key cannot be read: %w; %s", err, instead)
	}
	return installed.serverURL, mistral.NewKey(string(secret.Data[installed.key.Key])), nil
}

// installedOperator is what the operator's Deployment says of the operator.
type installedOperator struct {
	namespace string
	serverURL string
	clusterID string
	key       *corev1.SecretKeySelector
}

func (c *cluster) installedOperator(ctx context.Context) (*installedOperator, error) {
	found := &appsv1.DeploymentList{}
	err := c.List(ctx, found, client.MatchingLabels{"app.kubernetes.io/name": "classifier-factory", "app.kubernetes.io/component": "operator"})
	switch {
	case err != nil:
		return nil, fmt.Errorf("the operator's Deployment cannot be looked for: %w", err)
	case len(found.Items) == 0:
		return nil, errors.New("the cluster has no Deployment of the operator")
	case len(found.Items) > 1:
		return nil, fmt.Errorf("the cluster has %d Deployments of the operator", len(found.Items))
	}
	return readOperator(&found.Items[0]), nil
}

func readOperator(deployment *appsv1.Deployment) *installedOperator {
	read := &installedOperator{namespace: deployment.Namespace}
	for i := range deployment.Spec.Template.Spec.Containers {
		container := &deployment.Spec.Template.Spec.Containers[i]
		var values []string
		for _, variable := range container.Env {
			switch from := variable.ValueFrom; {
			case from == nil:
				values = append(values, "$("+variable.Name+")", variable.Value)
			case from.FieldRef != nil && from.FieldRef.FieldPath == "metadata.namespace":
				values = append(values, "$("+variable.Name+")", deployment.Namespace)
			case from.SecretKeyRef != nil && variable.Name == "MISTRAL_API_KEY":
				read.key = from.SecretKeyRef
			}
		}
		expand := strings.NewReplacer(values...)
		read.serverURL = cmp.Or(expand.Replace(valueOf(container.Args, "server-url")), read.serverURL)
		read.clusterID = cmp.Or(expand.Replace(valueOf(container.Args, "cluster-id")), read.clusterID)
	}
	return read
}

// valueOf is the value of a flag, of which the last counts.
func valueOf(arguments []string, flag string) (value string) {
	for i, argument := range arguments {
		name, of, found := strings.Cut(strings.TrimLeft(argument, "-"), "=")
		switch {
		case name != flag || !strings.HasPrefix(argument, "-"):
		case found:
			value = of
		case i+1 < len(arguments):
			value = arguments[i+1]
		}
	}
	return value
}

// marks are those of the operator. Its identity is not guessed: in a clone of a cluster, a
// wrong one would take what is the original's for its own.
func (c *cluster) marks(ctx context.Context, identity string) (marks.Marks, error) {
	if identity == "" {
		installed, err := c.installedOperator(ctx)
		if err != nil {
			return marks.Marks{}, fmt.Errorf("%w; say by --cluster-id whose marks to look for: the operator's flag of that name, "+
				"or if it has none, the UID of the namespace kube-system", err)
		}
		identity = installed.clusterID
	}
	return marks.Identify(ctx, c, identity)
}
