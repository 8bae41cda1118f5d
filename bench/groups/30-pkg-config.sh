# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# pkg-config in a sysroot of Debian's packages, from one .pc file to about sixty. `env` is an example of any program that runs another one.
# shellcheck disable=SC2154 # bench/run sets them

group 'pkg-config: beside the bare tool, in the same environment'

# The path has few components, like that of a usual sysroot: /usr/<tuple>.
cp -al "$demo/debian/armel" "$work/sysroot" 2> /dev/null || cp -a "$demo/debian/armel" "$work/sysroot"
export SYSROOT=$work/sysroot
bare '<tuple>-pkg-config --version' 40 1.3 pkg-config --version
for package in zlib glib-2.0 gtk+-3.0; do
	for question in --exists --modversion '--cflags --libs'; do
		limit=1.3
		[[ $question != *libs* ]] || limit=1.5
		# shellcheck disable=SC2086 # it may contain two words
		bare "<tuple>-pkg-config $question $package" 40 "$limit" pkg-config $question "$package"
	done
	(
		surroundings_of pkg-config --exists "$package"
		compare "the floor, pkg-config --exists $package" 40 - "$work/floor $tool" "$tool"
		compare "env pkg-config --exists $package" 40 - "env $tool" "$tool"
	)
done
