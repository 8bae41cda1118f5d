# SPDX-License-Identifier: GPL-2.0-or-later

# @ECLASS: stand-in.eclass
# @SUPPORTED_EAPIS: 8
# @BLURB: packages of a cross toolchain that install a few files in place of programs
# @DESCRIPTION:
# A stand-in takes a second and follows the protocol of ::gentoo's packages: CATEGORY names the target, the installed libc
# decides the stage of gcc, and headers-only reduces a libc to its headers. As the last line of an ebuild, `inherit stand-in`
# derives everything from the package's name.
#
# A test controls the phases with the file ${EPREFIX}/etc/stand-in. README.md describes it.

case ${EAPI} in
	8) ;;
	*) die "${ECLASS}: EAPI ${EAPI:-0} is not supported" ;;
esac

DESCRIPTION="Stand-in for ${PN}"
HOMEPAGE="https://www.gentoo.org/"
LICENSE="GPL-2"
S="${WORKDIR}"
RESTRICT="strip test"

SLOT="0"
IUSE="cet multilib"
case ${PN} in
	binutils)
		SLOT="$(ver_cut 1-2)"
		IUSE+=" cxx nls"
		;;
	gcc)
		SLOT="$(ver_cut 1)"
		IUSE+=" ada +cxx d +default-stack-clash-protection +fortran go graphite hardened jit modula2 nls objc objc++ objc-gc +openmp +pie rust +sanitize +ssp vtv zlib zstd"
		;;
	gdb) IUSE+=" nls +python" ;;
	clang-crossdev-wrappers|compiler-rt|gnumach|hurd|libunwind|libcxxabi|libcxx|linux-headers|mig|nvptx-tools)
		IUSE+=" headers-only static-libs"
		;;
	*) IUSE+=" crypt experimental-loong headers-only libraries static-libs" ;;
esac
[[ ${PN} == linux-headers ]] && IUSE+=" experimental-loong"

# @FUNCTION: stand-in_target
# @DESCRIPTION:
# Prints the tuple in the category, or CHOST for a category of ::gentoo.
stand-in_target() {
	case ${CATEGORY} in
		cross-*) echo "${CATEGORY#cross-}" ;;
		cross_llvm-*) echo "${CATEGORY#cross_llvm-}" ;;
		*) echo "${CHOST}" ;;
	esac
}

case ${CATEGORY}/${PN} in
	cross-*/gcc) BDEPEND="${CATEGORY}/binutils" ;;
esac

# @FUNCTION: stand-in_libc
# @DESCRIPTION:
# Prints the package of the target's libc.
stand-in_libc() {
	case $(stand-in_target) in
		*-dietlibc*) echo dietlibc ;;
		*-klibc*) echo klibc ;;
		*-uclibc*|*-uclinux*) echo uclibc-ng ;;
		*-musl*) echo musl ;;
		*-llvm*) echo llvm-libc ;;
		*-mingw*) echo mingw64-runtime ;;
		*-cygwin*) echo cygwin ;;
		*-freebsd*) echo freebsd-lib ;;
		avr*) echo avr-libc ;;
		*-linux*-gnu*|*-gnu) echo glibc ;;
		*) echo newlib ;;
	esac
}

# @FUNCTION: stand-in_libc_state
# @DESCRIPTION:
# Prints "none", "headers" or "full": what is installed of the target's libc, as toolchain.eclass finds it.
stand-in_libc_state() {
	local libc=${CATEGORY}/$(stand-in_libc)
	if ! has_version "${libc}"; then
		echo none
	elif has_version "${libc}[headers-only(-)]"; then
		echo headers
	else
		echo full
	fi
}

# @FUNCTION: stand-in_command
# @USAGE: <phase>
# @DESCRIPTION:
# Evaluates the commands that a test wants in this phase.
stand-in_command() {
	local package phase command
	[[ -r ${EPREFIX}/etc/stand-in ]] || return 0
	while read -r package phase command; do
		[[ ${phase} == "${1}" ]] || continue
		case ${package} in
			"${PN}") ;;
			"${PN}"/*) [[ ${package#*/} == "$(stand-in_libc_state)" ]] || continue ;;
			*) continue ;;
		esac
		eval "${command}"
	done < "${EPREFIX}/etc/stand-in"
}

# @FUNCTION: stand-in_options
# @DESCRIPTION:
# Prints the options of configure by which a compiler without a libc is known.
stand-in_options() {
	[[ $(stand-in_libc_state) == full ]] || echo "--disable-shared --disable-libatomic"
}

# @FUNCTION: stand-in_program
# @USAGE: <directory> <name>
# @DESCRIPTION:
# Installs a script that knows its tuple and version and does nothing else.
stand-in_program() {
	cat > "${T}/program" <<-EOT || die
		#!/bin/sh
		# A stand-in for ${2}. Its own directory has five directories of the toolchain above it.
		top=\$(readlink -f "\$0")
		top=\${top%/*/*/*/*/*}
		for argument; do
			case \$argument in
				-v) echo "Configured with: configure $(stand-in_options)" >&2; exit ;;
				-print-prog-name=*) echo "\$top/$(stand-in_target)/bin/\${argument#*=}"; exit ;;
				-c) is_object=yes ;;
				*.o) [ -z "\$is_object" ] || { : > "\$argument"; exit; } ;;
				-dumpmachine) echo $(stand-in_target); exit ;;
				-dumpversion|-dumpfullversion) echo ${PV}; exit ;;
				-print-sysroot|--print-sysroot) echo "\$top/$(stand-in_target)"; exit ;;
				-print-multi-os-directory) echo ../lib64; exit ;;
				# crossmerge links before the last compiler. A test sets the linker's message.
				-nodefaultlibs)
					[ -e "${EPREFIX}/etc/stand-in.link" ] || exit 0
					cat "${EPREFIX}/etc/stand-in.link" >&2
					exit 1
					;;
				--version) echo "${2} (stand-in) ${PV}"; exit ;;
			esac
		done
		echo "${2}: a stand-in does nothing" >&2
		exit 1
	EOT
	exeinto "${1}"
	newexe "${T}/program" "${2}"
}

# @FUNCTION: stand-in_text
# @USAGE: <path>
# @DESCRIPTION:
# Installs a file that records how the package was built.
stand-in_text() {
	insinto "${1%/*}"
	newins - "${1##*/}" <<-EOT
		package ${CATEGORY}/${PF}
		libc $(stand-in_libc_state)
		use ${USE}
	EOT
}

stand-in_pkg_pretend() { stand-in_command pretend; }
stand-in_pkg_setup() { stand-in_command setup; }
stand-in_src_unpack() { stand-in_command unpack; }

stand-in_src_prepare() {
	stand-in_command prepare
	default
}

stand-in_src_configure() {
	local tuple=$(stand-in_target)
	einfo "${CATEGORY}/${PF} for ${tuple}: libc ${CATEGORY}/$(stand-in_libc) $(stand-in_libc_state)"
	stand-in_command configure
	case ${CATEGORY}/${PN} in
		cross-*/gcc) type -P "${tuple}-as" > /dev/null || die "${tuple}-as is missing" ;;
		cross-*/"$(stand-in_libc)")
			use headers-only || type -P "${tuple}-gcc" > /dev/null || die "${tuple}-gcc is missing"
			[[ ${tuple} != *-linux* || -d ${EPREFIX}/usr/${tuple}/usr/include/linux ]] || [[ ${PN} != glibc ]] ||
				die "the kernel's headers are missing"
			;;
	esac
}

stand-in_src_compile() {
	local n
	for n in 1 2 3; do
		echo "compiling file ${n} of 3"
	done
	stand-in_command compile
}

stand-in_src_install() {
	stand-in_command install
	local tuple=$(stand-in_target) name
	local bin=/usr/${CHOST}/${tuple} sysroot=/usr/${tuple}
	[[ ${CATEGORY} == cross* ]] || sysroot=
	case ${PN} in
		binutils)
			for name in ar as ld nm objcopy objdump ranlib readelf strip; do
				stand-in_program "${bin}/binutils-bin/${SLOT}" "${name}"
			done
			stand-in_text "/usr/lib64/binutils/${tuple}/${SLOT}/stand-in"
			insinto /etc/env.d/binutils
			newins - "${tuple}-${SLOT}" <<< "TARGET=\"${tuple}\""
			;;
		gcc)
			for name in gcc cpp gcov $(usev cxx g++) $(usev cxx c++); do
				stand-in_program "${bin}/gcc-bin/${SLOT}" "${tuple}-${name}"
			done
			stand-in_text "/usr/lib/gcc/${tuple}/${SLOT}/stand-in"
			insinto /etc/env.d/gcc
			newins - "${tuple}-${SLOT}" <<< "CTARGET=\"${tuple}\""
			;;
		gdb) stand-in_program /usr/bin "${tuple}-gdb" ;;
		clang-crossdev-wrappers)
			stand-in_program /usr/bin "${tuple}-clang"
			stand-in_program /usr/bin "${tuple}-clang++"
			;;
		linux-headers) stand-in_text "${sysroot}/usr/include/linux/version.h" ;;
		gnumach|hurd|mig) stand-in_text "${sysroot}/usr/include/${PN}/version.h" ;;
		"$(stand-in_libc)")
			stand-in_text "${sysroot}/usr/include/stdio.h"
			use headers-only || stand-in_text "${sysroot}/usr/lib/libc.a"
			;;
		*) stand-in_text "${sysroot}/usr/lib/${PN}.stand-in" ;;
	esac
}

stand-in_pkg_preinst() { stand-in_command preinst; }

# The symlinks that binutils-config and gcc-config make.
stand-in_pkg_postinst() {
	stand-in_command postinst
	local tuple=$(stand-in_target) program name kind=${PN}
	case ${PN} in
		binutils|gcc) ;;
		*) return ;;
	esac
	[[ ${CATEGORY} == cross-* ]] || return
	mkdir -p "${EROOT}"/usr/bin "${EROOT}/usr/${tuple}/bin" || die
	for program in "${EROOT}/usr/${CHOST}/${tuple}/${kind}-bin/${SLOT}"/*; do
		name=${program##*/}
		name=${name#"${tuple}-"}
		ln -sfn "../${program#"${EROOT}/usr/"}" "${EROOT}/usr/bin/${tuple}-${name}" || die
		[[ ${kind} == gcc ]] || ln -sfn "../../${program#"${EROOT}/usr/"}" "${EROOT}/usr/${tuple}/bin/${name}" || die
	done
	echo "CURRENT=${SLOT}" > "${EROOT}/etc/env.d/${kind}/config-${tuple}" || die
}

stand-in_pkg_prerm() { stand-in_command prerm; }

stand-in_pkg_postrm() {
	stand-in_command postrm
	local tuple=$(stand-in_target)
	[[ ${CATEGORY} == cross-* && -z ${REPLACED_BY_VERSION} ]] || return
	case ${PN} in
		binutils|gcc)
			find "${EROOT}/usr/bin" "${EROOT}/usr/${tuple}/bin" -xtype l -delete 2> /dev/null
			rm -f "${EROOT}/etc/env.d/${PN}/config-${tuple}"
			;;
	esac
}

EXPORT_FUNCTIONS pkg_pretend pkg_setup src_unpack src_prepare src_configure src_compile src_install \
	pkg_preinst pkg_postinst pkg_prerm pkg_postrm
