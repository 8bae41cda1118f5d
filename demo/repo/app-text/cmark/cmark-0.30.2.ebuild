# SPDX-License-Identifier: GPL-2.0-or-later

# CMake, with a library and a program. The code is C, but its project() requires a working C++ compiler.

EAPI=8

inherit cross-build

DESCRIPTION="CommonMark parser and renderer"
HOMEPAGE="https://github.com/commonmark/cmark"
SRC_URI="https://github.com/commonmark/cmark/archive/${PV}.tar.gz -> ${P}.tar.gz"

LICENSE="BSD-2 MIT CC-BY-SA-4.0"
SLOT="0/${PV}"
KEYWORDS="~alpha amd64 arm arm64 ~hppa ~loong ~m68k ~mips ~ppc ppc64 riscv s390 ~sh ~sparc ~x86"

src_configure() {
	# The program links the static library if it exists; on a board one shared library saves space.
	cb_cmake -DCMARK_TESTS=OFF -DCMARK_STATIC=OFF -DCMARK_SHARED=ON
}

src_compile() {
	cb_ninja
}

src_install() {
	DESTDIR=${D} cb_ninja install
	dodoc README.md changelog.txt
}
