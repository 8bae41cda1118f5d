# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What demo/setup and tests/setup share: saying what they do, and fetching from Debian's archive without changing the machine's
# own apt. The private one lies in $apt, which the caller sets.
# shellcheck disable=SC2154

say() { printf 'setup: %s\n' "$*" >&2; }

# Ends with a message and a hint: what went wrong, and the command that mends it.
fail() {
	printf 'setup: error: %s\n' "$1" >&2
	[[ -z ${2-} ]] || printf 'hint: %s\n' "$2" >&2
	exit 1
}

# Writes standard input to a file if that changes it.
write_if_different() {
	local path=$1 text
	text=$(cat)
	[[ -f $path && $(< "$path") == "$text" ]] && return
	say "writing $path"
	mkdir -p "$(dirname "$path")"
	printf '%s\n' "$text" > "$path.new"
	mv -f "$path.new" "$path"
}

# Prints the address, suite and component of each archive of Debian's that the machine is configured with, whatever its mirror.
# The label leaves the security archive out: its updates reach the main one, which alone keeps the upstream files for good.
debian_archives() {
	local archives
	archives=$(main_archives)
	if [[ -z $archives ]] && ((EUID == 0)); then
		# Images for containers come without package lists, and only those say which archive is Debian's.
		apt-get -q update >&2
		archives=$(main_archives)
	fi
	[[ -n $archives ]] || fail "this machine's apt knows no archive of Debian's" "apt-get update"
	printf '%s\n' "$archives"
}

main_archives() {
	# shellcheck disable=SC2016 # the names are apt's, not the shell's
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Label: Debian' 'Component: main' |
		sort -u
}

# Makes the private apt ready for the archives on standard input: lines of a sources.list without options. It fetches indexes
# for the Debian architectures named, or for the machine's own. The machine's settings know only of binary packages, what is
# installed does not matter here, and the hooks (images for containers have some that clear caches) are none of our business.
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
		// apt's own user may not write below somebody's checkout.
		APT::Sandbox::User "$(id -un)";
		APT::Architecture "$native";
		#clear APT::Architectures;
		APT::Architectures { $(printf '"%s"; ' "$native" "$@")};
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
	EOT
	private_apt apt-get update >&2 || say "Debian's index is not complete; trying with what there is"
}

# Runs an apt tool with those settings.
private_apt() {
	local tool=$1
	shift
	"$tool" -q -c "$apt/apt.conf" "$@"
}

# Fetches one file of a Debian source package into $apt/files, from whichever version of the package has it.
fetch_from_debian() {
	local source=$1 file=$2 version
	version=$(private_apt apt-cache showsrc --only-source "$source" 2> /dev/null | awk -v file="$file" '
		/^Version:/ { version = $2 }
		$NF == file && !found++ { print version }')
	[[ -n $version ]] || return 1
	(cd "$apt/files" && private_apt apt-get source --download-only --tar-only --only-source "$source=$version") > "$apt/log" 2>&1 &&
		[[ -f $apt/files/$file ]]
}
