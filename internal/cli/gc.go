package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func (c *command) gcCommand() *cobra.Command {
	var (
		form      output
		through   connectionFlags
		clusterID string
		sole, yes bool
	)
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Show what is at the factory and nobody's any more; with --yes, remove it",
		Long: `Show what the operator has created at the factory for objects of the namespace that are not there
any more: jobs that have not ended, files, models and keys. A deletion leaves them when the factory
could not be reached, a restored control plane when it has forgotten their objects, and
deletionPolicy when it says so. With --yes jobs are cancelled, files and models deleted, keys
revoked. Name a namespace that is gone by --namespace.

What has no mark of an operator is not looked at, nor is what any object of the cluster claims.
Kept are models that a published Secret of any namespace names, with their keys; files that an
unfinished job reads; and what may be another cluster's: a mark says whose it is only as long as
its object lives or an event tells of it, for an hour, or a dataset or job of this cluster is
connected with it. --sole-cluster says that no other cluster's operator uses this factory with
this key, and lets the rest go, too.`,
		Example: `  kubectl classifier gc
  kubectl classifier gc --namespace gone --sole-cluster --yes`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := form.check(); err != nil {
				return err
			}
			cluster, err := c.cluster()
			if err != nil {
				return err
			}
			factory, end, err := cluster.connect(cmd.Context(), through, cluster.namespace)
			if err != nil {
				return err
			}
			defer end()
			left, err := cluster.leftovers(cmd.Context(), factory, clusterID, sole)
			if err != nil {
				return err
			}
			var failed error
			if yes {
				failed = remove(cmd.Context(), factory, left)
			}
			if printed, err := form.print(c.Out, left); printed {
				return errors.Join(failed, err)
			}
			return errors.Join(failed, c.tellLeftovers(left, yes))
		},
	}
	through.addTo(cmd.Flags())
	cmd.Flags().StringVar(&clusterID, "cluster-id", "", "The operator's identity in marks. Default: as its Deployment says.")
	cmd.Flags().BoolVar(&sole, "sole-cluster", false, "No other cluster's operator uses this factory with this key.")
	cmd.Flags().BoolVar(&yes, "yes", false, "Remove what is shown without a reason to keep it.")
	form.addTo(cmd)
	return cmd
}

func (c *cluster) leftovers(ctx context.Context, factory *mistral.Client, clusterID string, sole bool) ([]leftover, error) {
	by, err := c.marks(ctx, clusterID)
	if err != nil {
		return nil, err
	}
	at, err := readRemains(ctx, factory)
	if err != nil {
		return nil, err
	}
	in, err := c.readOwners(ctx)
	if err != nil {
		return nil, err
	}
	return newCollector(at, in, by, sole).leftovers(), nil
}

// remove removes what is not kept. One that cannot be removed keeps none of the others.
func remove(ctx context.Context, factory *mistral.Client, left []leftover) error {
	var problems []error
	for i := range left {
		one := &left[i]
		var err error
		switch {
		case one.Action == "":
			continue
		case one.Kind == leftJob:
			_, err = factory.CancelJob(ctx, one.ID)
		case one.Kind == leftFile:
			err = factory.DeleteFile(ctx, one.ID)
		case one.Kind == leftModel:
			err = factory.DeleteModel(ctx, one.ID)
		case one.Kind == leftKey:
			err = factory.RevokeKey(ctx, one.ID)
		}
		if one.Done = err == nil || mistral.IsNotFound(err); !one.Done {
			problems = append(problems, fmt.Errorf("%s %s: %w", one.Kind, one.ID, err))
		}
	}
	return errors.Join(problems...)
}

func (c *command) tellLeftovers(left []leftover, removed bool) error {
	if len(left) == 0 {
		printf(c.ErrOut, "nothing at the factory is without an owner\n")
		return nil
	}
	done := map[string]string{actCancel: "cancelled", actDelete: "deleted", actRevoke: "revoked"}
	rows := [][]string{{"KIND", "ID", "NAME", "ACTION"}}
	var wanted, others int
	for _, one := range left {
		action := one.Action
		switch {
		case one.Done:
			action = done[one.Action]
		case one.Kept != "":
			action = "keep: " + one.Kept
		default:
			wanted++
		}
		if one.Kept == keptOthers {
			others++
		}
		rows = append(rows, []string{one.Kind, printable(one.ID), printable(one.Name), printable(action)})
	}
	if err := table(c.Out, rows); err != nil {
		return err
	}
	if others > 0 {
		printf(c.ErrOut, "%d may be another cluster's; if no other uses this factory with this key, say so with --sole-cluster\n", others)
	}
	if wanted > 0 && !removed {
		printf(c.ErrOut, "nothing was removed; --yes removes the %d that are not kept\n", wanted)
	}
	return nil
}
