# SPDX-License-Identifier: GPL-2.0-or-later

# A package that is configured as the kernel is, and that makes a root bootable: a shell, the usual commands and an init.

EAPI=8

inherit cross-build

DESCRIPTION="Small versions of many Unix commands in one program"
HOMEPAGE="https://busybox.net/"
SRC_URI="https://busybox.net/downloads/${P}.tar.bz2"

LICENSE="GPL-2"
SLOT="0"
KEYWORDS="~alpha amd64 arm arm64 ~hppa ~loong ~m68k ~mips ~ppc ppc64 riscv s390 ~sh ~sparc ~x86"
IUSE="minimal"

# The options of USE=minimal: a shell, an init, and the commands that scripts at boot call.
MINIMAL=(
	LFS ASH SH_IS_ASH ASH_TEST ASH_ECHO ASH_PRINTF FEATURE_SH_MATH
	INIT FEATURE_USE_INITTAB HALT POWEROFF REBOOT
	MOUNT UMOUNT FEATURE_UMOUNT_ALL MOUNTPOINT MODPROBE_SMALL INSMOD LSMOD MODPROBE RMMOD
	SU USE_BB_CRYPT ID
	CAT CHMOD CHOWN CP GREP LN LS FEATURE_LS_USERNAME MKDIR MV PS RM SED SLEEP STAT FEATURE_STAT_FORMAT SYNC UNAME
)

# Sets an option of the configuration.
bb_set() {
	sed -i -e "/^# CONFIG_${1} is not set$/d" -e "/^CONFIG_${1}=/d" .config || die
	echo "${2:+CONFIG_${1}=${2}}" >> .config || die
	[[ -n ${2} ]] || echo "# CONFIG_${1} is not set" >> .config || die
}

src_configure() {
	cb_export_tools
	set -- CROSS_COMPILE="${CHOST}-" CC="${CC}" HOSTCC="$(cb_build_cc)" SKIP_STRIP=y
	emake "${@}" defconfig
	if use minimal; then
		# Paths and numbers stay.
		sed -i -E 's/^(CONFIG_[A-Z0-9_]+)=y$/# \1 is not set/' .config || die
		local option
		for option in "${MINIMAL[@]}"; do
			bb_set "${option}" y
		done
	fi
	# The package's own flags, its compression of the help texts by the build machine's bzip2, and a command whose kernel
	# interface newer headers do not have.
	bb_set EXTRA_CFLAGS "\"${CFLAGS}\""
	bb_set EXTRA_LDFLAGS "\"${LDFLAGS}\""
	bb_set FEATURE_COMPRESS_USAGE
	bb_set TC
	# Options that depend on the others have their defaults.
	emake "${@}" oldconfig < <(yes "")
}

src_compile() {
	emake CROSS_COMPILE="${CHOST}-" CC="${CC}" HOSTCC="$(cb_build_cc)" SKIP_STRIP=y V=1 busybox busybox.links
}

src_install() {
	local link
	into /
	dobin busybox
	while read -r link; do
		case ${link} in
			# Other packages have these, and only an initramfs needs the last.
			*/bash | */bzip2 | */bunzip2 | */bzcat | /linuxrc) ;;
			*) dosym -r /bin/busybox "${link}" ;;
		esac
	done < busybox.links
	insinto /etc
	doins "${FILESDIR}/inittab"
	exeinto /etc/init.d
	doexe "${FILESDIR}/rcS"
}
