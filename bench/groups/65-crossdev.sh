# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# crossmerge beside crossdev's shell wrappers, if CROSSDEV names their directory.
# shellcheck disable=SC2154,SC2030,SC2031 # bench/run sets them; a subshell sets variables only for itself

if [[ -z ${CROSSDEV-} ]]; then
	say "crossdev's wrappers are omitted: set CROSSDEV=DIR to their directory"
	return 0
fi
group "crossdev's wrappers: ours beside theirs"

theirs=$work/crossdev
mkdir "$theirs"
for name in emerge ebuild pkg-config fix-root; do
	for directory in "$CROSSDEV/wrappers" "$CROSSDEV"; do
		[[ ! -e $directory/cross-$name ]] || cp "$directory/cross-$name" "$theirs/$tuple-$name"
	done
	[[ -e $theirs/$tuple-$name ]] || fail "\`$CROSSDEV\` contains no cross-$name" "CROSSDEV=DIR, a checkout of crossdev"
	chmod +x "$theirs/$tuple-$name"
done

# As Portage calls it in an ebuild, with a known libdir.
(
	export SYSROOT=$demo/debian/armel LIBDIR_default=lib/arm-linux-gnueabi
	for package in zlib glib-2.0 gtk+-3.0; do
		for question in --version --exists '--cflags --libs'; do
			what="$tuple-pkg-config $question $package"
			[[ $question != --version ]] || what="$tuple-pkg-config $question"
			[[ $question != --version || $package == zlib ]] || continue
			compare "<tuple>-${what#"$tuple-"}" 20 1 "$what" "$theirs/$what"
		done
	done
	# As a user calls it. crossdev's wrapper then asks the compiler, which does not know Debian's library directories.
	mkdir -p "$work/plain/usr/lib/pkgconfig"
	cp "$SYSROOT/usr/lib/arm-linux-gnueabi/pkgconfig/zlib.pc" "$work/plain/usr/lib/pkgconfig"
	unset LIBDIR_default
	export CC=arm-linux-gnueabi-gcc SYSROOT=$work/plain
	what="$tuple-pkg-config --exists zlib"
	compare '<tuple>-pkg-config --exists zlib, the libdir not known' 20 1 "$what" "$theirs/$what"
)
(
	export SYSROOT=$PORTAGE_OVERRIDE_EPREFIX/usr/$tuple CROSS_CMD=$work/nothing
	compare '<tuple>-emerge, of nothing' 3 1 "$tuple-emerge" "$theirs/$tuple-emerge"
	compare '<tuple>-ebuild, of nothing' 3 1 "$tuple-ebuild" "$theirs/$tuple-ebuild"
)
# Each program gets its own copy. After the first run nothing is left to correct.
mkdir ours their
cp -a "$demo/debian/armel/usr" ours
cp -a "$demo/debian/armel/usr" their
links=$work/links
mkdir "$links"
compare "<tuple>-fix-root, of a sysroot of Debian's packages" 3 1 \
	"$tuple-fix-root $work/ours $links $tuple-" "$theirs/$tuple-fix-root $work/their $links $tuple-"
