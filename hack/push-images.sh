#!/usr/bin/env bash
# Builds IMG and FACTORY_IMG for each of PLATFORMS, with SBOM and provenance, and pushes them. Writes dist/images: a line
# for each, by its digest. The base images of the Dockerfile are taken by the digests that their tags have now, the same for
# all platforms of both images; the provenance has them. VERSION and COMMIT are told to the programs.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p dist
pins=()
for name in GO_IMAGE BASE_IMAGE; do
	base=$(sed -n "s/^ARG $name=//p" Dockerfile)
	case $base in
	*@sha256:*) ;; # pinned in the Dockerfile
	?*) base=$base@$(docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$base") ;;
	*) echo "push-images: the Dockerfile has no ARG $name" >&2 && exit 1 ;;
	esac
	echo "push-images: $name is $base" >&2
	pins+=(--build-arg "$name=$base")
done

# Of the commit, so that who builds the same commit again gets the same bytes.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

push() {
	local target=$1 image=$2 digest
	docker buildx build --platform "$PLATFORMS" --target "$target" --tag "$image" \
		--build-arg "VERSION=$VERSION" --build-arg "COMMIT=$COMMIT" "${pins[@]}" \
		--provenance=mode=max --sbom=true --metadata-file "dist/$target-image.json" --push .
	digest=$(sed -n 's/.*"containerimage.digest": *"\(sha256:[0-9a-f]*\)".*/\1/p' "dist/$target-image.json")
	rm "dist/$target-image.json"
	echo "${image%:*}@${digest:?the build of $image does not say its digest}" >>dist/images
}

rm -f dist/images
push operator "$IMG"
push factory "$FACTORY_IMG"
cat dist/images
