# SPDX-License-Identifier: GPL-2.0-or-later

# CMake, with a library and a program. (It is C, but its project() asks for a C++ compiler that works.)

EAPI=8

inherit cross-build

DESCRIPTION="CommonMark parser and renderer"
HOMEPAGE="https://github.com/commonmark/cmark"
SRC_URI="https://github.com/commonmark/cmark/archive/${PV}.tar.gz -> ${P}.tar.gz"

LICENSE="BSD-2 MIT CC-BY-SA-4.0"
SLOT="0/${PV}"
KEYWORDS="~alpha amd64 arm arm64 ~hppa ~loong ~m68k ~mips ~ppc ppc64 riscv s390 ~sh ~sparc ~x86"

src_configure() {
	# The program takes the static library whenever there is one; a board has more use for a single shared one.
	cb_cmake -DCMARK_TESTS=OFF -DCMARK_STATIC=OFF -DCMARK_SHARED=ON
}

src_compile() {
	cb_ninja
}

src_install() {
	DESTDIR=${D} cb_ninja install
	dodoc README.md changelog.txt
}
