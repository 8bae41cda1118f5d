# SPDX-License-Identifier: GPL-2.0-or-later

EAPI=8

inherit crossmerge-newlib

SRC_URI="https://sourceware.org/pub/newlib/${P}.tar.gz"
KEYWORDS="~alpha ~amd64 ~arc ~arm ~arm64 ~hppa ~ia64 ~loong ~m68k ~microblaze ~mips ~or1k ~ppc ~ppc64 ~riscv ~s390 ~sh ~sparc ~x86"
