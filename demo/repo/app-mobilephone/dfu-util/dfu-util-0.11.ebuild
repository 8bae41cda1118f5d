# SPDX-License-Identifier: GPL-2.0-or-later

# Autoconf's PKG_CHECK_MODULES: configure --host=${CHOST} searches for ${CHOST}-pkg-config first.

EAPI=8

DESCRIPTION="Reads and writes the firmware of devices that speak USB DFU"
HOMEPAGE="https://dfu-util.sourceforge.net/"
SRC_URI="https://dfu-util.sourceforge.net/releases/${P}.tar.gz"

LICENSE="GPL-2+"
SLOT="0"
KEYWORDS="~alpha amd64 arm arm64 ~hppa ~loong ~m68k ~mips ~ppc ppc64 riscv s390 ~sh ~sparc ~x86"

DEPEND="dev-libs/libusb:1"
RDEPEND="${DEPEND}"
