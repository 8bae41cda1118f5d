#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs in a root and checks whether anything that a process has there leads out of it: every descriptor, directory,
# root, program and mapped file of every process and thread, and every mount. Usage: reach.sh MARK
#
# MARK is the path of a file that exists on the host and not in the root.

mark=$1
up=../../../../../../../../../../../../../../../..
tried=0

reached() { echo "reached: $*"; }

# A file that this root has at the same path is the root's own.
# shellcheck disable=SC3013 # the test(1) of dash and busybox has it
is_own() { [ "$1" -ef "$(busybox readlink "$1")" ]; }

try() {
	tried=$((tried + 1))
	if [ -e "$1$mark" ] || [ -e "$1/$up$mark" ]; then
		reached "$1"
	fi
	# A binfmt_misc that is mounted.
	if [ -e "$1/register" ]; then
		(echo ':reached:E::reached::/bin/true:' > "$1/register") 2> /dev/null && reached "$1/register"
	fi
}

try_file() {
	tried=$((tried + 1))
	is_own "$1" || { (: >> "$1") 2> /dev/null && reached "$1, to write"; }
}

for process in /proc/[0-9]* /proc/[0-9]*/task/[0-9]*; do
	for link in "$process"/cwd "$process"/root "$process"/fd/*; do
		try "$link"
	done
	for link in "$process"/exe "$process"/map_files/*; do
		try "$link"
		try_file "$link"
	done
done
while read -r _ _ _ _ point _; do
	try "$point"
done < /proc/self/mountinfo
[ "$tried" -gt 20 ] && echo "tried"
exit 0
