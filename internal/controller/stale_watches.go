package controller

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

const (
	// versionInterval is how often the API server is asked for its version of the
	// objects. Whatever is done meanwhile on old knowledge meets a conflict.
	versionInterval = 10 * time.Second
	// versionRetry is sooner, while there is no answer: what is being restored counts its
	// versions on as soon as it is back.
	versionRetry = time.Second
	// versionTimeout is for one question.
	versionTimeout = 5 * time.Second
)

// versionGuard ends the operator when the API server has gone back in time, as after a
// restore of etcd. A watch goes on from a version that is yet to come then, and tells of
// nothing before that.
type versionGuard struct {
	reader    client.Reader // asks the API server
	clock     clock.WithTicker
	namespace string // in which the operator may list; empty: all
}

func newVersionGuard(reader client.Reader, options Options) *versionGuard {
	guard := &versionGuard{reader: reader, clock: options.Clock}
	if len(options.Namespaces) > 0 {
		guard.namespace = options.Namespaces[0]
	}
	return guard
}

// NeedLeaderElection lets the guard run on every replica: those that wait for their turn
// watch, too.
func (g *versionGuard) NeedLeaderElection() bool { return false }

// Start asks for the version until the context ends, or it has gone back.
func (g *versionGuard) Start(ctx context.Context) error {
	for highest := ""; ; {
		interval := versionInterval
		switch version, err := g.version(ctx); {
		case err != nil:
			interval = versionRetry
		case isBefore(version, highest):
			return fmt.Errorf("the API server went back in time, from version %s to %s: its data was restored, so that what the operator "+
				"watches and remembers is out of date. It ends in order to be started anew", highest, version)
		default:
			highest = version
		}
		select {
		case <-ctx.Done():
			return nil
		case <-g.clock.After(interval):
		}
	}
}

func (g *versionGuard) version(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	list := &classifierv1alpha1.ClassifierTrainingJobList{}
	err := g.reader.List(ctx, list, client.InNamespace(g.namespace), client.Limit(1))
	return list.ResourceVersion, err
}

// isBefore reports whether one version is certainly before another one.
func isBefore(version, other string) bool {
	compared, err := resourceversion.CompareResourceVersion(version, other)
	return err == nil && compared < 0
}
