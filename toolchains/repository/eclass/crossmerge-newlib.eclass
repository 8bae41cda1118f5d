# SPDX-License-Identifier: GPL-2.0-or-later

# @ECLASS: crossmerge-newlib.eclass
# @SUPPORTED_EAPIS: 8
# @BLURB: the phases of sys-libs/newlib
# @DESCRIPTION:
# newlib asks the compiler for its variants, and builds a library for each. USE=nano also builds the small variant, whose
# libraries are libc_nano.a and so on: `-specs=nano.specs` selects them.

inherit crossmerge-toolchain

DESCRIPTION="A C library for machines without an operating system"
HOMEPAGE="https://sourceware.org/newlib/"
LICENSE="NEWLIB LIBGLOSS GPL-2"
SLOT="0"
IUSE="cet +multilib +nano"

crossmerge-newlib_src_unpack() { ct_untar "${DISTDIR}/${A}"; }

crossmerge-newlib_src_prepare() {
	default
	# GCC builds one C++ library, which both variants use.
	local specs
	for specs in "${S}"/libgloss/*/*nano.specs; do
		[[ -f ${specs} ]] || continue
		sed -i -e 's/%:replace-outfile(-l\(stdc++\|supc++\) -l[a-z+]*_nano)//g' "${specs}" || die
	done
}

# Runs the configure script for the variant with these arguments in the directory ${WORKDIR}/$1.
crossmerge-newlib_configure() {
	local directory=${1} flags=${2}
	shift 2
	mkdir -p "${WORKDIR}/${directory}" || die
	cd "${WORKDIR}/${directory}" || die
	local -x CFLAGS_FOR_TARGET="$(ct_target_flags) ${flags} -ffunction-sections -fdata-sections"
	local -x CCASFLAGS=${CFLAGS_FOR_TARGET}
	ct_run_configure "${S}/configure" --prefix="${EPREFIX}/usr" --host="${CHOST}" --target="${CTARGET}" \
		--disable-dependency-tracking $(use_enable multilib) --disable-newlib-supplied-syscalls --enable-newlib-retargetable-locking \
		"${@}"
}

crossmerge-newlib_src_configure() {
	ct_needs_compiler
	crossmerge-newlib_configure build "" --enable-newlib-io-long-long --enable-newlib-io-c99-formats
	# What makes the variant small is described in newlib's README.
	use nano && crossmerge-newlib_configure nano "-Os" \
		--enable-newlib-reent-small --enable-newlib-nano-malloc --enable-newlib-nano-formatted-io --enable-newlib-global-atexit \
		--enable-lite-exit --disable-newlib-fvwrite-in-streamio --disable-newlib-fseek-optimization \
		--disable-newlib-wide-orient --disable-newlib-unbuf-stream-opt
}

crossmerge-newlib_src_compile() {
	ct_make all-target
	use nano && emake -C "${WORKDIR}/nano" MAKEINFO=true all-target
	return 0
}

crossmerge-newlib_src_install() {
	local sysroot=$(ct_sysroot) library target
	# Its Makefiles install into a directory beside the rule that makes it.
	ct_make -j1 DESTDIR="${D}" install-target
	rm -rf "${ED}/usr/share" || die
	use nano || return 0
	emake -C "${WORKDIR}/nano" -j1 MAKEINFO=true DESTDIR="${T}/nano" install-target
	while read -r library; do
		target=${ED}${library#"${T}/nano${EPREFIX}"}
		cp "${library}" "${target%.a}_nano.a" || die
	done < <(find "${T}/nano" -name 'lib[cgm].a' -o -name librdimon.a -o -name libgloss.a)
	insinto "${sysroot}/include/newlib-nano"
	doins "${T}/nano${EPREFIX}${sysroot}/include/newlib.h"
}

EXPORT_FUNCTIONS src_unpack src_prepare src_configure src_compile src_install
