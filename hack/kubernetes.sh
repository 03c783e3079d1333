# For scripts that build parts of Kubernetes from source: which release, and where they are kept.
# The script that reads this says what it builds in $name.

tools="$(cd "$(dirname "$0")" && pwd)/tools"
version=$(cd "$tools/controlplane" && GOWORK=off go list -m -f '{{.Version}}' k8s.io/kubernetes)
version=${version#v}
platform="$(go env GOOS)-$(go env GOARCH)"
store="${XDG_CACHE_HOME:-$HOME/.cache}/classifier-factory/k8s-$version"

say() { echo "$name: $*" >&2; }

# lock_build waits for another build into the store, until this script ends.
lock_build() {
	mkdir -p "$store"
	command -v flock >/dev/null || return 0
	exec 9>"$store/lock"
	flock -n 9 || { say "another build is under way, waiting for it"; flock 9; }
}

# compile FOLDER PROGRAM PACKAGE is named only when whole: one that was cut short is never taken for finished.
compile() {
	local folder=$1 program=$2 package=$3 flags="-s -w" field
	for field in gitVersion=v$version gitMajor=${version%%.*} gitMinor="$(cut -d. -f2 <<<"$version")" gitTreeState=clean; do
		# Without these the server calls itself v0.0.0-master.
		flags+=" -X k8s.io/component-base/version.$field"
	done
	say "building $program"
	(cd "$tools/controlplane" && GOWORK=off CGO_ENABLED=0 \
		go build -trimpath -buildvcs=false -ldflags="$flags" -o "$folder/.$program" "$package") >&2
	mv "$folder/.$program" "$folder/$program"
}
