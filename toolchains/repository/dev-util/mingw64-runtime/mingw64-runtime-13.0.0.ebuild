# SPDX-License-Identifier: GPL-2.0-or-later

EAPI=8

inherit crossmerge-mingw64-runtime

SRC_URI="https://downloads.sourceforge.net/mingw-w64/mingw-w64/mingw-w64-release/mingw-w64-v${PV}.tar.bz2"
KEYWORDS="~amd64 ~x86"
