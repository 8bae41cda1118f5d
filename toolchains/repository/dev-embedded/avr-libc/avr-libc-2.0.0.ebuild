# SPDX-License-Identifier: GPL-2.0-or-later

EAPI=8

inherit crossmerge-avr-libc

SRC_URI="https://download.savannah.gnu.org/releases/avr-libc/${P}.tar.bz2"
KEYWORDS="~amd64 ~arm64 ~x86"
