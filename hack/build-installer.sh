#!/usr/bin/env bash
# Writes what a cluster needs, with the images IMG and FACTORY_IMG: dist/crds.yaml, the two kinds, and
# dist/install.yaml, all else. They are apart because deleting a kind deletes every object of it, which
# takes an operator that `kubectl delete -f` would take away in the same moment.
# With WATCH_NAMESPACES=team-a,team-b the operator works in these namespaces alone, which
# must be there, and has Roles in them instead of a ClusterRole. KUSTOMIZE is the command.
# What the own installation has otherwise are components in deploy/NAME, which stay there.
set -euo pipefail
cd "$(dirname "$0")/.."

rm -rf dist/kustomization.yaml dist/watched
mkdir -p dist
cd dist
if [ -z "${WATCH_NAMESPACES:-}" ]; then
	$KUSTOMIZE create --resources ../config/default
else
	$KUSTOMIZE create --resources ../config/namespaced
	for namespace in ${WATCH_NAMESPACES//,/ }; do
		mkdir -p "watched/$namespace"
		(cd "watched/$namespace" && $KUSTOMIZE create --namespace "$namespace" --resources ../../../config/namespaced/watched)
		$KUSTOMIZE edit add resource "watched/$namespace"
	done
	$KUSTOMIZE edit add patch --kind Deployment --name classifier-factory-controller-manager --patch \
		"[{\"op\": \"add\", \"path\": \"/spec/template/spec/containers/0/args/-\", \"value\": \"--watch-namespaces=$WATCH_NAMESPACES\"}]"
fi
for change in ../deploy/*/kustomization.yaml; do
	if [ -e "$change" ]; then $KUSTOMIZE edit add component "$(dirname "$change")"; fi
done
$KUSTOMIZE edit set image "ghcr.io/classifier-factory/operator=$IMG" "ghcr.io/classifier-factory/factory=$FACTORY_IMG"
$KUSTOMIZE build ../config/crd >crds.yaml
$KUSTOMIZE edit add patch --kind CustomResourceDefinition --patch '{"$patch": "delete", "kind": "any", "metadata": {"name": "any"}}'
$KUSTOMIZE build . >install.yaml
