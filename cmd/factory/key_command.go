package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory"
	"github.com/classifier-factory/classifier-factory/internal/factory/api"
)

const keyUsage = `Keys of a factory's data directory, whether the factory runs or not.

  factory key create --data-dir DIR [flags]    prints the new key, which nothing else will ever tell
  factory key list   --data-dir DIR [flags]    shows the keys without their secrets
  factory key revoke --data-dir DIR ID...      when it returns, the keys are refused
`

// keyOptions are the flags of the commands about keys.
type keyOptions struct {
	dataDirectory string
	databaseURL   string
	blobURL       string
	tenant        string
	name          string
	scopes        string
	models        string
	expiresIn     time.Duration
}

// keyCommand runs a command about keys, and returns the process's status. Only what was
// asked for goes to standard output, so that a script can keep a new key.
func keyCommand(arguments []string, stdout, stderr io.Writer) int {
	if len(arguments) == 0 {
		_, _ = io.WriteString(stderr, keyUsage)
		return 2
	}
	var o keyOptions
	flags := flag.NewFlagSet("factory key "+arguments[0], flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.dataDirectory, "data-dir", "", "directory of the factory (required)")
	flags.StringVar(&o.databaseURL, "database-url", "", databaseUsage)
	flags.StringVar(&o.blobURL, "blob-url", "", blobUsage)
	var run func(context.Context, *factory.Keys, keyOptions, []string, io.Writer, io.Writer) error
	switch arguments[0] {
	case "create":
		run = createKey
		flags.StringVar(&o.tenant, "tenant", api.DefaultTenant, "whose files, jobs and models it opens; tenant/namespace for one that a key acts for")
		flags.StringVar(&o.name, "name", "", "what it is for, to know it again")
		flags.StringVar(&o.scopes, "scopes", "classify", "comma-separated: classify, train, admin, act-for")
		flags.StringVar(&o.models, "models", "", "comma-separated IDs of the models that it may classify with (default: all)")
		flags.DurationVar(&o.expiresIn, "expires-in", 0, "after what time it is refused, such as 720h; 0: never")
	case "list":
		run = listKeys
		flags.StringVar(&o.tenant, "tenant", "", "show the keys of this tenant and of its namespaces alone")
		flags.StringVar(&o.name, "name", "", "show the keys of this name alone")
	case "revoke":
		run = revokeKeys
	default:
		_, _ = io.WriteString(stderr, keyUsage)
		return 2
	}
	rest, err := parseAnywhere(flags, arguments[1:])
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2 // the flag package has said why
	}
	ctx := context.Background()
	keys, err := factory.OpenKeys(ctx, factory.Location{Directory: o.dataDirectory, DatabaseURL: o.databaseURL, BlobURL: o.blobURL}, arguments[0] == "create")
	if err == nil {
		err = errors.Join(run(ctx, keys, o, rest, stdout, stderr), keys.Close())
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "factory key %s: %v\n", arguments[0], err)
		return 1
	}
	return 0
}

// parseAnywhere parses flags before and after the other arguments, and returns these.
func parseAnywhere(flags *flag.FlagSet, arguments []string) (others []string, err error) {
	for err = flags.Parse(arguments); err == nil && flags.NArg() > 0; err = flags.Parse(flags.Args()[1:]) {
		others = append(others, flags.Arg(0))
	}
	return others, err
}

func createKey(ctx context.Context, keys *factory.Keys, o keyOptions, others []string, stdout, stderr io.Writer) error {
	if len(others) > 0 {
		return errors.New("it takes flags alone; a name is given by --name")
	}
	scopes, err := factory.ParseScopes(split(o.scopes))
	if err != nil {
		return fmt.Errorf("--scopes: %w", err)
	}
	now := time.Now()
	key := factory.Key{Tenant: o.tenant, Name: o.name, Scopes: scopes, Models: split(o.models)}
	if o.expiresIn != 0 {
		expires := now.Add(o.expiresIn).Unix()
		key.ExpiresAt = &expires
	}
	created, secret, err := keys.CreateKey(ctx, key, now)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(stderr, "key %s of the tenant %s; keep what follows, it is not shown again\n", created.ID, created.Tenant)
	_, err = fmt.Fprintln(stdout, secret)
	return err
}

func split(list string) []string {
	if list == "" {
		return nil
	}
	parts := strings.Split(list, ",")
	for i, part := range parts {
		parts[i] = strings.TrimSpace(part)
	}
	return parts
}

func listKeys(ctx context.Context, keys *factory.Keys, o keyOptions, others []string, stdout, _ io.Writer) error {
	if len(others) > 0 {
		return errors.New("it takes flags alone; a tenant is given by --tenant")
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	writeRow(table, "ID", "TENANT", "NAME", "SCOPES", "MODELS", "CREATED", "EXPIRES", "LAST USED")
	filter := factory.KeyFilter{Tenant: o.tenant, Below: true, Name: o.name, Page: factory.Page{Size: 1000}}
	for {
		page, _, err := keys.Keys(ctx, filter)
		if err != nil {
			return err
		}
		for _, key := range page {
			models := "all"
			if key.Models != nil {
				models = strings.Join(key.Models, ",")
			}
			writeRow(table, key.ID, key.Tenant, key.Name, strings.Join(key.Scopes.Names(), ","), models,
				moment(&key.CreatedAt), moment(key.ExpiresAt), moment(key.LastUsedAt))
		}
		if len(page) < filter.Size {
			return table.Flush()
		}
		filter.Number++
	}
}

// writeRow leaves it to the table's end to fail.
func writeRow(table *tabwriter.Writer, cells ...string) {
	_, _ = io.WriteString(table, strings.Join(cells, "\t")+"\n")
}

func moment(seconds *int64) string {
	if seconds == nil {
		return "never"
	}
	return time.Unix(*seconds, 0).UTC().Format(time.RFC3339)
}

func revokeKeys(ctx context.Context, keys *factory.Keys, _ keyOptions, ids []string, stdout, _ io.Writer) error {
	if len(ids) == 0 {
		return errors.New("name the IDs of the keys, as factory key list shows them")
	}
	defer time.Sleep(api.KeyLifetime) // as long as a factory that runs may remember them
	for _, id := range ids {
		err := keys.RevokeKey(ctx, id, factory.KeyFilter{})
		if errors.Is(err, factory.ErrNotFound) {
			err = fmt.Errorf("no key has the ID %q; factory key list shows those that there are", id)
		}
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(stdout, id); err != nil {
			return err
		}
	}
	return nil
}
