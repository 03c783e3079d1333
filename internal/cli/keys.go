package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	timeduration "k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// keyCommands are what the commands about keys share.
type keyCommands struct {
	*command
	through connectionFlags
	all     bool
}

func (c *command) keysCommand() *cobra.Command {
	keys := &keyCommands{command: c}
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "List, create and revoke the factory's keys",
		Long: `List, create and revoke the factory's keys, those of the namespace's tenant; with -A, those of the
tenant that is above all namespaces. The connection's key has to have the scope admin, or for keys
that classify in the namespace, act-for. Servers other than the factory have no such keys.`,
		Args: cobra.NoArgs,
	}
	keys.through.addTo(cmd.PersistentFlags())
	cmd.PersistentFlags().BoolVarP(&keys.all, "all-namespaces", "A", false, "Ask in the name of the tenant above all namespaces.")
	cmd.AddCommand(keys.listCommand(), keys.createCommand(), keys.revokeCommand())
	return cmd
}

// connect gives the cluster, and a client in whose name keys are asked for.
func (k *keyCommands) connect(ctx context.Context) (*cluster, *mistral.Client, func(), error) {
	cluster, err := k.cluster()
	if err != nil {
		return nil, nil, nil, err
	}
	namespace := cluster.namespace
	if k.all {
		namespace = ""
	}
	factory, end, err := cluster.connect(ctx, k.through, namespace)
	return cluster, factory, end, err
}

// shownKey is a key in a list.
type shownKey struct {
	mistral.KeyInfo
	// Secret is the published one that the key is in, as namespace/name, if that can be told.
	Secret string `json:"secret,omitempty"`
}

func (k *keyCommands) listCommand() *cobra.Command {
	var (
		form output
		name string
	)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the keys, and in which published Secret each is",
		Example: `  kubectl classifier keys list
  kubectl classifier keys list -A -o json`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := form.check(); err != nil {
				return err
			}
			cluster, factory, end, err := k.connect(cmd.Context())
			if err != nil {
				return err
			}
			defer end()
			keys, err := cluster.shownKeys(cmd.Context(), factory, name)
			if err != nil {
				return withoutKeys(err)
			}
			if printed, err := form.print(k.Out, keys); printed {
				return err
			}
			if len(keys) == 0 {
				printf(k.ErrOut, "there are no such keys\n")
				return nil
			}
			return table(k.Out, keyCells(keys, time.Now()))
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "List the keys of this name alone.")
	form.addTo(cmd)
	return cmd
}

func (c *cluster) shownKeys(ctx context.Context, factory *mistral.Client, name string) ([]shownKey, error) {
	keys, err := listKeys(ctx, factory, name)
	if err != nil {
		return nil, err
	}
	secrets, err := c.secretsOfKeys(ctx)
	if err != nil {
		return nil, err
	}
	shown := []shownKey{} // not null in JSON
	for _, key := range keys {
		shown = append(shown, shownKey{KeyInfo: key, Secret: secrets[key.Name]})
	}
	return shown, nil
}

// secretsOfKeys are the published Secrets by the name of the key that is in them, of all
// namespaces that may be looked at.
func (c *cluster) secretsOfKeys(ctx context.Context) (map[string]string, error) {
	jobs := &classifierv1alpha1.ClassifierTrainingJobList{}
	err := c.List(ctx, jobs)
	if apierrors.IsForbidden(err) {
		err = c.List(ctx, jobs, client.InNamespace(c.namespace))
	}
	secrets := map[string]string{}
	for i := range jobs.Items {
		job := &jobs.Items[i]
		if job.Status.APIKeyName != "" && job.Status.Binding != nil {
			secrets[job.Status.APIKeyName] = job.Namespace + "/" + job.Status.Binding.Name
		}
	}
	return secrets, err
}

func keyCells(keys []shownKey, now time.Time) [][]string {
	rows := [][]string{{"ID", "TENANT", "NAME", "SCOPES", "MODELS", "AGE", "EXPIRES", "LAST USED", "SECRET"}}
	for _, key := range keys {
		row := []string{key.ID, key.Tenant, key.Name, strings.Join(key.Scopes, ","), orElse(strings.Join(key.Models, ","), "all"),
			timeduration.HumanDuration(now.Sub(time.Unix(key.CreatedAt, 0))), "never", "never", orElse(key.Secret, "-")}
		if at := key.ExpiresAt; at != nil {
			row[6] = time.Unix(*at, 0).UTC().Format(time.RFC3339)
		}
		if at := key.LastUsedAt; at != nil {
			row[7] = timeduration.HumanDuration(now.Sub(time.Unix(*at, 0))) + " ago"
		}
		for i := range row {
			row[i] = printable(row[i])
		}
		rows = append(rows, row)
	}
	return rows
}

func (k *keyCommands) createCommand() *cobra.Command {
	var (
		form      output
		scopes    []string
		models    []string
		expiresIn time.Duration
	)
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a key, and print it once",
		Long: `Create a key, and print it: nobody can show it again. NAME says what it is for, and need not be
unique. The key alone goes to standard output.`,
		Example: `  kubectl classifier keys create shop > shop.key
  kubectl classifier keys create ci --scopes classify,train --expires-in 720h > ci.key`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, arguments []string) error {
			if err := form.check(); err != nil {
				return err
			}
			_, factory, end, err := k.connect(cmd.Context())
			if err != nil {
				return err
			}
			defer end()
			wanted := mistral.CreateKeyRequest{Name: arguments[0], Scopes: scopes, Models: models}
			if expiresIn > 0 {
				wanted.ExpiresAt = new(time.Now().Add(expiresIn).Unix())
			}
			created, err := factory.CreateKey(cmd.Context(), wanted)
			if err != nil {
				return withoutKeys(err)
			}
			if form != "" {
				return printWithKey(k, form, created)
			}
			printf(k.ErrOut, "key %s of the tenant %s; keep what follows, it is not shown again\n", created.ID, printable(created.Tenant))
			printf(k.Out, "%s\n", created.Key.Bytes())
			return nil
		},
	}
	cmd.Flags().StringSliceVar(&scopes, "scopes", []string{mistral.ScopeClassify}, "What it is for: classify, train, admin, act-for.")
	cmd.Flags().StringSliceVar(&models, "models", nil, "IDs of the models that it may classify with. Default: all.")
	cmd.Flags().DurationVar(&expiresIn, "expires-in", 0, "After what time it is refused, such as 720h; 0: never.")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("scopes", cobra.FixedCompletions([]string{"classify", "train", "admin", "act-for"}, cobra.ShellCompDirectiveNoFileComp)))
	form.addTo(cmd)
	return cmd
}

// printWithKey prints a key as data, itself included, which it hides everywhere else.
func printWithKey(k *keyCommands, form output, created *mistral.CreatedKey) error {
	encoded, err := json.Marshal(created)
	data := map[string]any{}
	if err := errors.Join(err, json.Unmarshal(encoded, &data)); err != nil {
		return err
	}
	data["key"] = string(created.Key.Bytes())
	_, err = form.print(k.Out, data)
	return err
}

func (k *keyCommands) revokeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke ID...",
		Short: "Revoke keys: from then on they are refused",
		Long: `Revoke keys: from then on they are refused. A published Secret whose key is revoked gets another one
from the operator within ten minutes.`,
		Example:           `  kubectl classifier keys revoke 5f0c2a4e-6a3b-4b7e-9d1e-0a8f6c1b2d3e`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: k.completeKeys,
		RunE: func(cmd *cobra.Command, ids []string) error {
			_, factory, end, err := k.connect(cmd.Context())
			if err != nil {
				return err
			}
			defer end()
			for _, id := range ids {
				err := factory.RevokeKey(cmd.Context(), id)
				if mistral.IsNotFound(err) {
					err = fmt.Errorf("no key has the ID %q; kubectl classifier keys list shows those that there are", id)
				}
				if err != nil {
					return err
				}
				printf(k.Out, "%s is revoked\n", printable(id))
			}
			return nil
		},
	}
}

// completeKeys completes IDs of keys.
func (k *keyCommands) completeKeys(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	_, factory, end, err := k.connect(cmd.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer end()
	keys, _ := listKeys(cmd.Context(), factory, "") // without an answer there is nothing to complete
	var ids []string
	for _, key := range keys {
		if !slices.Contains(given, key.ID) {
			ids = append(ids, cobra.CompletionWithDesc(key.ID, key.Name))
		}
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// withoutKeys says of a server that knows no keys what it is.
func withoutKeys(err error) error {
	if mistral.IsNotFound(err) {
		return fmt.Errorf("the server has no keys to manage: it is no factory of this project (%w)", err)
	}
	return err
}
