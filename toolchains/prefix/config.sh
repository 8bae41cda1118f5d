#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# binutils-config and gcc-config of a prefix that `crossmerge toolchain prepare` made: select the version that <tuple>-ld and <tuple>-gcc
# start. The ebuilds call them when a package is merged and unmerged. They have the commands that crossdev and ebuilds use, and no others.
#
# usage: binutils-config <tuple>-<version>   select a version
#        binutils-config --update <tuple>    remove the symlinks to versions that are unmerged; select the last version if the
#                                            selected one is
#        binutils-config -c <tuple>          print the selected version
#        binutils-config -l                  list the versions

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

# Prints the selected version of a tuple.
current() { sed -n 's/^CURRENT=//p' "$entries/config-$1" 2> /dev/null || :; }

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

# Prints the entries of a tuple, the last version at the end.
entries_of() {
	for entry in "$entries/$1"-*; do
		if [ -f "$entry" ] && [ "$(tuple_of "${entry##*/}")" = "$1" ]; then
			printf '%s\n' "${entry##*/}"
		fi
	done | sort -V
}

case ${1-} in
	-c)
		current "${2-}"
		;;
	-l)
		for entry in "$entries"/*; do
			case ${entry##*/} in
				config-* | '*') ;;
				*) printf '%s\n' "${entry##*/}" ;;
			esac
		done
		;;
	--update)
		tuple=${2-}
		selected=$(current "$tuple")
		if [ -z "$selected" ] || [ ! -f "$entries/$tuple-$selected" ]; then
			last=$(entries_of "$tuple" | tail -n 1)
			if [ -n "$last" ]; then
				select_version "$last"
			else
				rm -f "$entries/config-$tuple"
			fi
		fi
		remove_dangling "$tuple"
		;;
	'' | -*)
		sed -n '/^# usage/,/^$/ { s/^# \{0,1\}//; p; }' "$0" >&2
		exit 2
		;;
	*)
		[ -f "$entries/$1" ] || fail "$entries/$1 does not exist"
		select_version "$1"
		;;
esac
