# SPDX-License-Identifier: GPL-2.0-or-later

# @ECLASS: crossmerge-toolchain.eclass
# @SUPPORTED_EAPIS: 8
# @BLURB: what the parts of a cross toolchain have in common
# @DESCRIPTION:
# The category names the target: cross-<tuple> for a toolchain of GCC, cross_llvm-<tuple> for one of LLVM. The sysroot is
# ${EPREFIX}/usr/<tuple>. The ebuilds follow the protocol of ::gentoo's, so that crossdev and crossmerge can drive both.
#
# Each part has an eclass with its phases. An ebuild only names a version, its files and its keywords.

case ${EAPI} in
	8) ;;
	*) die "${ECLASS}: EAPI ${EAPI:-0} is not supported" ;;
esac

if [[ -z ${_CROSSMERGE_TOOLCHAIN_ECLASS} ]]; then
_CROSSMERGE_TOOLCHAIN_ECLASS=1

# Stripping a file needs the target's own strip. Each eclass strips the programs of the build machine itself.
RESTRICT="strip test"

S="${WORKDIR}/source"

case ${CATEGORY} in
	cross-*) export CTARGET=${CATEGORY#cross-} ;;
	cross_llvm-*) export CTARGET=${CATEGORY#cross_llvm-} ;;
	*) export CTARGET= ;;
esac

# @FUNCTION: ct_needs_target
# @DESCRIPTION:
# Ends with an error if the category names no target.
ct_needs_target() {
	[[ -n ${CTARGET} ]] || die "${PN} is only for a target: the category has to be cross-<tuple>, and it is ${CATEGORY}"
}

# @FUNCTION: ct_sysroot
# @DESCRIPTION:
# Prints the path of the sysroot, below the prefix's root directory.
ct_sysroot() { echo "/usr/${CTARGET}"; }

# @FUNCTION: ct_libc
# @DESCRIPTION:
# Prints the name of the package that is the target's libc.
ct_libc() {
	case ${CTARGET} in
		avr*) echo avr-libc ;;
		*-mingw*) echo mingw64-runtime ;;
		*-uclibc*|*-uclinux*) echo uclibc-ng ;;
		*-musl*) echo musl ;;
		*-gnu*) echo glibc ;;
		*) echo newlib ;;
	esac
}

# @FUNCTION: ct_libc_state
# @DESCRIPTION:
# Prints how much of the target's libc is installed: "none", "headers" or "full". This is what decides the stage of GCC.
ct_libc_state() {
	local libc=${CATEGORY}/$(ct_libc)
	if ! has_version "${libc}"; then
		echo none
	elif has_version "${libc}[headers-only(-)]"; then
		echo headers
	else
		echo full
	fi
}

# @FUNCTION: ct_is_bare
# @DESCRIPTION:
# Succeeds if the target has no operating system.
ct_is_bare() {
	case ${CTARGET} in
		*-linux*|*-gnu*|*-mingw*|*-cygwin*|*-freebsd*) return 1 ;;
	esac
}

# @FUNCTION: ct_needs_compiler
# @DESCRIPTION:
# Ends with an error if the first compiler does not exist yet.
ct_needs_compiler() {
	ct_needs_target
	type -P "${CTARGET}-gcc" > /dev/null || die "${CTARGET}-gcc is missing: ${PN} is built after the first compiler"
}

# @FUNCTION: ct_target_flags
# @USAGE: [ABI]
# @DESCRIPTION:
# Prints the compiler's flags for the libraries of the target. CFLAGS are those of the build machine; CFLAGS_<abi> selects the ABI.
ct_target_flags() {
	local of_abi=CFLAGS_${1:-${DEFAULT_ABI:-${ABI}}}
	echo "-O2 -pipe ${!of_abi}"
}

# @FUNCTION: ct_karch
# @DESCRIPTION:
# Prints the kernel's name of the target's architecture: the directory below arch/.
ct_karch() {
	case ${CTARGET} in
		aarch64*) echo arm64 ;;
		arm*) echo arm ;;
		hppa*) echo parisc ;;
		i?86*|x86_64*) echo x86 ;;
		loongarch*) echo loongarch ;;
		m68*) echo m68k ;;
		mips*) echo mips ;;
		or1k*) echo openrisc ;;
		powerpc*) echo powerpc ;;
		riscv*) echo riscv ;;
		s390*) echo s390 ;;
		sh*) echo sh ;;
		sparc*) echo sparc ;;
		*) echo "${CTARGET%%-*}" ;;
	esac
}

# @FUNCTION: ct_untar
# @USAGE: <archive> [argument of tar…]
# @DESCRIPTION:
# Unpacks the tree in an archive into ${S}. tar also ends with an error if a pattern matches nothing, so the caller has to
# name only what every version has.
ct_untar() {
	local archive=${1}
	shift
	mkdir -p "${S}" || die
	tar -x --no-same-owner --strip-components=1 -C "${S}" -f "${archive}" "${@}" || die "cannot unpack ${archive}"
}

# @FUNCTION: ct_run_configure
# @USAGE: <script> [argument…]
# @DESCRIPTION:
# Runs a configure script in the working directory, on the build machine. EXTRA_ECONF of the user comes last.
ct_run_configure() {
	local -a extra
	eval "extra=( ${EXTRA_ECONF} )"
	set -- "${1}" --build="${CBUILD:-${CHOST}}" "${@:2}" "${extra[@]}"
	echo "${@}"
	"${@}" || die "configure failed"
}

# @FUNCTION: ct_configure
# @USAGE: [argument…]
# @DESCRIPTION:
# Runs the configure script of ${S} in the directory ${WORKDIR}/build, for a program that runs on CHOST.
ct_configure() {
	mkdir -p "${WORKDIR}/build" || die
	cd "${WORKDIR}/build" || die
	ct_run_configure "${S}/configure" --prefix="${EPREFIX}/usr" --host="${CHOST}" --target="${CTARGET}" \
		--disable-dependency-tracking --disable-silent-rules "${@}"
}

# @FUNCTION: ct_make
# @USAGE: [argument…]
# @DESCRIPTION:
# Runs make in ${WORKDIR}/build. Manuals are not built: makeinfo then is no requirement, and some distributions remove the
# sources of the manuals.
ct_make() {
	emake -C "${WORKDIR}/build" MAKEINFO=true "${@}"
}

# @FUNCTION: ct_strip
# @USAGE: <directory…>
# @DESCRIPTION:
# Strips the programs and plugins of the build machine in these directories of the image.
ct_strip() {
	local directory
	for directory; do
		[[ -d ${ED}${directory} ]] || continue
		find "${ED}${directory}" -type f \( -perm /111 -o -name '*.so*' \) -exec strip --strip-unneeded {} + 2> /dev/null
	done
	return 0
}

# @FUNCTION: ct_select
# @USAGE: <binutils|gcc> <slot>
# @DESCRIPTION:
# Makes the installed version the one that <tuple>-ld or <tuple>-gcc mean. For pkg_postinst.
ct_select() {
	local config=${EROOT}/usr/bin/${1}-config
	[[ -x ${config} ]] || die "${config} does not exist: run \`crossmerge toolchain prepare\`"
	"${config}" "${CTARGET}-${2}" || die
}

# @FUNCTION: ct_deselect
# @USAGE: <binutils|gcc>
# @DESCRIPTION:
# Removes the symlinks of a version that was unmerged, and selects another one if there is one. For pkg_postrm.
ct_deselect() {
	local config=${EROOT}/usr/bin/${1}-config
	[[ -x ${config} ]] || return 0
	"${config}" --update "${CTARGET}" || die
}

fi
