# SPDX-License-Identifier: GPL-2.0-or-later

# @ECLASS: crossmerge-clang-crossdev-wrappers.eclass
# @SUPPORTED_EAPIS: 8
# @BLURB: the phases of sys-devel/clang-crossdev-wrappers
# @DESCRIPTION:
# The commands <tuple>-clang and <tuple>-clang++ run the build machine's clang with the options for the target. LLVM's tools work
# for every target; they get the target's names too.

inherit crossmerge-llvm

DESCRIPTION="The commands of clang for a target"
IUSE="multilib"
S="${WORKDIR}"

# The tools that are also called by binutils' names.
CT_TOOLS="addr2line ar nm objcopy objdump ranlib readelf size strings strip"

# Prints the path of one of LLVM's programs: beside clang, else in PATH.
ct_llvm_tool() {
	local tool=${1}/${2}
	[[ -x ${tool} ]] || tool=$(type -P "${2}") || die "${2} is not installed"
	echo "${tool}"
}

crossmerge-clang-crossdev-wrappers_src_install() {
	ct_needs_target
	local clang=$(readlink -f "${CROSSMERGE_CLANG:-$(type -P clang)}") resources=$(ct_resources) settings=${CLANG_CROSS_CFG:-${EPREFIX}/etc/clang/cross/${CTARGET}.cfg}
	[[ -x ${clang} ]] || die "clang is not installed"
	local directory=${clang%/*} name
	einfo "$("${clang}" --version | head -n 1), ${clang}"

	dosym "$("${clang}" -print-resource-dir)/include" "${resources}/include"
	insinto "${resources}"
	# clang reports an unused option of the command line, and none of a file. Without the last option, it would take the headers
	# of a C++ library of the build machine, if that has one.
	newins - clang.cfg <<-EOT
		@${settings}
		-resource-dir=${EPREFIX}${resources}
		-stdlib++-isystem
		${EPREFIX}$(ct_sysroot)/usr/include/c++/v1
	EOT

	exeinto /usr/bin
	for name in clang clang++ clang-cpp; do
		newexe - "${CTARGET}-${name}" <<-EOT
			#!/bin/sh
			exec "${directory}/${name}" --config "${EPREFIX}${resources}/clang.cfg" "\$@"
		EOT
	done
	for name in ${CT_TOOLS}; do
		dosym "$(ct_llvm_tool "${directory}" "llvm-${name}")" "/usr/bin/${CTARGET}-llvm-${name}"
		dosym "${CTARGET}-llvm-${name}" "/usr/bin/${CTARGET}-${name}"
	done
	dosym "$(ct_llvm_tool "${directory}" ld.lld)" "/usr/bin/${CTARGET}-ld.lld"
	dosym "${CTARGET}-ld.lld" "/usr/bin/${CTARGET}-ld"
}

EXPORT_FUNCTIONS src_install
