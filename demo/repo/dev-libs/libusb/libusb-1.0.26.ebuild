# SPDX-License-Identifier: GPL-2.0-or-later

# A library with a libusb-1.0.pc, through which app-mobilephone/dfu-util finds it.

EAPI=8

inherit cross-build

DESCRIPTION="Access to USB devices from user space"
HOMEPAGE="https://libusb.info/"
SRC_URI="https://github.com/libusb/libusb/releases/download/v${PV}/${P}.tar.bz2"

LICENSE="LGPL-2.1+"
SLOT="1"
KEYWORDS="~alpha amd64 arm arm64 ~hppa ~loong ~m68k ~mips ~ppc ppc64 riscv s390 ~sh ~sparc ~x86"
IUSE="static-libs"

src_configure() {
	# Without udev, the kernel itself reports devices to libusb (netlink).
	econf --disable-udev $(use_enable static-libs static)
}

src_install() {
	default
	cb_drop_archives
}
