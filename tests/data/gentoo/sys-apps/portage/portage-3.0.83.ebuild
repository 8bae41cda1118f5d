# SPDX-License-Identifier: GPL-2.0-or-later
#
# Stands in for Portage, which the test installed in another way.

EAPI=8

DESCRIPTION="Nothing: Portage is there"
HOMEPAGE="https://wiki.gentoo.org/wiki/No_homepage"
S="${WORKDIR}"

LICENSE="GPL-2"
SLOT="0"
KEYWORDS="~amd64 ~arm64"
