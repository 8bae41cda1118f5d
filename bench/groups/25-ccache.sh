# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ccache: the demonstration's bash, built by `<tuple>-emerge` with an empty cache and again with the objects of that build. The directory
# in which Portage searches the compilers' names is the host's, so the builds run in a mount namespace, in which that directory is empty.
# shellcheck disable=SC2154 # bench/run sets them

group 'ccache: the second build of bash beside the first, in seconds'

# Writes the seconds of two builds to $work/seconds.
two_builds() {
	mkdir "$work/masquerade"
	# shellcheck disable=SC2016 # the inner shell expands them
	unshare -m bash -euc '
		mount --bind "$1/masquerade" /usr/lib/ccache
		crossmerge farm enable "$2" ccache --ccache-dir "$1/ccache"
		for build in cold warm; do
			begin=$EPOCHREALTIME
			"$2-emerge" --oneshot app-shells/bash
			awk -v begin="$begin" -v end="$EPOCHREALTIME" "BEGIN { printf \"%.1f\n\", end - begin }" >> "$1/seconds"
		done
		crossmerge farm disable "$2"' two_builds "$work" "$tuple" > "$work/said" 2>&1 ||
		fail 'bash was not built' "cat $work/said, and \`ccache --show-stats\`"
}

if ((EUID)) || ! command -v ccache > /dev/null; then
	say 'the group needs root and ccache, and is omitted'
else
	two_builds
	mapfile -t seconds < "$work/seconds"
	row 'bash with a warm cache, and with an empty one' "${seconds[1]}" "${seconds[0]}" \
		"$(awk -v a="${seconds[1]}" -v b="${seconds[0]}" 'BEGIN { printf "%.2f", a / b }')" 0.35
fi
