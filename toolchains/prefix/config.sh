#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# binutils-config and gcc-config of a prefix that `crossmerge toolchain prepare` made: select the version that <tuple>-ld and <tuple>-gcc
# start. The ebuilds call them when a package is merged and unmerged. They have the commands that crossmerge's and ::gentoo's ebuilds use,
# with the output that ::gentoo's ebuilds expect, and no others.
#
# usage: binutils-config <tuple>-<version>     select a version
#        binutils-config --update [<tuple>]    remove the symlinks to versions that are unmerged; select the last version if the
#                                              selected one is
#        binutils-config -u <tuple>            the same
#        binutils-config -c [<tuple>]          print the selected <tuple>-<version>; fail if there is none. The default tuple is $CHOST
#        binutils-config -l                    list the versions
#        gcc-config -S <tuple>-<version>       print the tuple and the version
#        gcc-config --use-old --force          select the build machine's own compiler again: there is none, so this does nothing

set -eu

name=${0##*/}
kind=${name%-config}
root=$(cd -- "$(dirname -- "$0")/../.." && pwd -P)
entries=$root/etc/env.d/$kind

fail() {
	printf '%s: %s\n' "$name" "$1" >&2
	exit 1
}

# Makes a symlink, or replaces one without a moment in which it is missing.
link() {
	ln -sfn "$1" "$2.new"
	mv -f "$2.new" "$2"
}

# Prints the tuple of an entry.
tuple_of() { sed -n 's/^C\{0,1\}TARGET="\(.*\)"$/\1/p' "$entries/$1"; }

# Prints the directory of a version's programs, below the root.
programs() {
	for directory in "$root/usr"/*/"$1/$kind-bin/$2"; do
		[ ! -d "$directory" ] || printf '%s\n' "${directory#"$root/"}"
	done
}

# Prints the selected version of a tuple, unless it is unmerged.
current() {
	version=$(sed -n 's/^CURRENT=//p' "$entries/config-$1" 2> /dev/null || :)
	if [ -n "$version" ] && [ -f "$entries/$1-$version" ]; then
		printf '%s\n' "$version"
	fi
}

# Removes the symlinks of a tuple that lead to no program.
remove_dangling() {
	for path in "$root/usr/bin/$1"-* "$root/usr/$1/bin"/*; do
		if [ ! -L "$path" ] || [ -e "$path" ]; then
			continue
		fi
		case $(readlink "$path") in
			*"/$1/$kind-bin/"*) rm -f "$path" ;;
		esac
	done
}

select_version() {
	tuple=$(tuple_of "$1")
	version=${1#"$tuple-"}
	directory=$(programs "$tuple" "$version")
	[ -n "$directory" ] || fail "$root/usr/*/$tuple/$kind-bin/$version does not exist"
	mkdir -p "$root/usr/bin" "$root/usr/$tuple/bin"
	for program in "$root/$directory"/*; do
		file=${program##*/}
		plain=${file#"$tuple-"}
		link "../${directory#usr/}/$file" "$root/usr/bin/$tuple-$plain"
		# GCC also searches this directory for the assembler and the linker.
		[ "$kind" != binutils ] || link "../../${directory#usr/}/$file" "$root/usr/$tuple/bin/$plain"
	done
	printf 'CURRENT=%s\n' "$version" > "$entries/config-$tuple.new"
	mv -f "$entries/config-$tuple.new" "$entries/config-$tuple"
	remove_dangling "$tuple"
}

# Prints the entries of a tuple, or of all, the last version at the end.
entries_of() {
	for entry in "$entries"/*; do
		entry=${entry##*/}
		case $entry in
			config-* | '*') continue ;;
		esac
		if [ $# -eq 0 ] || [ "$(tuple_of "$entry")" = "$1" ]; then
			printf '%s\n' "$entry"
		fi
	done | sort -V
}

usage() {
	sed -n '/^# usage/,/^$/ { s/^# \{0,1\}//; p; }' "$0" >&2
	exit 2
}

update() {
	if [ -z "$(current "$1")" ]; then
		last=$(entries_of "$1" | tail -n 1)
		if [ -n "$last" ]; then
			select_version "$last"
		else
			rm -f "$entries/config-$1"
		fi
	fi
	remove_dangling "$1"
}

case ${1-} in
	-c)
		tuple=${2:-${CHOST-}}
		version=$(current "$tuple")
		[ -n "$version" ] || fail "no version is selected for $tuple"
		printf '%s-%s\n' "$tuple" "$version"
		;;
	-S)
		[ -f "$entries/${2-}" ] || fail "$entries/${2-} does not exist"
		tuple=$(tuple_of "$2")
		printf '%s %s\n' "$tuple" "${2#"$tuple-"}"
		;;
	-l)
		number=0
		for entry in $(entries_of); do
			number=$((number + 1))
			tuple=$(tuple_of "$entry")
			mark=''
			[ "$(current "$tuple")" != "${entry#"$tuple-"}" ] || mark=' *'
			printf ' [%s] %s%s\n' "$number" "$entry" "$mark"
		done
		;;
	--use-old) ;;
	# toolchain.eclass calls gcc-config with an empty argument if the last version is unmerged.
	'' | -u | --update)
		[ $# -gt 0 ] || usage
		if [ -n "${2-}" ]; then
			update "$2"
		else
			for file in "$entries"/config-*; do
				[ ! -f "$file" ] || update "${file##*/config-}"
			done
		fi
		;;
	-*) usage ;;
	*)
		[ -f "$entries/$1" ] || fail "$entries/$1 does not exist"
		select_version "$1"
		;;
esac
