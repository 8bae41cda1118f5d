# SPDX-License-Identifier: GPL-2.0-or-later
#
# Stands in for crossdev's package: the names that it installs.

EAPI=8

DESCRIPTION="The names of crossdev's scripts"
HOMEPAGE="https://wiki.gentoo.org/wiki/No_homepage"
S="${WORKDIR}"

LICENSE="GPL-2"
SLOT="0"
KEYWORDS="~amd64 ~arm64"

src_install() {
	local name
	for name in cross-{ebuild,emerge,fix-root,pkg-config} emerge-wrapper; do
		printf '#!/bin/sh\necho "%s of crossdev"\n' "${name}" | newbin - "${name}"
	done
}
