# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The tools of the adopted toolchain, under the names that a build uses.
# shellcheck disable=SC2154 # bench/run sets them

group 'The toolchain: beside the bare tool'

for tool in gcc g++ cpp ar as ld nm objcopy objdump ranlib readelf strip; do
	bare "<tuple>-$tool --version" 40 +2 "$tool" --version
done
printf 'int main(void) { return 0; }\n' > one.c
bare '<tuple>-gcc -c, of one line' 20 +2 gcc -c one.c -o one.o
