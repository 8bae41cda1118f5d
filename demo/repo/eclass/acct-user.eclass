# SPDX-License-Identifier: GPL-2.0-or-later

# @ECLASS: acct-user.eclass
# @SUPPORTED_EAPIS: 8
# @BLURB: a package that is a user
# @DESCRIPTION:
# The package adds a user with its own name to ROOT, who cannot log in, and installs the user's home directory. The variables
# are those of Gentoo's eclass of this name.

inherit accounts

# @ECLASS_VARIABLE: ACCT_USER_ID
# @REQUIRED
# @DESCRIPTION:
# The ID of the user, the same in every root.

# @ECLASS_VARIABLE: ACCT_USER_GROUPS
# @DESCRIPTION:
# An array with the user's group, a package of acct-group. The users of this repository have only one.
ACCT_USER_GROUPS=( "${PN}" )

# @ECLASS_VARIABLE: ACCT_USER_HOME
# @DESCRIPTION:
# The home directory.
ACCT_USER_HOME=/dev/null

DESCRIPTION="The user ${PN}"
HOMEPAGE="https://wiki.gentoo.org/wiki/Project:Quality_Assurance/UID_GID_Assignment"
S=${WORKDIR}

LICENSE="GPL-2+"
SLOT="0"
KEYWORDS="~alpha amd64 arm arm64 ~hppa ~loong ~m68k ~mips ~ppc ppc64 riscv s390 ~sh ~sparc ~x86"

# @FUNCTION: acct-user_add_deps
# @DESCRIPTION:
# Adds the group to the dependencies. An ebuild calls it after it has set the variables.
acct-user_add_deps() {
	RDEPEND+=" acct-group/${ACCT_USER_GROUPS[0]}"
}

# @FUNCTION: acct-user_src_install
# @DESCRIPTION:
# Installs the home directory. It still belongs to root, because the user does not exist where the package is built.
acct-user_src_install() {
	[[ ${ACCT_USER_HOME} == /dev/null ]] || keepdir "${ACCT_USER_HOME}"
}

# @FUNCTION: acct-user_pkg_preinst
# @DESCRIPTION:
# Adds the user, and gives the home directory to the user.
acct-user_pkg_preinst() {
	local group=${ACCT_USER_GROUPS[0]} gid
	gid=$(accounts_id group "${group}") || die
	accounts_add passwd "${PN}:x:${ACCT_USER_ID}:${gid}:${PN}:${ACCT_USER_HOME}:/bin/false"
	accounts_own "${PN}" "${group}" "${ACCT_USER_HOME}"
}

EXPORT_FUNCTIONS src_install pkg_preinst
