# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Time to exec. A program that does nothing replaces every real tool, so the time is crossmerge's own. The peer is the floor: a C program
# that execs the same program and does nothing else.
# shellcheck disable=SC2154 # bench/run sets them

group 'Time to exec: the real tool is a program that does nothing; the peer is a static C program that only execs it'

prefix=$work/start
make_prefix "$prefix"
mkdir "$prefix/standins"
unset SYSROOT
for name in emerge ebuild quickpkg emaint equery eselect qlist cmake meson cargo go make; do
	ln "$work/nothing" "$prefix/standins/$name"
done
for name in gcc g++ ld ar; do
	ln "$work/nothing" "$prefix/standins/standin-$name"
done
enter_prefix "$prefix"
export PATH=$prefix/bin:$prefix/standins:$demo/venv/bin:/usr/bin:/bin
make_target "$tuple" --toolchain arm-linux-gnueabi-
use_tools "$tuple" "$prefix/standins/standin-"
mkdir "$prefix/package"
cd "$prefix/package" || exit
cp "$work/nothing" configure

compare 'the floor : the program alone' 40 - "$work/floor $work/nothing" "$work/nothing"
limit=+2
before_nothing() {
	local what=$1
	shift
	compare "$what" 40 "$limit" "$tuple-$*" "$work/floor $work/nothing"
}
before_nothing '<tuple>-gcc' gcc
before_nothing '<tuple>-ld' ld
before_nothing '<tuple>-ar' ar
export REAL_PKG_CONFIG=$work/nothing SYSROOT=$demo/debian/armel
before_nothing '<tuple>-pkg-config --version' pkg-config --version
before_nothing '<tuple>-pkg-config --exists zlib' pkg-config --exists zlib
before_nothing '<tuple>-pkg-config --cflags zlib' pkg-config --cflags zlib
unset SYSROOT
for name in emerge ebuild quickpkg emaint equery eselect qlist; do
	before_nothing "<tuple>-$name" "$name"
done
before_nothing '<tuple>-env PROGRAM' env "$work/nothing"
before_nothing '<tuple>-run PROGRAM' run "$work/nothing"
before_nothing '<tuple>-configure' configure
before_nothing '<tuple>-cmake --version' cmake --version
before_nothing '<tuple>-go build' go build
# These applets compile a program, to find out which emulator it needs. The compiler is a program that does nothing, too.
limit=-
before_nothing '<tuple>-cmake -B build' cmake -B build
before_nothing '<tuple>-meson setup build' meson setup build
before_nothing '<tuple>-cargo build' cargo build
limit=+2
cd "$demo/kernel" || exit
before_nothing '<tuple>-xkmake' xkmake
