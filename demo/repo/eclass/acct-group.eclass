# SPDX-License-Identifier: GPL-2.0-or-later

# @ECLASS: acct-group.eclass
# @SUPPORTED_EAPIS: 8
# @BLURB: a package that is a group
# @DESCRIPTION:
# The package adds a group with its own name to ROOT. The variable is that of Gentoo's eclass of this name.

inherit accounts

# @ECLASS_VARIABLE: ACCT_GROUP_ID
# @REQUIRED
# @DESCRIPTION:
# The ID of the group, the same in every root.

DESCRIPTION="The group ${PN}"
HOMEPAGE="https://wiki.gentoo.org/wiki/Project:Quality_Assurance/UID_GID_Assignment"
S=${WORKDIR}

LICENSE="GPL-2+"
SLOT="0"
KEYWORDS="~alpha amd64 arm arm64 ~hppa ~loong ~m68k ~mips ~ppc ppc64 riscv s390 ~sh ~sparc ~x86"

# @FUNCTION: acct-group_pkg_preinst
# @DESCRIPTION:
# Adds the group.
acct-group_pkg_preinst() {
	accounts_add group "${PN}:x:${ACCT_GROUP_ID}:"
}

EXPORT_FUNCTIONS pkg_preinst
