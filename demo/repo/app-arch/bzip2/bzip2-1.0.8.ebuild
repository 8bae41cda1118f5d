# SPDX-License-Identifier: GPL-2.0-or-later

# A package with nothing but a makefile. Its first target runs the programs it has just built, so the ebuild names other targets.

EAPI=8

inherit cross-build

DESCRIPTION="Block-sorting compressor and its library"
HOMEPAGE="https://sourceware.org/bzip2/"
SRC_URI="https://sourceware.org/pub/bzip2/${P}.tar.gz"

LICENSE="BZIP2"
SLOT="0/1"
KEYWORDS="~alpha amd64 arm arm64 ~hppa ~loong ~m68k ~mips ~ppc ppc64 riscv s390 ~sh ~sparc ~x86"
IUSE="static-libs"

src_configure() {
	cb_export_tools
}

src_compile() {
	local flags="${CPPFLAGS} ${CFLAGS} -D_FILE_OFFSET_BITS=64 -fPIC"
	set -- CC="${CC}" AR="${AR}" RANLIB="${RANLIB}" CFLAGS="${flags} ${LDFLAGS}"

	# Both makefiles write the same object files, so they run one after the other. -fPIC is right for both.
	emake -f Makefile-libbz2_so "${@}" all
	emake "${@}" libbz2.a bzip2recover
}

src_install() {
	dolib.so libbz2.so.${PV}
	dosym libbz2.so.${PV} /usr/$(get_libdir)/libbz2.so.1.0
	dosym libbz2.so.${PV} /usr/$(get_libdir)/libbz2.so
	use static-libs && dolib.a libbz2.a
	doheader bzlib.h

	newbin bzip2-shared bzip2
	dosym bzip2 /usr/bin/bunzip2
	dosym bzip2 /usr/bin/bzcat
	dobin bzip2recover
	doman bzip2.1
	dodoc CHANGES README
}
