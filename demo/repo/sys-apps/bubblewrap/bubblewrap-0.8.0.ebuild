# SPDX-License-Identifier: GPL-2.0-or-later

# Meson, and a library that it finds through pkg-config.

EAPI=8

inherit cross-build

DESCRIPTION="Runs a program in namespaces of its own, without privileges"
HOMEPAGE="https://github.com/containers/bubblewrap"
SRC_URI="https://github.com/containers/bubblewrap/releases/download/v${PV}/${P}.tar.xz"

LICENSE="LGPL-2+"
SLOT="0"
KEYWORDS="~alpha amd64 arm arm64 ~hppa ~loong ~m68k ~mips ~ppc ppc64 riscv s390 ~sh ~sparc ~x86"

DEPEND="sys-libs/libcap"
RDEPEND="${DEPEND}"

src_configure() {
	cb_meson \
		-Dbash_completion=disabled -Dzsh_completion=disabled \
		-Dman=disabled -Dselinux=disabled -Dtests=false
}

src_compile() {
	cb_ninja
}

src_install() {
	DESTDIR=${D} cb_ninja install
	dodoc README.md
}
