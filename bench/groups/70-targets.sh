# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The time of commands beside many targets, and the time to make the targets.
# shellcheck disable=SC2154 # bench/run sets them

group 'Many targets'

# Prints the tuple with a number.
tuple_of() { echo "armv7a-board$1-linux-gnueabi"; }
# Makes the targets with the numbers of a range.
make_targets() {
	local number
	for ((number = $1; number <= $2; number++)); do
		make_target "$(tuple_of "$number")" --toolchain arm-linux-gnueabi-
	done
}
ln "$work/nothing" "$work/standin-gcc"
for many in 1 100 1000; do
	prefix=$work/targets-$many
	make_prefix "$prefix"
	enter_prefix "$prefix"
	make_targets 1 "$many"
	first=$(tuple_of 1)
	use_tools "$first" "$work/standin-"
	compare "<tuple>-gcc with targets made: $many : the floor" 40 +2 "$first-gcc" "$work/floor $work/nothing"
	CROSS_CMD=$work/nothing compare "<tuple>-emerge with targets made: $many : the floor" 20 +2 "$first-emerge" "$work/floor $work/nothing"
	compare "crossmerge targets, of $many : the floor" 10 - 'crossmerge targets' "$work/floor $work/nothing"
done

# Measures the creation of targets. Each round uses a new prefix, because init changes nothing in an existing target.
once() {
	local what=$1 peer=$2 many=$3 round
	for ((round = 0; round < (rounds + 1) / 2; round++)); do
		prefix=$work/init-$many-$round
		make_prefix "$prefix"
		enter_prefix "$prefix"
		seconds=$(TIMEFORMAT=%R; { time make_targets 1 "$many"; } 2>&1)
		echo "$seconds"
		rm -rf "$prefix"
	done | median | {
		read -r seconds
		row "$what" "$(awk -v s="$seconds" 'BEGIN { printf "%.2f", s * 1000 }')" "$peer" - -
	}
}
once 'crossmerge init, one target' - 1
once 'crossmerge init, 100 targets one after the other' - 100
