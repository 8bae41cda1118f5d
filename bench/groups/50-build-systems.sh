# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The build systems that users call by hand. The projects contain no source code, so crossmerge's own time is a large part of the total.
# shellcheck disable=SC2154,SC2034 # bench/run sets them; lib.sh reads `before`

group 'Build systems: beside the bare tool, with the same options and files'

mkdir "$work/project"
cd "$work/project" || exit
printf 'cmake_minimum_required(VERSION 3.13)\nproject(empty LANGUAGES NONE)\n' > CMakeLists.txt
printf "project('empty')\n" > meson.build
make_questions configured

bare '<tuple>-configure --version' 10 +5 configure ./configured/configure --version
bare '<tuple>-cmake --version' 20 +5 cmake --version
before='rm -rf build'
bare '<tuple>-cmake -B build, of an empty project' 5 - cmake -B build
bare '<tuple>-meson setup build, of an empty project' 3 - meson setup build
unset before
bare '<tuple>-go version' 10 +5 go version
PATH=$PATH:$demo/rust/bin
bare '<tuple>-cargo --version' 10 - cargo --version
bare '<tuple>-env true' 20 +5 env true
cd "$demo/kernel" || exit
bare '<tuple>-xkmake -s kernelversion' 5 +5 xkmake -s kernelversion
