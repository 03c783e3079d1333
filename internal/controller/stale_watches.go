package controller

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

const (
	// versionInterval is how often the API server is asked for its version of the
	// objects: often enough to notice that it was away, as it is while etcd is restored.
	// Whatever is done meanwhile on old knowledge meets a conflict.
	versionInterval = 5 * time.Second
	// versionRetry is sooner, while there is no answer: what is being restored counts its
	// versions on as soon as it is back.
	versionRetry = time.Second
	// versionTimeout is for one question.
	versionTimeout = 5 * time.Second
	versionPage    = 500
)

// versionGuard ends the operator when the API server has gone back in time, as after a
// restore of etcd. A watch goes on from a version that is yet to come then, and tells of
// nothing before that.
type versionGuard struct {
	live       client.Reader // asks the API server
	cached     client.Reader // knows what the watches told
	clock      clock.WithTicker
	namespaces []string // in which the operator may list; "" is all

	highest string
	// known are the versions that the watches had told of when the API server went away;
	// nil while it is there. It may have counted on beyond the highest when it is back.
	known versions
}

// versions are those of objects, by their UIDs.
type versions map[types.UID]string

func newVersionGuard(manager ctrl.Manager, options Options) *versionGuard {
	guard := &versionGuard{live: manager.GetAPIReader(), cached: manager.GetClient(), clock: options.Clock, namespaces: options.Namespaces}
	if len(guard.namespaces) == 0 {
		guard.namespaces = []string{metav1.NamespaceAll}
	}
	return guard
}

// NeedLeaderElection lets the guard run on every replica: those that wait for their turn
// watch, too.
func (g *versionGuard) NeedLeaderElection() bool { return false }

// Start asks for the version until the context ends, or it has gone back.
func (g *versionGuard) Start(ctx context.Context) error {
	for {
		interval := versionInterval
		wentBack, err := g.look(ctx)
		if wentBack != "" {
			return fmt.Errorf("the API server went back in time, %s: its data was restored, so that what the operator watches and remembers "+
				"is out of date. It ends in order to be started anew", wentBack)
		}
		if err != nil {
			interval = versionRetry
		}
		select {
		case <-ctx.Done():
			return nil
		case <-g.clock.After(interval):
		}
	}
}

// look says what has gone back, if anything has.
func (g *versionGuard) look(ctx context.Context) (wentBack string, err error) {
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	version, err := g.version(ctx)
	switch {
	case err != nil && g.known == nil:
		g.known = g.cachedVersions(ctx)
		return "", err
	case err != nil:
		return "", err
	case isBefore(version, g.highest):
		return fmt.Sprintf("from version %s to %s", g.highest, version), nil
	}
	g.highest = version
	if g.known == nil {
		return "", nil
	}
	now, err := g.liveVersions(ctx)
	if err != nil {
		return "", err
	}
	for object, before := range g.known {
		if isBefore(now[object], before) {
			return fmt.Sprintf("the object with UID %s from version %s to %s", object, before, now[object]), nil
		}
	}
	g.known = nil
	return "", nil
}

func (g *versionGuard) version(ctx context.Context) (string, error) {
	list := &classifierv1alpha1.ClassifierTrainingJobList{}
	err := g.live.List(ctx, list, client.InNamespace(g.namespaces[0]), client.Limit(1))
	return list.ResourceVersion, err
}

// cachedVersions are none while the watches are being opened.
func (g *versionGuard) cachedVersions(ctx context.Context) versions {
	found := versions{}
	for _, list := range []client.ObjectList{&classifierv1alpha1.ClassifierDatasetList{}, &classifierv1alpha1.ClassifierTrainingJobList{}} {
		if g.cached.List(ctx, list, client.UnsafeDisableDeepCopy) == nil {
			_ = found.add(list)
		}
	}
	return found
}

func (g *versionGuard) liveVersions(ctx context.Context) (versions, error) {
	found := versions{}
	for _, kind := range []string{kindDataset, kindTrainingJob} {
		for _, namespace := range g.namespaces {
			if err := g.addLive(ctx, found, classifierv1alpha1.GroupVersion.WithKind(kind+"List"), namespace); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

func (g *versionGuard) addLive(ctx context.Context, found versions, kind schema.GroupVersionKind, namespace string) error {
	for next := ""; ; {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(kind)
		if err := g.live.List(ctx, list, client.InNamespace(namespace), client.Limit(versionPage), client.Continue(next)); err != nil {
			return err
		}
		if err := found.add(list); err != nil {
			return err
		}
		if next = list.Continue; next == "" {
			return nil
		}
	}
}

func (v versions) add(list runtime.Object) error {
	return meta.EachListItem(list, func(object runtime.Object) error {
		accessor, err := meta.Accessor(object)
		if err == nil {
			v[accessor.GetUID()] = accessor.GetResourceVersion()
		}
		return err
	})
}

// isBefore reports whether one version is certainly before another one.
func isBefore(version, other string) bool {
	compared, err := resourceversion.CompareResourceVersion(version, other)
	return err == nil && compared < 0
}
