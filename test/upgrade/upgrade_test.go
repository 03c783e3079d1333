// Package upgrade holds that whoever upgrades from an older version, or goes back to it, loses nothing and trains
// nothing twice: manifests, operator and factory are first the old ones, then those of this repository and then the
// old ones again, on one API server with the same objects.
package upgrade

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

var from = flag.String("upgrade.from", "", "the commit or tag from which is upgraded")

func TestUpgrade(t *testing.T) {
	before, now := older(t), build(t, repository)
	c := startCluster(t)
	c.makeSamples()

	c.install(before)
	endOperator, endFactory := c.startOperator(before), c.startFactory(before)
	c.reach(states...)
	first := c.look("before")
	c.mustHaveJobs(6)
	backup := c.backUp(before)
	if is := first[ctj+"running"]; c.stateOf(ctj+"running") != "RUNNING" {
		t.Fatalf("the long training is over, it needs more samples: it %s", is)
	}
	endOperator()
	endFactory()

	c.install(now)
	endOperator, endFactory = c.startOperator(now), c.startFactory(now)
	upgraded := c.holdUpgraded(first)
	endOperator()

	c.install(before)
	endOperator = c.startOperator(before)
	c.holdOperatorBack(upgraded)
	endOperator()
	endFactory()

	c.holdFactoryBack(before, backup)
}

// holdUpgraded holds that all is as it was, and goes on.
func (c *cluster) holdUpgraded(first map[string]string) (found map[string]string) {
	c.Helper()
	for _, object := range unfinished {
		c.until(object, "SUCCESS")
	}
	found = c.look("upgraded")
	c.mustKeep(first, found, unfinished...)
	c.mustHaveJobs(6)
	for _, object := range unfinished {
		if job := idOf(found[object]); job != idOf(first[object]) {
			c.Errorf("%s is job %s instead of %s now", object, job, idOf(first[object]))
		}
	}
	c.mustClassify("done", "measured", "running", "queued")

	// What waited for somebody goes on when they come.
	c.kubectl("", "patch", ctj+"unapproved", "--namespace", team, "--type=merge", "-p", `{"spec": {"suspend": false}}`)
	c.makeConfigMap("late", short(1))
	for _, name := range []string{"unapproved", "waiting"} {
		c.until(ctj+name, "SUCCESS")
	}
	c.mustHaveJobs(7)
	c.mustClassify("unapproved", "waiting")
	return c.look("gone-on")
}

// holdOperatorBack holds that the older operator takes what the newer one has left, with a factory that is newer.
func (c *cluster) holdOperatorBack(upgraded map[string]string) {
	c.Helper()
	c.mustKeep(upgraded, c.look("operator-back"))
	c.reach(state{ctj + "again", `{training: {datasets: [{name: small}]}}`, "SUCCESS"})
	c.mustHaveJobs(8)
	c.mustClassify("done", "running", "waiting", "again")
}

// holdFactoryBack holds that the older factory touches nothing of the newer one's, and goes on with a backup of
// before. Of what was trained since then the operator says that it is missing: it trains nothing by itself.
func (c *cluster) holdFactoryBack(before version, backup string) {
	c.Helper()
	if said, refused := c.refuses(before); !refused {
		c.Log("the older factory takes the directory of the newer one")
	} else {
		if !strings.Contains(said, "newer") {
			c.Errorf("the older factory refuses the directory by %q", said)
		}
		c.data = backup
	}
	c.startFactory(before)
	c.startOperator(before)
	c.look("factory-back")
	c.mustClassify("done", "measured")
	if c.data == backup {
		c.mustHaveJobs(6)
		if state := c.stateOf(ctj + "waiting"); state != "ModelMissing" {
			c.Errorf("the job that the backup does not have is %s", state)
		}
	}
	c.kubectl("", "delete", "classifiers", "--all", "--namespace", team, "--timeout=2m")
}

// idOf is the job at the factory, of what is kept.
func idOf(kept string) string {
	_, id, _ := strings.Cut(kept, "job ")
	id, _, _ = strings.Cut(id, ",")
	return id
}

// backUp does what the how-to page for upgrades tells to do first.
func (c *cluster) backUp(version version) string {
	c.Helper()
	backup := filepath.Join(c.TempDir(), "backup")
	command := exec.CommandContext(c.Context(), version.factory, "backup", "--data-dir="+c.data, "--to="+backup)
	if output, err := command.CombinedOutput(); err != nil {
		c.Fatalf("%v\n%s", err, output)
	}
	return backup
}

// refuses tells whether a version's factory ends at once with the data that are there, and what it says then.
func (c *cluster) refuses(version version) (said string, refused bool) {
	c.Helper()
	command := exec.Command(version.factory, "--listen=127.0.0.1:0", "--metrics-listen=127.0.0.1:0", "--data-dir="+c.data)
	command.Env = append(os.Environ(), "FACTORY_API_KEY="+apiKey)
	serves := time.AfterFunc(20*time.Second, func() { _ = command.Process.Kill() })
	output, err := command.CombinedOutput()
	return string(output), serves.Stop() && err != nil
}

// mustHaveJobs counts all that the factory was ever told to train.
func (c *cluster) mustHaveJobs(number int) {
	c.Helper()
	jobs, err := c.client(apiKey, team).ListJobs(c.Context(), mistral.JobFilter{})
	if err != nil {
		c.Fatal(err)
	}
	ids := []string{}
	for _, job := range jobs.Data {
		ids = append(ids, job.ID)
	}
	if slices.Sort(ids); len(ids) != number {
		c.Errorf("the factory has %d jobs instead of %d: %v\n%s", len(ids), number, ids, c.kubectl("", "get", "ctj", "--namespace", team, "-o", "wide"))
	}
}
