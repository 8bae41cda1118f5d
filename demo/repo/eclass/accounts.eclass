# SPDX-License-Identifier: GPL-2.0-or-later

# @ECLASS: accounts.eclass
# @SUPPORTED_EAPIS: 8
# @BLURB: users and groups of ROOT
# @DESCRIPTION:
# The functions for packages that add users and groups, or that install files of such users. The build machine has other
# users than ROOT, so chown, getent and useradd would look names up in the wrong place. These functions read and write ROOT's
# own lists, which are text, and start no program of the target. Call them in pkg_preinst, which runs for binary packages too.

case ${EAPI} in
	8) ;;
	*) die "${ECLASS}: EAPI ${EAPI:-0} is not supported" ;;
esac

# @FUNCTION: accounts_find
# @USAGE: <passwd|group> <field> <value>
# @DESCRIPTION:
# Prints the first entry of ROOT in which the field has this value. Prints nothing if there is none.
accounts_find() {
	local list=${EROOT}/etc/${1}
	[[ -f ${list} ]] || return 0
	awk -F : -v field="${2}" -v value="${3}" '$field == value { print; exit }' "${list}" || die
}

# @FUNCTION: accounts_id
# @USAGE: <passwd|group> <name>
# @DESCRIPTION:
# Prints the ID of a user or group of ROOT.
accounts_id() {
	local entry
	entry=$(accounts_find "${1}" 1 "${2}") || die
	[[ -n ${entry} ]] || die "${EROOT}/etc/${1} does not contain ${2}"
	cut -d : -f 3 <<< "${entry}"
}

# @FUNCTION: accounts_add
# @USAGE: <passwd|group> <entry>
# @DESCRIPTION:
# Adds an entry to a list of ROOT. An existing entry with this name stays, because an administrator may have changed it.
accounts_add() {
	local list=${EROOT}/etc/${1} entry=${2} name id other
	IFS=: read -r name _ id _ <<< "${entry}"
	[[ -z $(accounts_find "${1}" 1 "${name}") ]] || return 0
	other=$(accounts_find "${1}" 3 "${id}")
	[[ -z ${other} ]] || die "${list}: ${other%%:*} has the ID ${id} of ${name}"
	mkdir -p "${EROOT}/etc" || die
	echo "${entry}" >> "${list}" || die
}

# @FUNCTION: accounts_own
# @USAGE: <user> <group> <path…>
# @DESCRIPTION:
# Changes the owner of files of the package to a user and a group of ROOT.
accounts_own() {
	local uid gid path
	uid=$(accounts_id passwd "${1}") && gid=$(accounts_id group "${2}") || die
	shift 2
	for path; do
		# INSTALL_MASK may have removed it.
		[[ -e ${ED}${path} ]] || continue
		chown "${uid}:${gid}" "${ED}${path}" || die
	done
}
