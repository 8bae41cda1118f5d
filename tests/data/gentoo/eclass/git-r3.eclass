# SPDX-License-Identifier: GPL-2.0-or-later
#
# Stands in for Gentoo's git-r3.eclass: EGIT_REPO_URI is checked out to ${WORKDIR}/${P}.

PROPERTIES+=" live"

git-r3_src_unpack() {
	git clone --quiet --depth 1 "${EGIT_REPO_URI}" "${WORKDIR}/${P}" || die "cannot clone ${EGIT_REPO_URI}"
}

EXPORT_FUNCTIONS src_unpack
