# SPDX-License-Identifier: GPL-2.0-or-later

# Plain make with two compilers: _makenames runs during the build, so it is for CBUILD. The rest is for CHOST.

EAPI=8

inherit cross-build

DESCRIPTION="POSIX 1003.1e capabilities, and the commands to see and set them"
HOMEPAGE="https://sites.google.com/site/fullycapable/"
SRC_URI="https://www.kernel.org/pub/linux/libs/security/linux-privs/libcap2/${P}.tar.xz"

LICENSE="|| ( GPL-2 BSD )"
SLOT="0"
KEYWORDS="~alpha amd64 arm arm64 ~hppa ~loong ~m68k ~mips ~ppc ppc64 riscv s390 ~sh ~sparc ~x86"
IUSE="static-libs"

src_configure() {
	cb_export_tools
}

# Runs make with all settings that Make.Rules would otherwise take from the build machine.
cap_make() {
	emake \
		CC="${CC}" AR="${AR}" RANLIB="${RANLIB}" OBJCOPY="${OBJCOPY}" \
		BUILD_CC="${BUILD_CC}" BUILD_CFLAGS="${BUILD_CFLAGS}" BUILD_LDFLAGS="${BUILD_LDFLAGS}" \
		prefix="${EPREFIX}/usr" lib="$(get_libdir)" DESTDIR="${D}" \
		SHARED=yes PAM_CAP=no GOLANG=no USE_GPERF=no RAISE_SETFCAP=no "${@}"
}

src_compile() {
	local directory
	for directory in libcap progs; do
		cap_make -C "${directory}"
	done
}

src_install() {
	local directory
	for directory in libcap progs; do
		cap_make -C "${directory}" install
	done
	cb_drop_archives
	dodoc CHANGELOG README
}
