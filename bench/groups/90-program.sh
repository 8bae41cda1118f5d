# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The program itself: its size, and its page faults and system calls before the real tool starts. The peer is the floor.
# shellcheck disable=SC2154 # bench/run sets them

group 'The program: bytes; page faults and system calls before exec, beside those of the floor'

# Prints the page faults of a command without those of the program that it execs.
faults() {
	python3 - "$work/nothing" "$@" << 'EOF'
import os, sys

def faults(words):
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    counts = []
    for _ in range(15):
        child = os.posix_spawnp(words[0], words, os.environ, file_actions=quiet)
        counts.append(os.wait4(child, 0)[2].ru_minflt)
    return sorted(counts)[len(counts) // 2]

print(faults(sys.argv[2:]) - faults(sys.argv[1:2]))
EOF
}

# Prints the system calls of a command before it execs the program that does nothing.
calls() {
	strace -qq -o "$work/calls" "$@" > "$work/said" 2>&1 || fail "\`$1\` was not traced" "strace $*"
	awk '/^execve\(.*nothing"/ && NR > 1 { exit } { n++ } END { print n }' "$work/calls"
}

counted() {
	local what=$1 ours floor unit=$2
	shift 2
	ours=$("$unit" "$@") floor=$("$unit" "$work/floor" "$work/nothing")
	row "$what" "$ours" "$floor" "$(awk -v a="$ours" -v b="$floor" 'BEGIN { printf "%.2f", a / b }')" -
}

row 'the size of the program' "$(stat -c %s "$binary")" "$(stat -c %s "$work/floor")" - -
prefix=$work/program
make_prefix "$prefix"
enter_prefix "$prefix"
ln "$work/nothing" "$prefix/nothing-gcc"
make_target "$tuple" --toolchain arm-linux-gnueabi-
use_tools "$tuple" "$prefix/nothing-"
for unit in faults calls; do
	case $unit in
		faults) name='page faults' ;;
		calls) name='system calls' ;;
	esac
	counted "$name, <tuple>-gcc" "$unit" "$tuple-gcc"
	REAL_PKG_CONFIG=$work/nothing counted "$name, <tuple>-pkg-config --version" "$unit" "$tuple-pkg-config" --version
	SYSROOT=$demo/debian/armel REAL_PKG_CONFIG=$work/nothing \
		counted "$name, <tuple>-pkg-config --exists zlib" "$unit" "$tuple-pkg-config" --exists zlib
	CROSS_CMD=$work/nothing counted "$name, <tuple>-emerge" "$unit" "$tuple-emerge"
done

# The allocator. It saves system calls with musl, whose own one asks the kernel for small pieces.
if [[ -x ${SYSTEM_MALLOC-} ]]; then
	mkdir "$prefix/plain"
	install -m 755 "$SYSTEM_MALLOC" "$prefix/plain/crossmerge"
	ln -s crossmerge "$prefix/plain/$tuple-emerge"
	group 'The allocator: dlmalloc beside that of the C library'
	export CROSS_CMD=$work/nothing
	compare '<tuple>-emerge' 40 1 "$tuple-emerge" "$prefix/plain/$tuple-emerge"
	for unit in faults calls; do
		row "<tuple>-emerge, $unit before exec" "$("$unit" "$tuple-emerge")" "$("$unit" "$prefix/plain/$tuple-emerge")" - -
	done
fi
