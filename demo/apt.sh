# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Functions that demo/setup and tests/setup share: they print progress messages, and download from Debian's archive without changing the
# build machine's own apt. $apt, which the caller sets, is the directory of a separate apt configuration.
# shellcheck disable=SC2154

say() { printf 'setup: %s\n' "$*" >&2; }

# Exits with an error message and a hint, the command that fixes the fault.
fail() {
	printf 'setup: error: %s\n' "$1" >&2
	[[ -z ${2-} ]] || printf 'hint: %s\n' "$2" >&2
	exit 1
}

# Writes standard input to a file if the text differs.
write_if_different() {
	local path=$1 text
	text=$(cat)
	[[ -f $path && $(< "$path") == "$text" ]] && return
	say "writing $path"
	mkdir -p "$(dirname "$path")"
	printf '%s\n' "$text" > "$path.new"
	mv -f "$path.new" "$path"
}

# Prints the address, suite and component of each Debian archive in the build machine's configuration, for any mirror. The label excludes the
# security archive, whose updates reach the main archive later. Only the main archive keeps the upstream files permanently.
debian_archives() {
	local archives
	archives=$(main_archives)
	if [[ -z $archives ]] && ((EUID == 0)); then
		# Container images contain no package lists, and only these lists show which archive is Debian's.
		apt-get -q update >&2
		archives=$(main_archives)
	fi
	[[ -n $archives ]] || fail "apt has no Debian archive in its configuration" "apt-get update"
	printf '%s\n' "$archives"
}

main_archives() {
	# shellcheck disable=SC2016 # the names are apt's, not the shell's
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Label: Debian' 'Component: main' |
		sort -u
}

# prepare_apt [ARCHITECTURE…]: prepares the separate apt for the archives on standard input, which are lines of a sources.list without
# options. It downloads the indexes for these Debian architectures, or for the build machine's own. It cannot use the build machine's
# configuration, which may contain binary packages only, knows the installed packages, and may have hooks that clear caches, as in
# container images.
prepare_apt() {
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg options native
	native=$(dpkg --print-architecture)
	(($#)) || set -- "$native"
	options="arch=$(IFS=, && echo "$*")"
	[[ -r $keyring ]] && options+=" signed-by=$keyring"
	mkdir -p "$apt"/{state/lists/partial,cache/archives/partial,files}
	: > "$apt/status"
	sed "s|^deb-src |&[$options] |; s|^deb |&[$options target=Packages] |" > "$apt/sources.list"
	write_if_different "$apt/apt.conf" <<- EOT
		Dir::Etc::sourcelist "$apt/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::State "$apt/state";
		Dir::State::status "$apt/status";
		Dir::Cache "$apt/cache";
		// The user _apt may not write into the directory of another user.
		APT::Sandbox::User "$(id -un)";
		APT::Architecture "$native";
		#clear APT::Architectures;
		APT::Architectures { $(printf '"%s"; ' "$native" "$@")};
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
	EOT
	private_apt apt-get update >&2 || say "Debian's index is not complete; continuing with the existing one"
}

# Runs an apt tool with the separate configuration.
private_apt() {
	local tool=$1
	shift
	"$tool" -q -c "$apt/apt.conf" "$@"
}

# Downloads one file of a Debian source package into $apt/files, from the first version of the package that contains it.
fetch_from_debian() {
	local source=$1 file=$2 version
	version=$(private_apt apt-cache showsrc --only-source "$source" 2> /dev/null | awk -v file="$file" '
		/^Version:/ { version = $2 }
		$NF == file && !found++ { print version }')
	[[ -n $version ]] || return 1
	(cd "$apt/files" && private_apt apt-get source --download-only --tar-only --only-source "$source=$version") > "$apt/log" 2>&1 &&
		[[ -f $apt/files/$file ]]
}

# Selects a separate apt configuration. The first call of a run prepares it for the archives on standard input.
use_apt() {
	apt=$DEMO_DIR/apt/$1
	shift
	[[ " ${apts_ready-} " == *" $apt "* ]] || prepare_apt "$@"
	apts_ready+=" $apt"
}

# Prints the lines of a sources.list for a suite, on the build machine's mirror.
archive_of() {
	local uri
	read -r uri _ < <(debian_archives)
	printf '%s '"$uri $1 main\n" deb deb-src
}

# Downloads packages of an architecture and unpacks them into a directory.
unpack() {
	local arch=$1 into=$2 debs deb
	shift 2
	(($#)) || fail "Debian's index has no packages of $arch to unpack into $into" "look at $apt/sources.list"
	debs=$DEMO_DIR/apt/debs-$arch
	rm -rf "$debs"
	mkdir -p "$debs" "$into"
	(cd "$debs" && private_apt apt-get -o APT::Architecture="$arch" download "$@") > "$apt/log" 2>&1 || {
		tail -n 5 "$apt/log" >&2
		fail "packages of $arch could not be downloaded" "look at $apt/log"
	}
	for deb in "$debs"/*.deb; do
		dpkg-deb -x "$deb" "$into"
	done
	say "downloaded $# packages of $arch, $(du -sm "$debs" | cut -f 1) MB"
	rm -rf "$debs"
}

# unpack_kernel ARCHITECTURE SUITE PACKAGE DIRECTORY [PACKAGE…]: unpacks Debian's kernel for an architecture, and other packages. PACKAGE
# is the one that depends on the newest kernel. Of the modules, which have 250 MB, only those of QEMU's devices and of ext4 stay.
unpack_kernel() {
	local arch=$1 suite=$2 package=$3 into=$4 kernel
	shift 4
	use_apt "kernel-$suite-$arch" "$arch" < <(archive_of "$suite")
	kernel=$(private_apt apt-cache -o APT::Architecture="$arch" depends "$package" | awk '$1 == "Depends:" { print $2; exit }')
	unpack "$arch" "$into" "${kernel%:*}" "$@"
	# Since trixie, /lib is a symlink of the system, which the package does not contain.
	[[ -e $into/lib ]] || ln -s usr/lib "$into/lib"
	find "$into" -regextype posix-extended -path '*/modules/*' -name '*.ko*' \
		! -regex '.*/(virtio.*|ext4|jbd2|mbcache|crc16|crc32c.*|libcrc32c)\.ko(\.xz)?' -delete
	find "$into" -path '*/modules/*' -name '*.ko.xz' -exec xz --decompress {} +
}
