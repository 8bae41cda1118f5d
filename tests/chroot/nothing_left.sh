#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Enters a root, and ends in every possible way, in a namespace whose binfmt_misc has a rule. Compares mounts, rules
# and processes afterwards with those before. Usage: nothing_left.sh CHROOT ROOT

set -eu
chroot=$1 root=$2
table=/proc/sys/fs/binfmt_misc
mount -t binfmt_misc binfmt_misc "$table"
echo ':mine:E::crossmerge-test::/bin/true:' > "$table/register"

state() {
	cat /proc/self/mountinfo
	for entry in "$table"/*; do
		echo "$entry"
		[ "$entry" = "$table/register" ] || cat "$entry"
	done
}

# Prints the processes that have the mark as an argument.
marked() {
	# In grep's own argument the mark is only a part, so grep does not count.
	pattern=-e$1
	grep -lzx "$pattern" /proc/[0-9]*/cmdline 2> /dev/null || :
}

# Waits until there are this many marked processes.
wait_for() {
	tries=0
	while [ "$(marked "$2" | wc -l)" -ne "$1" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 600 ] || { echo "not $1 processes of $2: $(marked "$2")"; exit 1; }
		sleep 0.1
	done
}

before=$(state)
check() {
	[ "$(state)" = "$before" ] || { echo "something is left after: $1"; exit 1; }
	echo "$1: $2"
}

# The shell and the programs that it starts are the target's.
code=0
"$chroot" --root "$root" /bin/sh -c '/bin/busybox uname -m && uname -m && test -e /proc/self/fd' || code=$?
check 'a command' "$code"
# No other process sleeps for this number of seconds.
mark=1000.$$0
code=0
"$chroot" --root "$root" /bin/sh -c "sleep $mark & exit 3" || code=$?
check 'a failing command' "$code"
wait_for 0 "$mark"

# Sends a signal to the started process, or to its first process inside, while a child and a grandchild run.
end_by() {
	signal=$1 whom=$2 mark=$3 code=0
	"$chroot" --root "$root" /bin/sh -c "sleep $mark & exec sleep $mark" &
	outer=$!
	wait_for 2 "$mark"
	pid=$outer
	[ "$whom" = outer ] || pid=$(cat "/proc/$outer/task/$outer/children")
	# shellcheck disable=SC2086 # a list of one
	kill "-$signal" $pid
	wait "$outer" || code=$?
	wait_for 0 "$mark"
	check "$signal to the $whom one" "$code"
}

end_by TERM outer "1000.$$2"
end_by KILL outer "1000.$$3"
end_by KILL inner "1000.$$4"
