# SPDX-License-Identifier: GPL-2.0-or-later

# @ECLASS: crossmerge-mingw64-runtime.eclass
# @SUPPORTED_EAPIS: 8
# @BLURB: the phases of dev-util/mingw64-runtime
# @DESCRIPTION:
# The headers come before the first compiler. USE=libraries adds the library of POSIX threads, which needs the whole C library.

inherit crossmerge-toolchain

DESCRIPTION="The C library and the import libraries of Windows"
HOMEPAGE="https://www.mingw-w64.org/"
LICENSE="ZPL BSD BSD-2 ISC LGPL-2+ LGPL-2.1+ MIT public-domain"
SLOT="0"
IUSE="cet headers-only libraries multilib"

crossmerge-mingw64-runtime_src_unpack() { ct_untar "${DISTDIR}/${A}"; }

# Runs a configure script of the package in the directory ${WORKDIR}/$1, for programs of the target.
crossmerge-mingw64-runtime_configure() {
	local directory=${1} script=${2}
	shift 2
	mkdir -p "${WORKDIR}/${directory}" || die
	cd "${WORKDIR}/${directory}" || die
	local flags=$(ct_target_flags)
	# Without these, configure would find the build machine's own tools in the environment. An older version's headers are in the sysroot.
	local -x CFLAGS=${flags} CXXFLAGS=${flags} CPPFLAGS=-I${WORKDIR}/include LDFLAGS= CC= CXX= AR= AS= LD= NM= RANLIB= STRIP=
	ct_run_configure "${S}/${script}/configure" --prefix="${EPREFIX}$(ct_sysroot)/usr" --host="${CTARGET}" \
		--with-default-msvcrt=msvcrt --disable-dependency-tracking --disable-silent-rules "${@}"
}

crossmerge-mingw64-runtime_src_configure() {
	ct_needs_target
	crossmerge-mingw64-runtime_configure headers mingw-w64-headers
	use headers-only && return
	ct_needs_compiler
	emake -C "${WORKDIR}/headers" DESTDIR="${T}/headers" install
	ln -s "${T}/headers${EPREFIX}$(ct_sysroot)/usr/include" "${WORKDIR}/include" || die
	local -a bits=( --enable-lib64 --disable-lib32 )
	[[ ${CTARGET} == i?86-* ]] && bits=( --enable-lib32 --disable-lib64 )
	crossmerge-mingw64-runtime_configure crt mingw-w64-crt --with-sysroot="${EPREFIX}$(ct_sysroot)" "${bits[@]}"
	use libraries && crossmerge-mingw64-runtime_configure winpthreads mingw-w64-libraries/winpthreads --enable-static --enable-shared
}

crossmerge-mingw64-runtime_src_compile() {
	use headers-only && return
	emake -C "${WORKDIR}/crt"
	use libraries && emake -C "${WORKDIR}/winpthreads"
	return 0
}

crossmerge-mingw64-runtime_src_install() {
	local sysroot=$(ct_sysroot)
	emake -C "${WORKDIR}/headers" DESTDIR="${D}" install
	# GCC searches the headers and libraries of Windows in this directory of the sysroot.
	dosym usr "${sysroot}/mingw"
	use headers-only && return
	emake -C "${WORKDIR}/crt" DESTDIR="${D}" install
	use libraries && emake -C "${WORKDIR}/winpthreads" DESTDIR="${D}" install
	find "${ED}" -name '*.la' -delete || die
	rm -rf "${ED}${sysroot}/usr/share" || die
}

EXPORT_FUNCTIONS src_unpack src_configure src_compile src_install
