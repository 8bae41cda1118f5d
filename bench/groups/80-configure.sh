# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A configure script of two dozen questions, with each mode of the site cache, beside the same script without crossmerge.
# shellcheck disable=SC2154 # bench/run sets them

group 'configure with each site mode: beside the bare script with --host and CC'

make_questions "$work/questions"
cd "$work/questions" || exit
settings=$PORTAGE_OVERRIDE_EPREFIX/etc/crossmerge/targets/$tuple.toml
cp "$settings" "$work/settings"
script='./configure --quiet --cache-file=/dev/null'
theirs="$script --host=$tuple CC=arm-linux-gnueabi-gcc"
for mode in off answers emulate; do
	{
		printf 'site_cache = "%s"\n' "$mode"
		cat "$work/settings"
	} > "$settings"
	compare "<tuple>-configure, site_cache = \"$mode\"" 2 - "$tuple-configure $script" "$theirs"
done
cp "$work/settings" "$settings"
