#!/usr/bin/env bash
# Writes dist/krew: an archive of the plug-in for kubectl for each platform, and
# classifier.yaml, the manifest by which Krew installs them. VERSION is a release's, such as
# v1.2.3; archives are downloaded from RELEASES/VERSION. LDFLAGS are the linker's.
set -euo pipefail
cd "$(dirname "$0")/.."

platforms=${PLATFORMS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64}
releases=${RELEASES:-https://github.com/classifier-factory/classifier-factory/releases/download}
# What Krew takes: three numbers.
if ! [[ "${VERSION:-}" =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]]; then
	echo "krew: VERSION is '${VERSION:-}'; set it to that of the release, such as VERSION=v1.2.3" >&2
	exit 2
fi

digest() { if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d' ' -f1; }

rm -rf dist/krew
mkdir -p dist/krew
cat >dist/krew/classifier.yaml <<END
apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: classifier
spec:
  version: $VERSION
  homepage: https://github.com/classifier-factory/classifier-factory
  shortDescription: Check data, follow trainings and try text classifiers
  description: |
    Checks the data of ClassifierDatasets before they are applied, follows
    ClassifierTrainingJobs with their progress and loss, says why one does not
    go on and who has to do what about it, and classifies texts with the model
    that one has published.
  caveats: |
    The cluster needs the operator of Classifier Factory; lint needs no cluster.
  platforms:
END
for platform in $platforms; do
	os=${platform%/*} arch=${platform#*/}
	binary=kubectl-classifier
	[ "$os" != windows ] || binary=kubectl-classifier.exe
	folder=dist/krew/$os-$arch archive=kubectl-classifier_${os}_$arch.tar.gz
	mkdir "$folder"
	CGO_ENABLED=0 GOOS=$os GOARCH=$arch go build -trimpath -ldflags="-s -w ${LDFLAGS:-}" -o "$folder/$binary" ./cmd/kubectl-classifier
	cp LICENSE "$folder"
	tar -czf "dist/krew/$archive" -C "$folder" "$binary" LICENSE
	rm -r "$folder"
	cat >>dist/krew/classifier.yaml <<END
  - selector:
      matchLabels: {os: $os, arch: $arch}
    uri: $releases/$VERSION/$archive
    sha256: $(digest "dist/krew/$archive")
    bin: $binary
END
done
